/* The table of value types, see value_types.h. */
#include "storage/value_types.h"

#include "storage/long_save.h"
#include "storage/string.h"
#include "storage/type_hash.h"
#include "storage/type_list.h"
#include "storage/type_set.h"
#include "storage/type_zset.h"
#include "storage/zset_large.h"

static struct digest string_digest(const struct entry *e)
{
    char digits[NUM_INT_MAX];

    return digest_bytes(string_value(e, digits), 0);
}

static const struct table *table_of_set(const void *object)
{
    return &((const struct set_table *)object)->table;
}

static const struct table *table_of_hash(const void *object)
{
    return &((const struct field_table *)object)->table;
}

static const struct table *table_of_zset(const void *object)
{
    return &((const struct zset_large *)object)->members;
}

static struct long_save **saving_of_string(void *object)
{
    return &((struct blob *)object)->saving;
}

static struct long_save **saving_of_list(void *object)
{
    return &((struct long_list *)object)->saving;
}

static struct long_save **saving_of_set(void *object)
{
    return &((struct set_table *)object)->saving;
}

static struct long_save **saving_of_hash(void *object)
{
    return &((struct field_table *)object)->saving;
}

static struct long_save **saving_of_zset(void *object)
{
    return &((struct zset_large *)object)->saving;
}

static const struct value_type types[] = {
    [TYPE_STRING] = {.name = "string",
                     .saving = saving_of_string,
                     .encoding = string_encoding,
                     .digest = string_digest},
    [TYPE_LIST] = {.name = "list",
                   .free = long_list_free,
                   .saving = saving_of_list,
                   .effort = long_list_effort,
                   .copy = long_list_copy,
                   .memory = long_list_memory,
                   .encoding = lists_encoding,
                   .digest = lists_digest},
    [TYPE_SET] = {.name = "set",
                  .free = set_free,
                  .saving = saving_of_set,
                  .effort = set_effort,
                  .copy = set_copy,
                  .memory = set_memory,
                  .encoding = set_encoding,
                  .digest = set_digest,
                  .hint = set_hint,
                  .table = table_of_set},
    [TYPE_HASH] = {.name = "hash",
                   .free = hash_free,
                   .saving = saving_of_hash,
                   .effort = hash_effort,
                   .copy = hash_copy,
                   .memory = hash_memory,
                   .encoding = hash_encoding,
                   .digest = hash_digest,
                   .part_time = hash_due,
                   .expire_parts = hash_expire,
                   .is_gone = hash_is_gone,
                   .hint = hash_hint,
                   .table = table_of_hash},
    [TYPE_ZSET] = {.name = "zset",
                   .free = zset_large_free,
                   .saving = saving_of_zset,
                   .effort = zset_large_effort,
                   .copy = zset_large_copy,
                   .memory = zset_large_memory,
                   .encoding = zset_encoding,
                   .digest = zset_digest,
                   .hint = zset_large_hint,
                   .table = table_of_zset},
};

const struct value_type *value_type(enum type type)
{
    return (size_t)type < COUNT_OF(types) && types[type].name ? &types[type] : NULL;
}

const char *value_type_name(enum type type)
{
    return value_type(type)->name;
}

struct long_save **value_saving(enum type type, void *object)
{
    return value_type(type)->saving(object);
}

void value_free(enum type type, void *object)
{
    struct long_save *saving = *value_saving(type, object);

    if (UNLIKELY(saving != NULL))
        long_save_lose(saving);
    value_type(type)->free(object);
}

size_t value_effort(enum type type, const void *object)
{
    return value_type(type)->effort(object);
}

void *value_copy(enum type type, const void *object)
{
    return value_type(type)->copy(object);
}

size_t value_memory(enum type type, const void *object, size_t samples)
{
    return value_type(type)->memory(object, samples);
}

const char *value_encoding(const struct entry *e)
{
    return value_type(e->type)->encoding(e);
}

struct digest value_digest(const struct entry *e)
{
    return value_type(e->type)->digest(e);
}

int64_t value_part_time(const struct entry *e)
{
    return value_type(e->type)->part_time(e);
}

size_t value_expire_parts(struct entry **e, int64_t now_ms, size_t max, bool *gone,
                          const struct part_visitor *who)
{
    return value_type((*e)->type)->expire_parts(e, now_ms, max, gone, who);
}

bool value_is_gone(const struct entry *e, int64_t now_ms)
{
    return value_type(e->type)->is_gone(e, now_ms);
}
