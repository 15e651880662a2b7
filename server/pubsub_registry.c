/* The registry of channels, see pubsub_registry.h. */
#include "server/pubsub_registry.h"

#include "base/mem.h"

static uint64_t hash_of_channel(const void *item)
{
    const struct channel *ch = item;

    return ch->hash;
}

static bool is_channel(const void *item, struct slice name)
{
    const struct channel *ch = item;

    return slice_eq(ch->name, name);
}

static struct channel *new_channel(const struct registry *r, enum channel_kind kind,
                                   struct slice name, uint64_t hash)
{
    size_t head = sizeof(struct channel) + (size_t)r->workers * sizeof(struct audience);
    struct channel *ch = mem_alloc(head + name.len);
    char *bytes = (char *)ch + head;

    memcpy(bytes, name.ptr, name.len);
    *ch = (struct channel){.hash = hash, .kind = kind, .name = slice_make(bytes, name.len)};
    list_init(&ch->link);
    for (int i = 0; i < r->workers; i++) {
        list_init(&ch->at[i].members);
        ch->at[i].count = 0;
    }
    return ch;
}

void registry_init(struct registry *r, int workers)
{
    r->workers = workers;
    list_init(&r->pattern_list);
    lock_init(&r->patterns.lock, RANK_PATTERNS, 0);
    lock_init(&r->monitors_lock, RANK_MONITORS, 0);
    r->monitors = new_channel(r, CHANNEL_KINDS, SLICE(""), 0);
    for (int i = 0; i < CHANNEL_PARTS; i++)
        lock_init(&r->parts[i].lock, RANK_CHANNELS, (uint16_t)i);
}

static void free_channel(void *item, void *opaque)
{
    (void)opaque;
    mem_free(item);
}

static void release_part(struct channel_part *part)
{
    for (int kind = 0; kind < CHANNEL_KINDS; kind++) {
        table_each(&part->tables[kind], free_channel, NULL);
        table_release(&part->tables[kind]);
    }
}

void registry_release(struct registry *r)
{
    for (int i = 0; i < CHANNEL_PARTS; i++)
        release_part(&r->parts[i]);
    release_part(&r->patterns);
    mem_free(r->monitors);
}

struct channel_part *registry_part(struct registry *r, enum channel_kind kind, uint64_t hash)
{
    if (kind == CHANNEL_PATTERN)
        return &r->patterns;
    return &r->parts[hash >> (64 - CHANNEL_PARTS_BITS)];
}

struct channel *registry_find_locked(struct channel_part *part, enum channel_kind kind,
                                     struct slice name, uint64_t hash)
{
    struct table_place place;

    return table_find(&part->tables[kind], hash, name, is_channel, &place);
}

struct channel *registry_make_locked(struct registry *r, enum channel_kind kind, struct slice name,
                                     uint64_t hash)
{
    struct channel_part *part = registry_part(r, kind, hash);
    struct channel *ch = registry_find_locked(part, kind, name, hash);

    if (ch)
        return ch;
    ch = new_channel(r, kind, name, hash);
    table_insert(&part->tables[kind], hash, ch, hash_of_channel);
    if (kind == CHANNEL_PATTERN)
        list_push(&r->pattern_list, &ch->link);
    atomic_fetch_add(&r->counts[kind], 1);
    return ch;
}

void registry_remove_locked(struct registry *r, struct channel *ch)
{
    struct table *table = &registry_part(r, ch->kind, ch->hash)->tables[ch->kind];
    struct table_place place;

    INVARIANT(table_find(table, ch->hash, ch->name, is_channel, &place) == ch);
    table_remove(table, place, ch->hash, hash_of_channel);
    list_remove(&ch->link);
    atomic_fetch_sub(&r->counts[ch->kind], 1);
}
