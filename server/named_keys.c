/* Keys by name, see named_keys.h. */
#include "server/named_keys.h"

#include "base/mem.h"

/* What is looked for. */
struct wanted {
    int db;
    struct slice key;
};

static uint64_t hash_of(const void *item)
{
    return ((const struct named_key *)item)->hash;
}

/* A `struct wanted` stands where table_find() hands a key on. */
static bool is_wanted(const void *item, struct slice as_key)
{
    const struct named_key *k = item;
    struct wanted wanted;

    memcpy(&wanted, as_key.ptr, sizeof(wanted));
    return k->db == wanted.db && slice_eq(named_key_name(k), wanted.key);
}

static struct named_key *find(const struct table *t, int db, struct slice key, uint64_t hash,
                              struct table_place *place)
{
    struct wanted wanted = {db, key};

    return table_find(t, hash, slice_make((const char *)&wanted, sizeof(wanted)), is_wanted, place);
}

struct named_key *named_keys_find(const struct table *t, int db, struct slice key, uint64_t hash)
{
    struct table_place place;

    return t ? find(t, db, key, hash, &place) : NULL;
}

struct named_key *named_keys_add(struct table **t, size_t size, int db, struct slice key,
                                 uint64_t hash)
{
    struct named_key *k = mem_zalloc(size + key.len);
    char *name = (char *)k + size;

    memcpy(name, key.ptr, key.len);
    *k = (struct named_key){.hash = hash, .db = db, .len = (uint32_t)key.len, .name = name};
    if (!*t)
        *t = mem_zalloc(sizeof(**t));
    table_insert(*t, hash, k, hash_of);
    return k;
}

void named_keys_drop(struct table **t, struct named_key *k)
{
    struct table_place place;

    find(*t, k->db, named_key_name(k), k->hash, &place);
    table_remove(*t, place, k->hash, hash_of);
    mem_free(k);
    if ((*t)->count)
        return;
    table_release(*t);
    mem_free(*t);
    *t = NULL;
}
