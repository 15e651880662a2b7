/* Keyspace notifications, see notify.h. */
#include "server/notify.h"

#include "server/pubsub.h"

static void publish(struct worker *w, const char *kind, int db, struct slice subject,
                    struct slice message)
{
    struct buf channel = {0};

    buf_printf(&channel, "__%s@%d__:", kind, db);
    buf_append_slice(&channel, subject);
    pubsub_publish(w, buf_slice(&channel), message);
    buf_release(&channel);
}

void notify(struct worker *w, int db, struct slice key, enum key_event event)
{
    int classes = w->server->conf->notify_keyspace_events;
    struct slice name = slice_str(event_name(event));

    if (pubsub_idle(w->server))
        return;
    if (classes & CONF_EVENT_KEYSPACE)
        publish(w, "keyspace", db, key, name);
    if (classes & CONF_EVENT_KEYEVENT)
        publish(w, "keyevent", db, name, key);
}
