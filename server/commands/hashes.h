/* What the commands on hashes have in common. */
#ifndef LK_SERVER_COMMANDS_HASHES_H
#define LK_SERVER_COMMANDS_HASHES_H

#include "server/reply.h"
#include "storage/type_hash.h"

static inline struct hash_limits hash_limits(const struct call *c)
{
    return (struct hash_limits){(size_t)c->conf->hash_max_listpack_entries,
                                (size_t)c->conf->hash_max_listpack_value};
}

/*
 * The hash at key 1 for changing; where there is none a new one, which is not in the keyspace yet.
 * False, and WRONGTYPE answered, if it is none.
 */
bool hash_find(struct call *c, struct entry **e, bool *fresh);
/* It was changed: `e` stands for it. call_changed() is to follow. */
void hash_put(struct call *c, struct entry *e, bool fresh);
/* Fields of the hash at key 1 were removed, perhaps all; says so. */
void hash_removed(struct call *c, struct entry *e, enum key_event event);

/* The value of that field, null if there is none; `e` may be NULL. */
void hash_reply_value(struct call *c, const struct entry *e, struct slice name);

#endif
