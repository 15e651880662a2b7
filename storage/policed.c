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

static void note_least_use(const struct policy *policy, int db, unsigned shard,
                           const struct roll *r)
{
    atomic_store_explicit(&policy_herd(policy, db)->least_use[shard], roll_least_use(r),
                          memory_order_relaxed);
}

static bool is_oldest(const struct member *m)
{
    return m->use.older == ROLL_NONE;
}

void policed_enter(struct keyspace *ks, int db, uint64_t hash, struct entry *e)
{
    struct policy *policy = policies_find(ks->policies, entry_key(e));
    struct roll *r;
    uint32_t i;

    if (!policy)
        return;
    r = need_roll(keyspace_space(ks, db, shard_of(hash)), policy->slot);
    if (UNLIKELY(r->count == ROLL_MAX))
        return;
    i = roll_add(r, hash, (uint64_t)clock_mono_ns(), e->has_expiry);
    roll_at(r, i)->access = e->access_or_member;
    e->access_or_member = handle_of(policy->slot, i);
    e->policed = 1;
    atomic_fetch_add(&policy_need_herd(policy, db)->keys, 1);
    if (is_oldest(roll_at(r, i)))
        note_least_use(policy, db, shard_of(hash), r);
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
    struct policy *policy = policed_policy(ks, e);
    struct herd *herd = policy_herd(policy, db);
    struct roll *r = roll_of(s, e);
    uint32_t i = index_of(e);
    struct member *m = roll_at(r, i);
    bool oldest = is_oldest(m);

    e->access_or_member = m->access;
    e->policed = 0;
    atomic_fetch_sub(&herd->keys, 1);
    atomic_fetch_sub(&herd->memory, m->memory);
    roll_remove(r, i);
    give_room_back(s, policy->slot, r);
    if (oldest)
        note_least_use(policy, db, shard_of(hash), r);
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
    struct roll *r = roll_of(keyspace_space(ks, db, shard), e);
    bool oldest = is_oldest(roll_at(r, index_of(e)));

    r->hits++;
    roll_used(r, index_of(e), (uint64_t)clock_mono_ns());
    if (oldest)
        note_least_use(policed_policy(ks, e), db, shard, r);
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
    bool was_oldest = is_oldest(m);
    int64_t due;

    charge(herd, m, e);
    roll_changed(r, index_of(e), (uint64_t)clock_mono_ns(), e->has_expiry);
    if (was_oldest || is_oldest(m))
        note_least_use(policy, db, shard, r);
    due = in_ms(end_of(&policy->rules, m));
    return (struct policed_change){
        .due = note_due(ks, shard, due) ? due : INT64_MAX,
        .policy = herd_overfull(policy, herd) ? policy : NULL,
    };
}

/* ---- ending --------------------------------------------------------------------------------- */

static uint64_t earlier_end(const struct policy_rules *rules, const struct roll *r, uint32_t *which)
{
    uint32_t idle = rules->idle_ms ? roll_oldest(r, ROLL_BY_USE) : ROLL_NONE;
    uint32_t aged = rules->max_age_ms ? roll_oldest(r, ROLL_BY_CHANGE) : ROLL_NONE;
    uint64_t idle_end = idle == ROLL_NONE ? ROLL_NEVER : end_of(rules, roll_at(r, idle));
    uint64_t aged_end = aged == ROLL_NONE ? ROLL_NEVER : end_of(rules, roll_at(r, aged));

    *which = idle_end <= aged_end ? idle : aged;
    return idle_end <= aged_end ? idle_end : aged_end;
}

bool policed_ended(struct keyspace *ks, int db, unsigned shard, int64_t now_ms, unsigned *slot,
                   int64_t *next, struct found *f, uint64_t *hash)
{
    const struct space *s = keyspace_space(ks, db, shard);

    for (; s->policed && *slot < s->policed->rolls_len; ++*slot) {
        const struct roll *r = s->policed->rolls[*slot];
        uint32_t i;
        int64_t at;

        if (!r || !r->count)
            continue;
        at = in_ms(earlier_end(&ks->policies->slots[*slot]->rules, r, &i));
        if (at <= now_ms) {
            *hash = roll_at(r, i)->hash;
            *f = find_member(s, *hash, handle_of(*slot, i));
            return true;
        }
        *next = at < *next ? at : *next;
    }
    return false;
}

bool policed_least_used(struct keyspace *ks, int db, unsigned shard, const struct policy *policy,
                        struct found *f, uint64_t *hash)
{
    const struct space *s = keyspace_space(ks, db, shard);
    const struct roll *r = find_roll(s, policy->slot);
    uint32_t i = r ? roll_least_used(r) : ROLL_NONE;

    if (i == ROLL_NONE)
        return false;
    *hash = roll_at(r, i)->hash;
    *f = find_member(s, *hash, handle_of(policy->slot, i));
    return true;
}

uint64_t policed_hits(const struct space *s, const struct policy *policy)
{
    const struct roll *r = find_roll(s, policy->slot);

    return r ? r->hits : 0;
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
        m.used = m.changed = v->used(e, v->opaque);
        m.timed = e->has_expiry;
    }
    note_found(v, m, belongs);
}

/* Out of the policies that they were under. */
static void take_out(struct survey *v)
{
    const struct space *s = keyspace_space(v->ks, v->db, v->shard);

    for (uint32_t i = 0; i < v->len; i++) {
        struct found f = space_find_hash(s, v->found[i].hash);

        if (f.entry->policed)
            policed_leave(v->ks, v->db, v->found[i].hash, f.entry);
    }
}

/* Those that belong under this policy, from the end of what was found; returns how many. */
static uint32_t gather(struct survey *v, const struct policy *policy, struct member *out)
{
    uint32_t kept = 0, n = 0;

    for (uint32_t i = 0; i < v->len; i++) {
        if (v->policies[i] == policy) {
            out[n++] = v->found[i];
        } else {
            v->found[kept] = v->found[i];
            v->policies[kept++] = v->policies[i];
        }
    }
    v->len = kept;
    return n;
}

static void put_under(struct survey *v, const struct policy *policy, struct member *fresh,
                      uint32_t n)
{
    struct space *s = keyspace_space(v->ks, v->db, v->shard);
    struct roll *r = need_roll(s, policy->slot);
    struct herd *herd = policy_need_herd(policy, v->db);
    uint32_t *indexes = mem_alloc(n * sizeof(*indexes));

    n = n > ROLL_MAX - r->count ? ROLL_MAX - r->count : n;
    roll_merge(r, fresh, n, indexes);
    for (uint32_t i = 0; i < n; i++) {
        struct entry *e = space_find_hash(s, fresh[i].hash).entry;
        struct member *m = roll_at(r, indexes[i]);

        e->access_or_member = handle_of(policy->slot, indexes[i]);
        e->policed = 1;
        m->memory = 0;
        charge(herd, m, e);
        note_due(v->ks, v->shard, in_ms(end_of(&policy->rules, m)));
    }
    atomic_fetch_add(&herd->keys, n);
    note_least_use(policy, v->db, v->shard, r);
    mem_free(indexes);
}

static void apply(struct survey *v)
{
    struct member *fresh = mem_alloc((v->len + 1) * sizeof(*fresh));

    take_out(v);
    gather(v, NULL, fresh);
    while (v->len) {
        const struct policy *policy = v->policies[0];

        put_under(v, policy, fresh, gather(v, policy, fresh));
    }
    mem_free(fresh);
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
