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

/* The hash at key 1 while it is being changed. */
struct hash_edit {
    struct entry *e; /* NULL: there is none, unless by hash_edit_make() */
    struct entry_times was;
    bool fresh; /* new, and not in the keyspace yet */
};

/* False, and WRONGTYPE answered, if it is none. */
bool hash_edit_find(struct call *c, struct hash_edit *h);
/* The same, making one where there is none. */
bool hash_edit_make(struct call *c, struct hash_edit *h);
/* It was changed. call_changed() is to follow. */
void hash_edit_done(struct call *c, struct hash_edit *h);
/* It was not changed after all, and goes if it is new. */
void hash_edit_undo(struct hash_edit *h);
/* Fields were removed, perhaps all: hash_edit_done(), and says so. */
void hash_edit_removed(struct call *c, struct hash_edit *h, enum key_event event);

/* Records that the field of argument i has this value, and the time that it has. */
void hash_log_set(struct call *c, const struct hash_edit *h, int i, struct slice value);
/* Records the time of a field, which may be none. */
void hash_log_time(struct call *c, struct slice name, int64_t time);

/* The value of that field, null if there is none; `e` may be NULL. */
void hash_reply_value(struct call *c, const struct entry *e, struct slice name);

#endif
