/* Sorted integers, see intset.h. */
#include "storage/intset.h"

static unsigned width_for(int64_t n)
{
    if (n >= INT16_MIN && n <= INT16_MAX)
        return sizeof(int16_t);
    return n >= INT32_MIN && n <= INT32_MAX ? sizeof(int32_t) : sizeof(int64_t);
}

ALWAYS_INLINE int64_t get(const char *at, unsigned width)
{
    int16_t narrow;
    int32_t middle;
    int64_t wide;

    if (width == sizeof(narrow)) {
        memcpy(&narrow, at, sizeof(narrow));
        return narrow;
    }
    if (width == sizeof(middle)) {
        memcpy(&middle, at, sizeof(middle));
        return middle;
    }
    memcpy(&wide, at, sizeof(wide));
    return wide;
}

/* The low bytes come first. */
static void put(char *at, unsigned width, int64_t n)
{
    memcpy(at, &n, width);
}

int64_t intset_at(struct slice bytes, size_t index)
{
    unsigned width = intset_width(bytes);

    return get(bytes.ptr + 1 + index * width, width);
}

/* The first of `count` numbers that is not less than `n`; `width` is known when it is compiled. */
ALWAYS_INLINE size_t lower_bound(const char *numbers, size_t count, unsigned width, int64_t n)
{
    size_t from = 0;

    while (count > 1) {
        size_t half = count / 2;

        from = get(numbers + (from + half - 1) * width, width) < n ? from + half : from;
        count -= half;
    }
    return from + (count && get(numbers + from * width, width) < n);
}

bool intset_find(struct slice bytes, int64_t n, size_t *index)
{
    unsigned width = intset_width(bytes);
    size_t count = intset_count(bytes);
    const char *numbers = bytes.ptr + 1;

    if (width_for(n) > width) {
        *index = n < 0 ? 0 : count;
        return false;
    }
    if (width == sizeof(int16_t))
        *index = lower_bound(numbers, count, sizeof(int16_t), n);
    else if (width == sizeof(int32_t))
        *index = lower_bound(numbers, count, sizeof(int32_t), n);
    else
        *index = lower_bound(numbers, count, sizeof(int64_t), n);
    return *index < count && get(numbers + *index * width, width) == n;
}

bool intset_valid(struct slice bytes)
{
    unsigned width = intset_width(bytes);

    if (width != sizeof(int16_t) && width != sizeof(int32_t) && width != sizeof(int64_t))
        return false;
    if (bytes.len && (bytes.len - 1) % width)
        return false;
    for (size_t i = 1; i < intset_count(bytes); i++) {
        if (intset_at(bytes, i - 1) >= intset_at(bytes, i))
            return false;
    }
    return true;
}

/* ---- changing -------------------------------------------------------------------------------- */

static struct entry *begin(struct entry *e)
{
    char *value;

    e = entry_splice(e, 0, 0, 1, &value);
    *value = sizeof(int16_t);
    return e;
}

/* The last number is moved first, since each one needs more room than it had. */
static struct entry *widen(struct entry *e, unsigned to)
{
    struct slice bytes = entry_bytes(e);
    unsigned from = intset_width(bytes);
    size_t count = intset_count(bytes);
    char *value;

    e = entry_splice(e, bytes.len, 0, count * (to - from), &value);
    for (size_t i = count; i-- > 0;)
        put(value + 1 + i * to, to, get(value + 1 + i * from, from));
    *value = (char)to;
    return e;
}

struct entry *intset_insert(struct entry *e, size_t index, int64_t n)
{
    unsigned width = width_for(n);
    char *value;

    if (!entry_bytes(e).len)
        e = begin(e);
    if (width > intset_width(entry_bytes(e)))
        e = widen(e, width);
    width = intset_width(entry_bytes(e));
    e = entry_splice(e, 1 + index * width, 0, width, &value);
    put(value + 1 + index * width, width, n);
    return e;
}

struct entry *intset_remove(struct entry *e, size_t index)
{
    unsigned width = intset_width(entry_bytes(e));
    char *value;

    return entry_splice(e, 1 + index * width, width, 0, &value);
}
