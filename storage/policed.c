/* Keys under policies, see policed.h. */
#include "storage/policed.h"

#include "base/clock.h"
#include "base/mem.h"

enum {
    NS_A_MS = 1000 * 1000,
    MEMORY_SAMPLES = 5,   /* of large collections, as MEMORY USAGE looks at */
    SURVEY_BUCKETS = 256, /* looked at while the shard is locked */
};

/* ---- where things are ----------------------------------------------------------------------- */

/* What an entry holds: the policy's slot, and the index in the roll. */
static uint32_t handle_of(unsigned slot, uint32_t index)
{
    return slot << ROLL_INDEX_BITS | index;
}

static unsigned slot_of(const struct entry *e)
{
    return e->access_or_member >> ROLL_INDEX_BITS;
}

static uint32_t index_of(const struct entry *e)
{
    return e->access_or_member & ROLL_MAX;
}

static struct roll *roll_of(const struct space *s, const struct entry *e)
{
    return s->policed->rolls[slot_of(e)];
}

static struct member *member_of(const struct space *s, const struct entry *e)
{
    return roll_at(roll_of(s, e), index_of(e));
}

uint32_t *policed_access(const struct space *s, const struct entry *e)
{
    return &member_of(s, e)->access;
}

struct policy *policed_policy(const struct keyspace *ks, const struct entry *e)
{
    return e->policed ? ks->policies->slots[slot_of(e)] : NULL;
}

/* No two entries of a table hold the same. */
static bool has_handle(const void *item, struct slice handle)
{
    const struct entry *e = item;

    return e->policed && memcmp(&e->access_or_member, handle.ptr, handle.len) == 0;
}

static struct found find_member(const struct space *s, uint64_t hash, uint32_t handle)
{
    struct slice as_key = slice_make((const char *)&handle, sizeof(handle));
    struct found f;

    f.entry = table_find(&s->table, hash, as_key, has_handle, &f.place);
    INVARIANT(f.entry);
    return f;
}

static struct policed *need_policed(struct space *s)
{
    if (UNLIKELY(!s->policed))
        s->policed = mem_zalloc(sizeof(*s->policed));
    return s->policed;
}

static struct roll *find_roll(const struct space *s, unsigned slot)
{
    return s->policed && slot < s->policed->rolls_len ? s->policed->rolls[slot] : NULL;
}

static struct roll *need_roll(struct space *s, unsigned slot)
{
    struct policed *p = need_policed(s);

    if (UNLIKELY(slot >= p->rolls_len)) {
        p->rolls = mem_realloc(p->rolls, (slot + 1) * sizeof(struct roll *));
        memset(p->rolls + p->rolls_len, 0, (slot + 1 - p->rolls_len) * sizeof(struct roll *));
        p->rolls_len = slot + 1;
    }
    if (UNLIKELY(!p->rolls[slot])) {
        p->rolls[slot] = mem_zalloc_lines(sizeof(struct roll));
        roll_init(p->rolls[slot]);
    }
    return p->rolls[slot];
}

void policed_free(struct policed *p)
{
    for (unsigned slot = 0; p && slot < p->rolls_len; slot++) {
        if (p->rolls[slot])
            roll_release(p->rolls[slot]);
        mem_free(p->rolls[slot]);
    }
    if (p)
        mem_free(p->rolls);
    mem_free(p);
}

size_t policed_memory(const struct policed *p)
{
    size_t bytes = p ? sizeof(*p) + p->rolls_len * sizeof(struct roll *) : 0;

    for (unsigned slot = 0; p && slot < p->rolls_len; slot++)
        bytes += p->rolls[slot] ? roll_memory(p->rolls[slot]) : 0;
    return bytes;
}

/* ---- coming and going ----------------------------------------------------------------------- */

static void note_least_use(struct herd *herd, unsigned shard, const struct roll *r)
{
    uint64_t least = roll_least_use(r);

    if (least != atomic_load_explicit(&herd->least_use[shard], memory_order_relaxed))
        atomic_store_explicit(&herd->least_use[shard], least, memory_order_relaxed);
}

static void put_under(struct keyspace *ks, int db, uint64_t hash, struct entry *e,
                      const struct policy *policy, struct member m)
{
    struct roll *r = need_roll(keyspace_space(ks, db, shard_of(hash)), policy->slot);
    struct herd *herd = policy_need_herd(policy, db);
    uint32_t i;

    if (UNLIKELY(r->count == ROLL_MAX))
        return;
    if (UNLIKELY(policy->rules.max_age_ms && !r->by_change))
        roll_order_by_change(r);
    i = roll_add(r, m);
    e->access_or_member = handle_of(policy->slot, i);
    e->policed = 1;
    atomic_fetch_add(&herd->keys, 1);
    note_least_use(herd, shard_of(hash), r);
}

void policed_enter(struct keyspace *ks, int db, uint64_t hash, struct entry *e)
{
    const struct policy *policy = policies_find(ks->policies, entry_key(e));
    uint64_t now;

    if (!policy)
        return;
    now = (uint64_t)clock_mono_ns();
    put_under(ks, db, hash, e, policy,
              (struct member){.hash = hash,
                              .used = now,
                              .changed = now & MEMBER_CHANGED_MAX,
                              .timed = e->has_expiry,
                              .access = e->access_or_member});
}

/* One record moves where many are free, and its entry learns of it. */
static void give_room_back(struct space *s, unsigned slot, struct roll *r)
{
    uint32_t last = roll_excess(r);
    struct found f;

    if (LIKELY(last == ROLL_NONE))
        return;
    f = find_member(s, roll_at(r, last)->hash, handle_of(slot, last));
    f.entry->access_or_member = handle_of(slot, roll_move(r, last));
}

void policed_leave(struct keyspace *ks, int db, uint64_t hash, struct entry *e)
{
    struct space *s = keyspace_space(ks, db, shard_of(hash));
    const struct policy *policy = policed_policy(ks, e);
    struct herd *herd = policy_herd(policy, db);
    struct roll *r = roll_of(s, e);
    uint32_t i = index_of(e);
    const struct member *m = roll_at(r, i);

    e->access_or_member = m->access;
    e->policed = 0;
    atomic_fetch_sub(&herd->keys, 1);
    atomic_fetch_sub(&herd->memory, m->memory);
    roll_remove(r, i);
    give_room_back(s, policy->slot, r);
    note_least_use(herd, shard_of(hash), r);
}

void policed_succeed(struct keyspace *ks, int db, uint64_t hash, const struct entry *old,
                     struct entry *fresh)
{
    *policed_access(keyspace_space(ks, db, shard_of(hash)), old) = fresh->access_or_member;
    fresh->access_or_member = old->access_or_member;
    fresh->policed = 1;
}

/* ---- use and change ------------------------------------------------------------------------- */

void policed_used(struct keyspace *ks, int db, unsigned shard, const struct entry *e)
{
    roll_used(roll_of(keyspace_space(ks, db, shard), e), index_of(e), (uint64_t)clock_mono_ns());
}

/* When it ends, in nanoseconds. */
static uint64_t end_of(const struct policy_rules *rules, const struct member *m)
{
    uint64_t idle = ROLL_NEVER, age = ROLL_NEVER;

    if (m->timed)
        return ROLL_NEVER;
    if (rules->idle_ms)
        idle = m->used + (uint64_t)rules->idle_ms * NS_A_MS;
    if (rules->max_age_ms)
        age = m->changed + (uint64_t)rules->max_age_ms * NS_A_MS;
    return idle < age ? idle : age;
}

/* Never sooner: a millisecond begun counts as one. */
static int64_t in_ms(uint64_t ns)
{
    return ns == ROLL_NEVER ? INT64_MAX : (int64_t)((ns + NS_A_MS - 1) / NS_A_MS);
}

static uint64_t end_of_entry(const struct keyspace *ks, int db, unsigned shard,
                             const struct entry *e)
{
    return end_of(&policed_policy(ks, e)->rules, member_of(keyspace_space(ks, db, shard), e));
}

int64_t policed_due(const struct keyspace *ks, int db, unsigned shard, const struct entry *e)
{
    return in_ms(end_of_entry(ks, db, shard, e));
}

int64_t policed_left(const struct keyspace *ks, int db, unsigned shard, const struct entry *e)
{
    uint64_t end = end_of_entry(ks, db, shard, e), now = (uint64_t)clock_mono_ns();

    if (end == ROLL_NEVER)
        return INT64_MAX;
    return end > now ? (int64_t)((end - now) / NS_A_MS) : 0;
}

static bool note_due(struct keyspace *ks, unsigned shard, int64_t due)
{
    if (due >= atomic_load_explicit(&ks->policies->due[shard], memory_order_relaxed))
        return false;
    atomic_store_explicit(&ks->policies->due[shard], due, memory_order_relaxed);
    return true;
}

static void charge(struct herd *herd, struct member *m, const struct entry *e)
{
    size_t bytes = keyspace_footprint(e, MEMORY_SAMPLES);
    uint32_t units = (uint32_t)((bytes + ROLL_MEMORY_UNIT - 1) / ROLL_MEMORY_UNIT);

    if (units == m->memory)
        return;
    atomic_fetch_add(&herd->memory, (int64_t)units - m->memory);
    m->memory = units;
}

struct policed_change policed_changed(struct keyspace *ks, int db, unsigned shard,
                                      const struct entry *e)
{
    struct roll *r = roll_of(keyspace_space(ks, db, shard), e);
    struct policy *policy = policed_policy(ks, e);
    struct herd *herd = policy_herd(policy, db);
    struct member *m = roll_at(r, index_of(e));
    int64_t due;

    charge(herd, m, e);
    roll_changed(r, index_of(e), (uint64_t)clock_mono_ns(), e->has_expiry);
    note_least_use(herd, shard, r);
    due = in_ms(end_of(&policy->rules, m));
    return (struct policed_change){
        .due = note_due(ks, shard, due) ? due : INT64_MAX,
        .policy = herd_overfull(policy, herd) ? policy : NULL,
    };
}

/* ---- ending --------------------------------------------------------------------------------- */

/*
 * The member that ends first, and when; if that took too much effort, *sure is false, and the time
 * one that is not later.
 */
static uint64_t first_end(const struct policy_rules *rules, struct roll *r, uint32_t *i, bool *sure)
{
    uint64_t idle = ROLL_NEVER, aged = ROLL_NEVER;
    uint32_t aged_i = ROLL_NONE;
    bool aged_sure = true;

    *sure = true;
    *i = ROLL_NONE;
    if (rules->idle_ms)
        *sure = roll_oldest(r, ROLL_BY_USE, i, &idle);
    if (rules->max_age_ms) {
        roll_order_by_change(r);
        aged_sure = roll_oldest(r, ROLL_BY_CHANGE, &aged_i, &aged);
    }
    idle = idle == ROLL_NEVER ? idle : idle + (uint64_t)rules->idle_ms * NS_A_MS;
    aged = aged == ROLL_NEVER ? aged : aged + (uint64_t)rules->max_age_ms * NS_A_MS;
    if (aged >= idle)
        return idle;
    *i = aged_i;
    *sure = aged_sure;
    return aged;
}

bool policed_ended(struct keyspace *ks, int db, unsigned shard, int64_t now_ms, unsigned *slot,
                   int64_t *next, struct found *f, uint64_t *hash)
{
    const struct space *s = keyspace_space(ks, db, shard);

    for (; s->policed && *slot < s->policed->rolls_len; ++*slot) {
        struct roll *r = s->policed->rolls[*slot];
        uint32_t i;
        int64_t at;
        bool sure;

        if (!r || !r->count)
            continue;
        at = in_ms(first_end(&ks->policies->slots[*slot]->rules, r, &i, &sure));
        if (at <= now_ms && sure) {
            *hash = roll_at(r, i)->hash;
            *f = find_member(s, *hash, handle_of(*slot, i));
            return true;
        }
        *next = at < *next ? at : *next;
    }
    return false;
}

bool policed_least_used(struct keyspace *ks, int db, unsigned shard, const struct policy *policy,
                        uint64_t before, struct found *f, uint64_t *hash)
{
    const struct space *s = keyspace_space(ks, db, shard);
    struct roll *r = find_roll(s, policy->slot);
    uint64_t at;
    uint32_t i;
    bool found;

    if (!r || !r->count)
        return false;
    found = roll_least_used(r, &i, &at) && at <= before;
    note_least_use(policy_herd(policy, db), shard, r);
    if (!found)
        return false;
    *hash = roll_at(r, i)->hash;
    *f = find_member(s, *hash, handle_of(policy->slot, i));
    return true;
}

/* ---- the survey ----------------------------------------------------------------------------- */

/* Keys that are to come under another policy than the one they are under. */
struct survey {
    struct keyspace *ks;
    int db;
    unsigned shard;
    policed_used_fn *used;
    void *opaque;
    struct member *found;     /* what is known of each; */
    struct policy **policies; /* and where it belongs, NULL for none */
    uint32_t len, cap;
};

static void note_found(struct survey *v, struct member m, struct policy *policy)
{
    if (v->len == v->cap) {
        v->cap = v->cap ? v->cap * 2 : 64;
        v->found = mem_realloc(v->found, v->cap * sizeof(*v->found));
        v->policies = mem_realloc(v->policies, v->cap * sizeof(struct policy *));
    }
    v->found[v->len] = m;
    v->policies[v->len++] = policy;
}

/* When it was changed is not known of a key under no policy, but not after its last use. */
static void look_at(void *item, void *opaque)
{
    struct entry *e = item;
    struct survey *v = opaque;
    struct policy *belongs = policies_find(v->ks->policies, entry_key(e));
    struct member m;

    if (belongs == policed_policy(v->ks, e))
        return;
    if (e->policed) {
        m = *member_of(keyspace_space(v->ks, v->db, v->shard), e);
    } else {
        m = (struct member){.hash = entry_hash(e), .access = e->access_or_member};
        m.used = v->used(e, v->opaque);
        m.changed = m.used & MEMBER_CHANGED_MAX;
        m.timed = e->has_expiry;
    }
    note_found(v, m, belongs);
}

static void apply(const struct survey *v)
{
    const struct space *s = keyspace_space(v->ks, v->db, v->shard);

    for (uint32_t i = 0; i < v->len; i++) {
        struct member *m = &v->found[i];
        const struct policy *policy = v->policies[i];
        struct entry *e = space_find_hash(s, m->hash).entry;

        if (e->policed)
            policed_leave(v->ks, v->db, m->hash, e);
        if (!policy)
            continue;
        m->memory = 0;
        put_under(v->ks, v->db, m->hash, e, policy, *m);
        if (!e->policed)
            continue;
        m = member_of(s, e);
        charge(policy_herd(policy, v->db), m, e);
        note_due(v->ks, v->shard, in_ms(end_of(&policy->rules, m)));
    }
    mem_free(v->found);
    mem_free(v->policies);
}

bool policed_survey(struct keyspace *ks, int db, unsigned shard, policed_used_fn *used,
                    void *opaque)
{
    struct space *s = keyspace_space(ks, db, shard);
    struct policed *p = need_policed(s);
    struct survey v = {.ks = ks, .db = db, .shard = shard, .used = used, .opaque = opaque};

    if (p->generation == ks->policies->generation)
        return true;
    if (p->surveying != ks->policies->generation) {
        p->surveying = ks->policies->generation;
        p->cursor = 0;
    }
    for (int n = 0; n < SURVEY_BUCKETS; n++) {
        p->cursor = s->table.count ? table_scan(&s->table, p->cursor, look_at, &v) : 0;
        if (!p->cursor) {
            p->generation = p->surveying;
            break;
        }
    }
    apply(&v);
    return p->generation == ks->policies->generation;
}
