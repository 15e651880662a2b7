/* client-output-buffer-limit, see output_limit.h. */
#include "server/output_limit.h"

#include "base/log.h"
#include "server/worker.h"

static enum conf_client_class class_of(const struct conn *c)
{
    return c->subs ? CONF_CLASS_PUBSUB : CONF_CLASS_NORMAL;
}

void output_limit_check(struct conn *c)
{
    struct worker *w = c->worker;
    const struct conf_limits *limits = &w->server->conf->client_output_buffer_limit;
    enum conf_client_class class = class_of(c);
    size_t pending = conn_pending(c) + (w->current == c ? w->out.len : 0);
    bool hard = limits->class[class].hard && pending > limits->class[class].hard;
    bool soft = limits->class[class].soft && pending > limits->class[class].soft;

    if (!soft)
        c->soft_since_ms = 0;
    else if (!c->soft_since_ms)
        c->soft_since_ms = w->mono_ms;
    soft = soft && w->mono_ms - c->soft_since_ms > limits->class[class].soft_seconds * 1000;
    if (!hard && !soft)
        return;
    log_warning("Client id=%llu closed for overcoming of output buffer limits.",
                (unsigned long long)c->id);
    w->stats.output_limit_disconnections++;
    conn_doom(c);
}
