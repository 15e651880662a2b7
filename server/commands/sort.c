/*
 * SORT and SORT_RO. A copy of the elements is sorted, since patterns of BY may be removing expired
 * keys, and the destination may be the list itself.
 */
#include "base/mem.h"
#include "base/ordering.h"
#include "server/backend/fetching.h"
#include "server/commands/lists.h"
#include "server/reply.h"
#include "server/sort_args.h"
#include "server/sort_pattern.h"
#include "storage/type_set.h"
#include "storage/type_zset.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Bytes within the copy, with a NUL behind them. */
struct text {
    size_t at, len;
};

struct item {
    struct text text;
    struct text weight; /* of ALPHA with BY; at NO_WEIGHT if there is none */
    double score;       /* without ALPHA */
};

#define NO_WEIGHT SIZE_MAX

struct sorting {
    struct sort_options o;
    struct buf bytes; /* the copy of elements, weights and results */
    struct buf name;  /* of the key that is looked for */
    struct item *items;
    size_t len;
    size_t first, wanted; /* what is asked for: from this place on, so many */
    void **order;         /* items */
};

static void sorting_release(struct sorting *s)
{
    sort_options_release(&s->o);
    buf_release(&s->bytes);
    buf_release(&s->name);
    mem_free(s->items);
    mem_free(s->order);
}

static struct text keep(struct sorting *s, struct slice bytes)
{
    struct text t = {s->bytes.len, bytes.len};

    buf_append_slice(&s->bytes, bytes);
    buf_append_char(&s->bytes, '\0');
    return t;
}

static struct slice text_slice(const struct sorting *s, struct text t)
{
    return slice_make(s->bytes.ptr + t.at, t.len);
}

/* ---- elements -------------------------------------------------------------------------------- */

static uint64_t count_elements(const struct entry *e)
{
    if (!e)
        return 0;
    return e->type == TYPE_LIST ? lists_len(e) : e->type == TYPE_SET ? set_count(e) : zset_len(e);
}

static void add_item(struct sorting *s, struct slice element)
{
    s->items[s->len++] = (struct item){.text = keep(s, element)};
}

static void copy_list(struct sorting *s, const struct entry *e, uint64_t first, uint64_t n,
                      bool back)
{
    char digits[NUM_INT_MAX];
    struct list_walk w;

    lists_walk(&w, e, back ? lists_len(e) - 1 - first : first, back);
    while (n--)
        add_item(s, pack_text(lists_walk_next(&w), digits));
}

static void copy_set(struct sorting *s, const struct entry *e)
{
    struct set_walk w = set_walk(e);
    char digits[NUM_INT_MAX];
    struct set_member m;

    while (set_walk_next(&w, &m))
        add_item(s, set_member_text(&m, digits));
}

static void copy_zset(struct sorting *s, const struct entry *e, uint64_t first, uint64_t n,
                      bool back)
{
    struct zset_iter it;

    zset_iter_begin(&it, e, back ? zset_len(e) - 1 - first : first, back);
    while (n-- && zset_iter_next(&it))
        add_item(s, it.member);
}

/* What LIMIT means for `len` elements. */
static void bound(struct sorting *s, uint64_t len)
{
    uint64_t from = s->o.offset < 0 ? 0 : (uint64_t)s->o.offset;

    s->first = from < len ? from : len;
    s->wanted = len - s->first;
    if (s->o.count >= 0 && (uint64_t)s->o.count < s->wanted)
        s->wanted = (size_t)s->o.count;
}

/*
 * Of what has an order and keeps it only the part that is wanted, from its end if it is to be
 * descending.
 */
static void copy_elements(struct sorting *s, const struct entry *e)
{
    uint64_t n = count_elements(e), from = 0;
    bool ordered = s->o.unsorted && e && e->type != TYPE_SET;

    bound(s, n);
    if (ordered) {
        from = s->first;
        n = s->wanted;
        s->first = 0;
    }
    s->items = mem_alloc((n + 1) * sizeof(*s->items));
    if (!n)
        return;
    if (e->type == TYPE_LIST)
        copy_list(s, e, from, n, ordered && s->o.descending);
    else if (e->type == TYPE_SET)
        copy_set(s, e);
    else
        copy_zset(s, e, from, n, ordered && s->o.descending);
}

/* ---- what they are sorted by ----------------------------------------------------------------- */

/* A number as strtod() reads it, up to the first NUL. False if it is none. */
static bool read_score(const char *text, double *out)
{
    char *end;

    errno = 0;
    *out = strtod(text, &end);
    return *end == '\0' && errno != ERANGE && !isnan(*out);
}

static bool weigh(struct call *c, struct sorting *s, struct item *item,
                  const struct sort_pattern *by)
{
    struct slice found = text_slice(s, item->text);
    struct text weight = item->text;
    char digits[NUM_INT_MAX];
    bool right = true;

    item->weight.at = NO_WEIGHT;
    if (by) {
        if (!sort_pattern_find(c, by, found, &s->name, digits, &found))
            return true;
        weight = keep(s, found);
    }
    item->weight = weight;
    if (!s->o.alpha)
        right = read_score(s->bytes.ptr + weight.at, &item->score);
    if (by && !s->o.alpha)
        s->bytes.len = weight.at; /* the number is all that is needed */
    return right;
}

/* False, and answered, if something is no number. All are looked at, as all keys are looked up. */
static bool weigh_all(struct call *c, struct sorting *s)
{
    struct sort_pattern by;
    bool right = true;

    if (s->o.unsorted)
        return true;
    if (s->o.by)
        by = sort_pattern(call_arg(c, s->o.by));
    for (size_t i = 0; i < s->len; i++)
        right = weigh(c, s, &s->items[i], s->o.by ? &by : NULL) && right;
    if (!right)
        reply_error(c, "ERR One or more scores can't be converted into double");
    return right;
}

/* ---- sorting --------------------------------------------------------------------------------- */

/* As the locale has it, but what is stored must not depend on that. */
static int compare_texts(const struct sorting *s, struct text a, struct text b)
{
    if (s->o.store)
        return slice_cmp(text_slice(s, a), text_slice(s, b));
    return strcoll(s->bytes.ptr + a.at, s->bytes.ptr + b.at);
}

static int compare(const void *left, const void *right, void *arg)
{
    const struct item *a = left, *b = right;
    const struct sorting *s = arg;
    int sign;

    if (!s->o.alpha) {
        sign = (a->score > b->score) - (a->score < b->score);
        if (!sign)
            sign = slice_cmp(text_slice(s, a->text), text_slice(s, b->text));
    } else if (a->weight.at == NO_WEIGHT || b->weight.at == NO_WEIGHT) {
        sign = (b->weight.at == NO_WEIGHT) - (a->weight.at == NO_WEIGHT);
    } else {
        sign = compare_texts(s, a->weight, b->weight);
    }
    return s->o.descending ? -sign : sign;
}

/* With BY, equal elements come in the order of the algorithm, which is another one for a part. */
static void sort(struct sorting *s)
{
    s->order = mem_alloc((s->len + 1) * sizeof(*s->order));
    for (size_t i = 0; i < s->len; i++)
        s->order[i] = &s->items[i];
    if (s->o.unsorted || !s->wanted)
        return;
    if (s->wanted == s->len || (s->o.alpha && !s->o.by))
        ordering_sort(s->order, s->len, compare, s);
    else
        ordering_sort_part(s->order, s->len, s->first, s->first + s->wanted - 1, compare, s);
}

/* ---- results --------------------------------------------------------------------------------- */

static struct slice element_at(const struct sorting *s, size_t i)
{
    const struct item *item = s->order[s->first + i];

    return text_slice(s, item->text);
}

static struct sort_pattern *read_patterns(struct call *c, const struct sorting *s)
{
    struct sort_pattern *p = mem_alloc(((size_t)s->o.gets_len + 1) * sizeof(*p));

    for (int k = 0; k < s->o.gets_len; k++)
        p[k] = sort_pattern(call_arg(c, s->o.gets[k]));
    return p;
}

static void reply_patterns(struct call *c, struct sorting *s)
{
    struct sort_pattern *p = read_patterns(c, s);
    char digits[NUM_INT_MAX];
    struct slice value;

    reply_array(c, (int64_t)s->wanted * s->o.gets_len);
    for (size_t i = 0; i < s->wanted; i++) {
        for (int k = 0; k < s->o.gets_len; k++) {
            if (sort_pattern_find(c, &p[k], element_at(s, i), &s->name, digits, &value))
                reply_bulk(c, value);
            else
                reply_null(c);
        }
    }
    mem_free(p);
}

static void reply_sorted(struct call *c, struct sorting *s)
{
    if (s->o.gets_len) {
        reply_patterns(c, s);
        return;
    }
    reply_array(c, (int64_t)s->wanted);
    for (size_t i = 0; i < s->wanted; i++)
        reply_bulk(c, element_at(s, i));
}

/* All results as texts of the copy; what is missing is empty. */
static void keep_results(struct call *c, struct sorting *s, struct text *out)
{
    struct sort_pattern *p = read_patterns(c, s);
    char digits[NUM_INT_MAX];
    struct slice value;

    for (size_t i = 0; i < s->wanted; i++) {
        if (!s->o.gets_len)
            *out++ = ((const struct item *)s->order[s->first + i])->text;
        for (int k = 0; k < s->o.gets_len; k++) {
            bool found = sort_pattern_find(c, &p[k], element_at(s, i), &s->name, digits, &value);

            *out++ = p[k].is_element ? ((const struct item *)s->order[s->first + i])->text
                                     : keep(s, found ? value : SLICE(""));
        }
    }
    mem_free(p);
}

/* What is equal may come in another order the next time. */
static void log_stored(struct call *c, int i, const struct slice *values, size_t n)
{
    enum { VALUES_A_RECORD = 1024 };

    CALL_LOG(c, SLICE("DEL"), call_arg(c, i));
    while (n && call_logs(c)) {
        size_t some = n < VALUES_A_RECORD ? n : VALUES_A_RECORD;

        call_log_begin(c, SLICE("RPUSH"), 2 + (int)some);
        call_log_arg(c, call_arg(c, i));
        for (size_t k = 0; k < some; k++)
            call_log_arg(c, values[k]);
        values += some;
        n -= some;
    }
}

static void store(struct call *c, struct sorting *s)
{
    size_t n = s->wanted * (s->o.gets_len ? (size_t)s->o.gets_len : 1);
    struct text *texts = mem_alloc((n + 1) * sizeof(*texts));
    struct slice *values = mem_alloc((n + 1) * sizeof(*values));

    keep_results(c, s, texts);
    for (size_t i = 0; i < n; i++)
        values[i] = text_slice(s, texts[i]);
    if (n) {
        call_put(c, s->o.store,
                 lists_new(call_arg(c, s->o.store), LIST_TAIL, values, n, list_limits_of(c)));
        call_changed(c, s->o.store, EVENT_SORTSTORE);
        call_counts_as(c, (int64_t)n);
        log_stored(c, s->o.store, values, n);
    } else {
        call_emptied(c, s->o.store);
    }
    reply_int(c, (int64_t)n);
    mem_free(values);
    mem_free(texts);
}

/* ---- commands -------------------------------------------------------------------------------- */

static bool find_source(struct call *c, struct entry **e)
{
    if (!call_find(c, 1, TYPE_ANY, e))
        return false;
    if (!*e || (*e)->type == TYPE_LIST || (*e)->type == TYPE_SET || (*e)->type == TYPE_ZSET)
        return true;
    reply_error(c, "WRONGTYPE Operation against a key holding the wrong kind of value");
    return false;
}

/* Redis sorts no packed ones, and the encoding tells. */
static void enlarge_zset(struct call *c, struct entry **e)
{
    if (!*e || (*e)->type != TYPE_ZSET)
        return;
    *e = zset_enlarge(*e);
    call_moved(c, 1, *e);
}

/* A set has no order of its own that could be stored, so it gets one. */
static void order_sets(struct sort_options *o, const struct entry *e)
{
    if (!o->unsorted || !o->store || !e || e->type != TYPE_SET)
        return;
    o->unsorted = false;
    o->alpha = true;
    o->by = 0;
}

static void run(struct call *c, bool read_only)
{
    struct sorting s = {0};
    struct entry *e;

    if (sort_options_read(c, read_only, &s.o) && find_source(c, &e) && !fetching_lacks_named(c)) {
        enlarge_zset(c, &e);
        order_sets(&s.o, e);
        copy_elements(&s, e);
        if (weigh_all(c, &s)) {
            sort(&s);
            if (s.o.store)
                store(c, &s);
            else
                reply_sorted(c, &s);
        }
    }
    sorting_release(&s);
}

/*
 * SORT key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]
 *     [STORE destination]
 */
void cmd_sort(struct call *c)
{
    run(c, false);
}

/* SORT_RO key …, as above without STORE. */
void cmd_sort_ro(struct call *c)
{
    run(c, true);
}
