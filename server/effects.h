/*
 * What follows from a change to a key. This is the one place where versions are given out, and from
 * which events, statistics and whatever else depends on changes are served. Locked: the key's
 * shard.
 */
#ifndef LK_SERVER_EFFECTS_H
#define LK_SERVER_EFFECTS_H

#include "server/call.h"

const char *event_name(enum key_event event);
/* The event's class, a bit of enum conf_event. */
int event_class(enum key_event event);

/* The key's entry was made or changed. */
void effect_changed(struct worker *w, int db, unsigned shard, struct entry *e, struct slice key,
                    enum key_event event);
/* The key is gone. `last` is its entry, out of the table but not freed yet, or NULL. */
void effect_removed(struct worker *w, int db, unsigned shard, struct slice key,
                    const struct entry *last, enum key_event event);
/* The same where no command has removed it, which is to be in the log. */
void effect_removed_aside(struct worker *w, int db, unsigned shard, struct slice key,
                          const struct entry *last, enum key_event event);
/*
 * The same for keys of database 0 that others have changed in the table in which they live: nothing
 * is to be written, and the table is not told what it has told.
 */
void effect_changed_there(struct worker *w, unsigned shard, struct entry *e, struct slice key);
void effect_removed_there(struct worker *w, unsigned shard, struct slice key,
                          const struct entry *last, enum key_event event);
/* The key has come into memory from there, which is no change. */
void effect_arrived(struct worker *w, int db, unsigned shard, const struct entry *e);
/* Only the event, of a key that has just been changed. */
void effect_further(struct worker *w, int db, unsigned shard, const struct entry *e,
                    struct slice key, enum key_event event);
/* Only the event: "new", before it is said what the key has become, and "keymiss". */
void effect_event(struct worker *w, int db, struct slice key, enum key_event event);

/* A database will be emptied by this thread; the world is stopped. */
void effect_emptying(struct worker *w, int db);
/* Two databases will be exchanged, and then: they were; the world is stopped. */
void effect_swapping(struct worker *w, int a, int b);
void effect_swapped(struct worker *w, int a, int b);
/*
 * Databases were emptied; the world is stopped. The version that this has for all of them, 0 if it
 * is one of each shard.
 */
uint64_t effect_database(struct worker *w, uint64_t changes);

/*
 * Frees an entry that is out of its table: at once where that is quick, else when effect_settle()
 * is called, with no shard locked.
 */
void effect_discard(struct worker *w, struct entry *e);
void effect_settle(struct worker *w);

/* Takes an entry out that has reached its time or is evicted, frees it, and says so. */
void effect_drop(struct worker *w, int db, uint64_t hash, struct found f, enum key_event event);
/*
 * The same for a part of it, where only that has reached its time (entry_is_due()): takes out such
 * parts, some if there are many, and says so; with the last one the key goes. f->entry is what
 * stands for it then, NULL if it is gone. Returns how much work that was.
 */
size_t effect_expire(struct worker *w, int db, uint64_t hash, struct found *f, int64_t now_ms);

#endif
