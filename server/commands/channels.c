/* Publish and subscribe. */
#include "server/pubsub.h"

#include "base/glob.h"
#include "server/reply.h"

/* ---- subscribing ---------------------------------------------------------------------------- */

/* Shard channels are counted apart from channels and patterns. */
static int64_t count_shown(const struct conn *c, enum channel_kind kind)
{
    if (kind == CHANNEL_SHARD)
        return pubsub_count(c, CHANNEL_SHARD);
    return (int64_t)pubsub_count(c, CHANNEL_PLAIN) + pubsub_count(c, CHANNEL_PATTERN);
}

static void confirm(struct call *c, const char *what, enum channel_kind kind,
                    const struct slice *channel)
{
    write_push(&c->out, 3);
    reply_cstr(c, what);
    if (channel)
        reply_bulk(c, *channel);
    else
        reply_null(c);
    reply_int(c, count_shown(c->conn, kind));
    /* As a push in either protocol, it is not dropped by CLIENT REPLY. */
    c->reply_start = c->out.buf->len;
}

static void subscribe(struct call *c, const char *what, enum channel_kind kind)
{
    for (int i = 1; i < c->argc; i++) {
        struct slice channel = call_arg(c, i);

        pubsub_subscribe(c->conn, kind, channel);
        confirm(c, what, kind, &channel);
    }
}

static void unsubscribe_all(struct call *c, const char *what, enum channel_kind kind)
{
    struct buf name = {0};

    if (!pubsub_count(c->conn, kind))
        confirm(c, what, kind, NULL);
    while (pubsub_first(c->conn, kind, &name)) {
        struct slice channel = buf_slice(&name);

        pubsub_unsubscribe(c->conn, kind, channel);
        confirm(c, what, kind, &channel);
    }
    buf_release(&name);
}

static void unsubscribe(struct call *c, const char *what, enum channel_kind kind)
{
    if (c->argc == 1)
        unsubscribe_all(c, what, kind);
    for (int i = 1; i < c->argc; i++) {
        struct slice channel = call_arg(c, i);

        pubsub_unsubscribe(c->conn, kind, channel);
        confirm(c, what, kind, &channel);
    }
}

/* SUBSCRIBE channel [channel ...] */
void cmd_subscribe(struct call *c)
{
    subscribe(c, "subscribe", CHANNEL_PLAIN);
}

/* PSUBSCRIBE pattern [pattern ...] */
void cmd_psubscribe(struct call *c)
{
    subscribe(c, "psubscribe", CHANNEL_PATTERN);
}

/* SSUBSCRIBE shardchannel [shardchannel ...] */
void cmd_ssubscribe(struct call *c)
{
    subscribe(c, "ssubscribe", CHANNEL_SHARD);
}

/* UNSUBSCRIBE [channel ...] */
void cmd_unsubscribe(struct call *c)
{
    unsubscribe(c, "unsubscribe", CHANNEL_PLAIN);
}

/* PUNSUBSCRIBE [pattern ...] */
void cmd_punsubscribe(struct call *c)
{
    unsubscribe(c, "punsubscribe", CHANNEL_PATTERN);
}

/* SUNSUBSCRIBE [shardchannel ...] */
void cmd_sunsubscribe(struct call *c)
{
    unsubscribe(c, "sunsubscribe", CHANNEL_SHARD);
}

/* ---- publishing ----------------------------------------------------------------------------- */

/*
 * What a publisher sends to itself stands before the count. Not a part of the reply to this
 * command, it is not dropped with it by CLIENT REPLY.
 */
static void reply_receivers(struct call *c, uint64_t receivers)
{
    if (!c->holds_shards && !c->world)
        pubsub_deliver(c->worker);
    c->reply_start = c->out.buf->len;
    reply_int(c, (int64_t)receivers);
}

/* PUBLISH channel message */
void cmd_publish(struct call *c)
{
    reply_receivers(c, pubsub_publish(c->worker, call_arg(c, 1), call_arg(c, 2)));
}

/* SPUBLISH shardchannel message */
void cmd_spublish(struct call *c)
{
    reply_receivers(c, pubsub_publish_shard(c->worker, call_arg(c, 1), call_arg(c, 2)));
}

/* ---- PUBSUB --------------------------------------------------------------------------------- */

struct listing {
    struct call *c;
    struct slice pattern; /* all if its ptr is NULL */
    int64_t found;
};

static void list_channel(struct slice channel, void *opaque)
{
    struct listing *l = opaque;

    if (l->pattern.ptr && !glob_match(l->pattern, channel, false))
        return;
    reply_bulk(l->c, channel);
    l->found++;
}

static void reply_channels(struct call *c, enum channel_kind kind)
{
    struct listing l = {.c = c};
    size_t begin = write_begin(&c->out);

    if (c->argc > 3) {
        reply_subcommand_error(c);
        return;
    }
    if (c->argc == 3)
        l.pattern = call_arg(c, 2);
    pubsub_each(c->server, kind, list_channel, &l);
    write_end_array(&c->out, begin, l.found);
}

static void reply_subscribers(struct call *c, enum channel_kind kind)
{
    reply_array(c, 2 * (int64_t)(c->argc - 2));
    for (int i = 2; i < c->argc; i++) {
        reply_bulk(c, call_arg(c, i));
        reply_int(c, (int64_t)pubsub_subscribers(c->server, kind, call_arg(c, i)));
    }
}

/* PUBSUB CHANNELS [pattern] */
void cmd_pubsub_channels(struct call *c)
{
    reply_channels(c, CHANNEL_PLAIN);
}

/* PUBSUB SHARDCHANNELS [pattern] */
void cmd_pubsub_shardchannels(struct call *c)
{
    reply_channels(c, CHANNEL_SHARD);
}

/* PUBSUB NUMSUB [channel ...] */
void cmd_pubsub_numsub(struct call *c)
{
    reply_subscribers(c, CHANNEL_PLAIN);
}

/* PUBSUB SHARDNUMSUB [shardchannel ...] */
void cmd_pubsub_shardnumsub(struct call *c)
{
    reply_subscribers(c, CHANNEL_SHARD);
}

/* PUBSUB NUMPAT */
void cmd_pubsub_numpat(struct call *c)
{
    reply_int(c, (int64_t)pubsub_channels(c->server, CHANNEL_PATTERN));
}

/* PUBSUB HELP */
void cmd_pubsub_help(struct call *c)
{
    static const char *const lines[] = {
        "CHANNELS [<pattern>]",
        "    Names the channels that have subscribers and match the pattern (default: '*').",
        "NUMPAT",
        "    Counts the patterns that have subscribers.",
        "NUMSUB [<channel> ...]",
        "    Counts the subscribers of each channel, those of patterns left out.",
        "SHARDCHANNELS [<pattern>]",
        "    Names the shard channels that have subscribers and match the pattern (default: '*').",
        "SHARDNUMSUB [<shardchannel> ...]",
        "    Counts the subscribers of each shard channel.",
        NULL,
    };

    reply_help(c, lines);
}
