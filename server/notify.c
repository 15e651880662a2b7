/* Keyspace notifications, see notify.h. */
#include "server/notify.h"

#include "base/mem.h"
#include "base/num.h"
#include "server/keyvalue.h"
#include "server/pubsub.h"

enum { CHANNEL_QUICK = 512 }; /* bytes of a channel's name that need no allocation */

static char *append(char *at, struct slice s)
{
    memcpy(at, s.ptr, s.len);
    return at + s.len;
}

/* Publishes to "<prefix><db>__:<subject>". */
static void publish(struct worker *w, struct slice prefix, int db, struct slice subject,
                    struct slice message)
{
    char quick[CHANNEL_QUICK];
    size_t room = prefix.len + NUM_INT_MAX + 3 + subject.len;
    char *name = room <= sizeof(quick) ? quick : mem_alloc(room), *end = append(name, prefix);

    end += num_format_int(end, db);
    end = append(end, SLICE("__:"));
    end = append(end, subject);
    pubsub_publish(w, slice_make(name, (size_t)(end - name)), message);
    if (name != quick)
        mem_free(name);
}

static void publish_name(struct worker *w, const struct news *news, int classes)
{
    struct slice name = slice_str(event_name(news->event));

    if (classes & CONF_EVENT_KEYSPACE)
        publish(w, SLICE("__keyspace@"), news->db, news->key, name);
    if (classes & CONF_EVENT_KEYEVENT)
        publish(w, SLICE("__keyevent@"), news->db, name, news->key);
}

void notify(struct worker *w, const struct shard *home, const struct news *news)
{
    int classes = w->server->conf->notify_keyspace_events, class = event_class(news->event);

    if (pubsub_idle(w->server))
        return;
    if (classes & class && class != CONF_EVENT_KEYVALUE)
        publish_name(w, news, classes);
    keyvalue_publish(w, home, news);
}
