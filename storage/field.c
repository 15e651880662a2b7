/* Fields of large hashes, see field.h. */
#include "storage/field.h"

#include "base/mem.h"
#include "storage/hash.h"

uint64_t field_hash(const void *item)
{
    return hash_bytes(field_name(item));
}

size_t field_size(const struct field *f)
{
    return sizeof(*f) + field_name_offset(f) + field_name_len(f) + field_value_len(f);
}

static struct field header_of(struct slice name, struct slice value, int64_t time)
{
    struct field f = {0};

    f.has_time = time != EXPIRY_NONE;
    f.long_name = name.len > UINT8_MAX;
    f.long_value = value.len > UINT16_MAX;
    f.name_len = f.long_name ? 0 : (uint8_t)name.len;
    f.value_len = f.long_value ? 0 : (uint16_t)value.len;
    return f;
}

struct field *field_new(struct slice name, struct slice value, int64_t time)
{
    struct field header = header_of(name, value, time), *f;
    uint32_t name_len = (uint32_t)name.len, value_len = (uint32_t)value.len;
    char *at;

    f = mem_alloc(sizeof(*f) + field_name_offset(&header) + name.len + value.len);
    *f = header;
    at = f->data;
    if (f->has_time) {
        field_set_time(f, time);
        at += FIELD_TIME_BYTES + FIELD_PLACE_BYTES;
    }
    if (f->long_name)
        at = (char *)memcpy(at, &name_len, sizeof(name_len)) + sizeof(name_len);
    if (f->long_value)
        at = (char *)memcpy(at, &value_len, sizeof(value_len)) + sizeof(value_len);
    if (name.len)
        memcpy(at, name.ptr, name.len);
    if (value.len)
        memcpy(at + name.len, value.ptr, value.len);
    return f;
}

void field_free(struct field *f)
{
    mem_free_sized(f, field_size(f));
}

bool field_overwrite(struct field *f, struct slice value)
{
    size_t size = field_size(f), other = size - field_value_len(f) + value.len;

    if (f->long_value || value.len > UINT16_MAX ||
        (size != other && mem_good_size(size) != mem_good_size(other)))
        return false;
    f->value_len = (uint16_t)value.len;
    if (value.len)
        memcpy(f->data + field_name_offset(f) + field_name_len(f), value.ptr, value.len);
    return true;
}
