/* Arguments of commands on sorted sets, see zset_args.h. */
#include "server/zset_args.h"

#include "base/mem.h"
#include "server/reply.h"

#include <math.h>
#include <stdlib.h>

/* Leniently, up to a NUL, with blanks in front; "" is 0. */
static bool parse_score(struct slice s, double *out)
{
    char quick[64], *text = s.len < sizeof(quick) ? quick : mem_alloc(s.len + 1), *end;
    bool whole;

    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    *out = strtod(text, &end);
    whole = *end == '\0';
    if (text != quick)
        mem_free(text);
    return whole && !isnan(*out);
}

/* "1.5", "(1.5": at its upper end a range goes to behind the score, unless that is excluded. */
static bool parse_score_cut(struct slice s, bool is_max, struct zset_cut *cut)
{
    bool excluded = s.len && s.ptr[0] == '(';

    *cut = (struct zset_cut){.by = ZSET_BY_SCORE, .behind = is_max != excluded};
    return parse_score(slice_make(s.ptr + excluded, s.len - excluded), &cut->score);
}

/* "-", "+", "[member", "(member". */
static bool parse_member_cut(struct slice s, bool is_max, struct zset_cut *cut)
{
    char kind = s.len ? s.ptr[0] : '\0';

    *cut = (struct zset_cut){.by = ZSET_BY_MEMBER};
    if (kind == '-' || kind == '+') {
        cut->edge = kind == '-' ? ZSET_BEFORE_ALL : ZSET_BEHIND_ALL;
        return s.len == 1 || s.ptr[1] == '\0';
    }
    cut->behind = is_max != (kind == '(');
    cut->member = slice_make(s.ptr + 1, s.len - 1);
    return kind == '(' || kind == '[';
}

static bool read_cuts(struct call *c, int min, int max, struct zset_range *out)
{
    bool by_score = out->by == ZSET_RANGE_SCORE;
    bool (*parse)(struct slice, bool, struct zset_cut *) =
        by_score ? parse_score_cut : parse_member_cut;

    if (parse(call_arg(c, min), false, &out->min) && parse(call_arg(c, max), true, &out->max))
        return true;
    reply_error(c, "%s",
                by_score ? "ERR min or max is not a float"
                         : "ERR min or max not valid string range item");
    return false;
}

bool zset_range_read(struct call *c, enum zset_range_by by, int min, int max,
                     struct zset_range *out)
{
    out->by = by;
    if (by == ZSET_RANGE_RANK)
        return call_int(c, min, &out->first) && call_int(c, max, &out->last);
    return read_cuts(c, min, max, out);
}

/* An end of a range by rank, as a place from 0 to `len`. */
static uint64_t place_of(int64_t end, uint64_t len)
{
    if (end >= 0)
        return (uint64_t)end < len ? (uint64_t)end : len;
    return 0 - (uint64_t)end > len ? 0 : len - (0 - (uint64_t)end);
}

static struct zset_span find_ranks(uint64_t len, int64_t first, int64_t last, bool backwards)
{
    bool none = last < 0 && 0 - (uint64_t)last > len;
    uint64_t from = place_of(first, len), to = none ? 0 : place_of(last, len);
    struct zset_span span = {from, to < len && !none ? to + 1 : to};

    if (span.from >= span.to)
        return (struct zset_span){0};
    return backwards ? (struct zset_span){len - span.to, len - span.from} : span;
}

struct zset_span zset_range_find(const struct entry *e, const struct zset_range *r, bool backwards)
{
    struct zset_span span;

    if (r->by == ZSET_RANGE_RANK)
        return find_ranks(zset_len(e), r->first, r->last, backwards);
    span = zset_between(e, &r->min, &r->max, backwards);
    return span.from < span.to ? span : (struct zset_span){0};
}

void zset_store(struct call *c, int i, struct zset_builder *b, enum key_event event)
{
    struct zset_limits limits = zset_limits_of(c->conf);
    struct entry *e;

    reply_int(c, (int64_t)b->n);
    e = zset_builder_take(b, call_arg(c, i), &limits);
    if (!e) {
        call_emptied(c, i);
        return;
    }
    call_put(c, i, e);
    call_changed(c, i, event);
}
