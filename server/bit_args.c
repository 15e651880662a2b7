/* Positions of bits, see bit_args.h. */
#include "server/bit_args.h"

#include "server/reply.h"

bool bit_args_offset(struct call *c, int i, unsigned unit, uint64_t *out)
{
    struct slice s = call_arg(c, i);
    bool counted = unit && s.len && s.ptr[0] == '#';
    int64_t offset;

    if (!num_parse_int(slice_make(s.ptr + counted, s.len - counted), &offset) ||
        __builtin_mul_overflow(offset, counted ? (int64_t)unit : 1, &offset) || offset < 0 ||
        (uint64_t)offset / 8 >= (uint64_t)c->conf->proto_max_bulk_len) {
        reply_error(c, "ERR bit offset is not an integer or out of range");
        return false;
    }
    *out = (uint64_t)offset;
    return true;
}
