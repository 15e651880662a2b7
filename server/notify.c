/* Keyspace notifications, see notify.h. */
#include "server/notify.h"

#include "base/mem.h"
#include "base/num.h"
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

void notify(struct worker *w, int db, struct slice key, enum key_event event)
{
    int classes = w->server->conf->notify_keyspace_events;
    struct slice name = slice_str(event_name(event));

    if (pubsub_idle(w->server))
        return;
    if (classes & CONF_EVENT_KEYSPACE)
        publish(w, SLICE("__keyspace@"), db, key, name);
    if (classes & CONF_EVENT_KEYEVENT)
        publish(w, SLICE("__keyevent@"), db, name, key);
}
