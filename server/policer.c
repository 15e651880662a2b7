/* Keeping keys to their policies, see policer.h. */
#include "server/policer.h"

#include "base/mem.h"
#include "server/access.h"
#include "server/effects.h"
#include "server/herd_eviction.h"
#include "server/serving.h"
#include "storage/policed.h"

enum {
    KEYS_A_LOCK = 64,         /* expired before the shard's lock is given up for a moment */
    KEYS_A_ROUND = 1024,      /* expired before the worker serves its connections again */
    SURVEY_US = 1000,         /* surveyed before it does */
    SURVEY_AT_ONCE = 10000,   /* keys in all that a change of the policies does not put off */
    MANY = 16384,             /* more keys than this too many are not evicted at once, but */
    FEW = 256,                /* so many by each command, and */
    EVICTIONS_A_ROUND = 1024, /* the rest by and by */
};

/* The keys of a policy in a database; the policy may be another by now. */
struct herd_ref {
    unsigned slot;
    int db;
};

struct policer {
    struct worker *worker;
    struct event timer;
    _Atomic int64_t at;        /* when it will look next, monotonic ms */
    unsigned cursor;           /* which of its shards is next, where a round was cut short */
    uint32_t generation;       /* of the policies that all keys of its shards are under */
    struct herd_ref *overfull; /* w->overfull_len of them */
    size_t overfull_cap;
    struct herd_ref *late; /* those from which too many must go to do it at once */
    size_t late_len, late_cap;
};

static struct policies *policies_of(const struct worker *w)
{
    return w->server->keyspace.policies;
}

/* ---- the alarm ------------------------------------------------------------------------------ */

static void arm(struct worker *w, int64_t at)
{
    int64_t delay = at - w->mono_ms;
    struct timeval tv;

    atomic_store(&w->policer->at, at);
    if (at == INT64_MAX)
        return;
    if (delay < 0)
        delay = 0;
    if (delay > 3600 * 1000)
        delay = 3600 * 1000;
    tv = (struct timeval){.tv_sec = delay / 1000, .tv_usec = delay % 1000 * 1000};
    event_add(&w->policer->timer, &tv);
}

static void look(struct worker *w);

static void wake(struct worker *w, void *arg)
{
    (void)arg;
    atomic_store(&w->policer->at, INT64_MAX);
    look(w);
}

static void note_due(struct worker *w, unsigned shard, int64_t at)
{
    struct server *s = w->server;
    struct worker *owner = &s->workers[shard % (unsigned)s->workers_len];
    int64_t planned = atomic_load(&owner->policer->at);

    while (at < planned) {
        if (!atomic_compare_exchange_weak(&owner->policer->at, &planned, at))
            continue;
        if (owner == w)
            arm(w, at);
        else
            worker_call(owner, wake, NULL);
        return;
    }
}

void policer_wake_all(struct server *s)
{
    for (int i = 0; i < s->workers_len; i++)
        worker_call(&s->workers[i], wake, NULL);
}

/* ---- what a change leads to ----------------------------------------------------------------- */

static void add_ref(struct herd_ref **refs, size_t *len, size_t *cap, struct herd_ref ref)
{
    for (size_t i = 0; i < *len; i++) {
        if ((*refs)[i].slot == ref.slot && (*refs)[i].db == ref.db)
            return;
    }
    if (*len == *cap) {
        *cap = *cap ? *cap * 2 : 4;
        *refs = mem_realloc(*refs, *cap * sizeof(**refs));
    }
    (*refs)[(*len)++] = ref;
}

static void note_overfull(struct worker *w, const struct policy *policy, int db)
{
    struct policer *p = w->policer;

    add_ref(&p->overfull, &w->overfull_len, &p->overfull_cap, (struct herd_ref){policy->slot, db});
}

void policer_changed(struct worker *w, int db, unsigned shard, const struct entry *e)
{
    struct policed_change change = policed_changed(&w->server->keyspace, db, shard, e);

    if (UNLIKELY(change.policy))
        note_overfull(w, change.policy, db);
    if (UNLIKELY(change.due != INT64_MAX))
        note_due(w, shard, change.due);
}

/* ---- ending --------------------------------------------------------------------------------- */

/* Mostly the shard knows that none of its keys has, and nothing needs to be known of this one. */
bool policer_has_ended(const struct worker *w, int db, unsigned shard, const struct entry *e)
{
    const _Atomic int64_t *first = &policies_of(w)->due[shard];

    if (LIKELY(atomic_load_explicit(first, memory_order_relaxed) > w->mono_ms))
        return false;
    return policed_due(&w->server->keyspace, db, shard, e) <= w->mono_ms &&
           !server_paused(w->server, w->mono_ms);
}

void policer_drop(struct worker *w, int db, uint64_t hash, struct found f, enum key_event event)
{
    struct policy *policy = policed_policy(&w->server->keyspace, f.entry);

    atomic_fetch_add(event == EVENT_EXPIRED ? &policy->expired : &policy->evicted, 1);
    effect_drop(w, db, hash, f, event);
}

bool policer_drop_ended(struct worker *w, int db, uint64_t hash, struct found f)
{
    if (LIKELY(!policer_has_ended(w, db, shard_of(hash), f.entry)))
        return false;
    policer_drop(w, db, hash, f, EVENT_EXPIRED);
    return true;
}

/* One holding of the shard's lock. False when nothing more has ended in it. */
static bool expire_some(struct worker *w, unsigned shard, int *removed)
{
    struct keyspace *ks = &w->server->keyspace;
    int64_t next = INT64_MAX;
    struct found f;
    uint64_t hash;
    int here = 0;

    lock_take(&ks->shards[shard].lock);
    for (int db = 0; db < ks->databases; db++) {
        unsigned slot = 0;

        while (keyspace_is_used(ks, db) &&
               policed_ended(ks, db, shard, w->mono_ms, &slot, &next, &f, &hash)) {
            if (here == KEYS_A_LOCK) {
                next = w->mono_ms;
                break;
            }
            policer_drop(w, db, hash, f, EVENT_EXPIRED);
            here++;
        }
    }
    atomic_store_explicit(&ks->policies->due[shard], next, memory_order_relaxed);
    serving_unlock(w, shard);
    effect_settle(w);
    *removed += here;
    return next <= w->mono_ms;
}

/* As the expirer does: one shard after the other, from where the last round was cut short. */
static int64_t expire_due(struct worker *w)
{
    struct policies *p = policies_of(w);
    unsigned stride = (unsigned)w->server->workers_len;
    unsigned own = (SHARDS - (unsigned)w->index + stride - 1) / stride;
    unsigned begin = w->policer->cursor % own;
    int64_t next = INT64_MAX;
    int removed = 0;

    for (unsigned i = 0; i < own; i++) {
        unsigned nth = (begin + i) % own, s = (unsigned)w->index + nth * stride;
        int64_t at = atomic_load_explicit(&p->due[s], memory_order_relaxed);

        while (at <= w->mono_ms && removed < KEYS_A_ROUND && expire_some(w, s, &removed))
            ;
        if (removed < KEYS_A_ROUND)
            w->policer->cursor = nth + 1;
        at = atomic_load_explicit(&p->due[s], memory_order_relaxed);
        next = at < next ? at : next;
    }
    return next;
}

/* ---- evicting ------------------------------------------------------------------------------- */

/* While keys may be on their way here that were not used for longer, none goes. */
static bool may_evict(const struct worker *w, const struct policy *policy)
{
    return !(policy->gaining && atomic_load(&policies_of(w)->surveying)) &&
           !server_paused(w->server, w->mono_ms);
}

/* True when the limits hold, or nothing can be done; false if `max` keys went and more must. */
static bool evict_from(struct worker *w, struct herd_ref ref, int max)
{
    const struct policy *policy = policies_of(w)->slots[ref.slot];
    struct herd *h = policy ? policy_herd(policy, ref.db) : NULL;
    bool enough;

    if (!h || !may_evict(w, policy))
        return true;
    lock_take(&h->lock);
    enough = herd_evict(w, policy, h, ref.db, max);
    lock_release(&h->lock);
    effect_settle(w);
    return enough;
}

static int how_many(const struct worker *w, struct herd_ref ref)
{
    const struct policy *policy = policies_of(w)->slots[ref.slot];
    const struct herd *h = policy ? policy_herd(policy, ref.db) : NULL;

    return h && policy->rules.max_keys && atomic_load(&h->keys) - policy->rules.max_keys > MANY
               ? FEW
               : MANY;
}

static void evict_late(struct worker *w, struct herd_ref ref)
{
    struct policer *p = w->policer;

    add_ref(&p->late, &p->late_len, &p->late_cap, ref);
    note_due(w, (unsigned)w->index, w->mono_ms);
}

void policer_evict(struct worker *w)
{
    while (w->overfull_len) {
        struct herd_ref ref = w->policer->overfull[--w->overfull_len];

        if (!evict_from(w, ref, how_many(w, ref)))
            evict_late(w, ref);
    }
}

static bool evict_some(struct worker *w)
{
    struct policer *p = w->policer;

    if (p->late_len && evict_from(w, p->late[p->late_len - 1], EVICTIONS_A_ROUND))
        p->late_len--;
    return p->late_len;
}

static void note_all_overfull(struct worker *w)
{
    const struct policies *p = policies_of(w);

    for (unsigned slot = 0; slot < POLICIES_MAX; slot++) {
        for (int db = 0; p->slots[slot] && db < p->databases; db++) {
            const struct herd *h = policy_herd(p->slots[slot], db);

            if (h && herd_overfull(p->slots[slot], h))
                note_overfull(w, p->slots[slot], db);
        }
    }
}

/* ---- the survey ----------------------------------------------------------------------------- */

struct moment {
    const struct conf *conf;
    int64_t wall_ms;
    uint64_t mono_ns;
};

/* A frequency tells no time. */
static uint64_t used_at(const struct entry *e, void *opaque)
{
    const struct moment *now = opaque;
    uint64_t ns = access_is_lfu(now->conf)
                      ? 0
                      : access_idle_ms_at_least(now->wall_ms, e->access_or_member) * 1000000;

    return ns < now->mono_ns ? now->mono_ns - ns : 0;
}

static struct moment moment_of(const struct server *s)
{
    return (struct moment){s->conf, clock_wall_ms(), (uint64_t)clock_mono_ns()};
}

/* The databases of one shard; true when all of it is done. */
static bool survey_shard(struct worker *w, unsigned shard)
{
    struct keyspace *ks = &w->server->keyspace;
    struct moment now = moment_of(w->server);
    bool done = true;

    lock_take(&ks->shards[shard].lock);
    for (int db = 0; db < ks->databases && done; db++)
        done = !keyspace_is_used(ks, db) || policed_survey(ks, db, shard, used_at, &now);
    lock_release(&ks->shards[shard].lock);
    return done;
}

/* The last of all workers to finish sees to the limits, which had to wait for it. */
static void finish_survey(struct worker *w)
{
    w->policer->generation = policies_of(w)->generation;
    if (atomic_fetch_sub(&policies_of(w)->surveying, 1) == 1)
        note_all_overfull(w);
    policer_evict(w);
}

/* From the first shard each time, since databases may have changed places. */
static bool survey_some(struct worker *w)
{
    int64_t until = clock_mono_us() + SURVEY_US;

    if (LIKELY(w->policer->generation == policies_of(w)->generation))
        return false;
    for (unsigned s = (unsigned)w->index; s < SHARDS; s += (unsigned)w->server->workers_len) {
        while (!survey_shard(w, s)) {
            if (clock_mono_us() > until)
                return true;
        }
    }
    finish_survey(w);
    return false;
}

static void survey_all(struct server *s)
{
    struct keyspace *ks = &s->keyspace;
    struct moment now = moment_of(s);

    for (int db = 0; db < ks->databases; db++) {
        for (unsigned shard = 0; keyspace_is_used(ks, db) && shard < SHARDS; shard++) {
            while (!policed_survey(ks, db, shard, used_at, &now))
                ;
        }
    }
    for (int i = 0; i < s->workers_len; i++)
        s->workers[i].policer->generation = ks->policies->generation;
    atomic_store(&ks->policies->surveying, 0);
}

static bool are_few(const struct keyspace *ks)
{
    uint64_t keys = 0;

    for (int db = 0; db < ks->databases && keys <= SURVEY_AT_ONCE; db++)
        keys += keyspace_count(ks, db);
    return keys <= SURVEY_AT_ONCE;
}

static void begin_survey(struct server *s)
{
    struct policies *p = s->keyspace.policies;
    int behind = 0;

    for (int i = 0; i < s->workers_len; i++)
        behind += s->workers[i].policer->generation != p->generation;
    atomic_store(&p->surveying, behind);
    if (behind && are_few(&s->keyspace))
        survey_all(s);
    policies_bury(p);
}

/* ---- the policies --------------------------------------------------------------------------- */

static const struct conf_key_policy *find_in(const struct conf_policies *list, struct slice prefix)
{
    for (size_t i = 0; i < list->len; i++) {
        if (slice_eq(conf_policy_prefix(&list->v[i]), prefix))
            return &list->v[i];
    }
    return NULL;
}

static void remove_others(struct policies *p, const struct conf_policies *to)
{
    for (int i = p->len - 1; i >= 0; i--) {
        if (!find_in(to, p->sorted[i]->prefix))
            policies_remove(p, p->sorted[i]);
    }
}

static void set_policy(struct server *s, const struct conf_key_policy *to)
{
    struct policies *p = s->keyspace.policies;
    struct policy *policy = policies_get(p, conf_policy_prefix(to));
    struct policy_rules rules = {
        .idle_ms = to->rules[CONF_RULE_IDLE],
        .max_age_ms = to->rules[CONF_RULE_MAXAGE],
        .max_keys = to->rules[CONF_RULE_MAXKEYS],
        .max_memory = to->rules[CONF_RULE_MAXMEMORY],
    };

    if (policy) {
        policy->rules = rules;
    } else if (!policies_add(p, conf_policy_prefix(to), &rules)) {
        /* The dead are in the way: without keys they can be buried. */
        static_assert(POLICIES_MAX >= 2 * CONF_POLICIES_MAX, "all can be others at once");
        survey_all(s);
        policies_bury(p);
        INVARIANT(policies_add(p, conf_policy_prefix(to), &rules));
    }
}

void policer_apply(struct server *s, const struct conf_policies *to)
{
    struct keyspace *ks = &s->keyspace;

    if (!ks->policies && !to->len)
        return;
    if (!ks->policies)
        ks->policies = policies_new(ks->databases);
    policies_bury(ks->policies);
    remove_others(ks->policies, to);
    for (size_t i = 0; i < to->len; i++)
        set_policy(s, &to->v[i]);
    begin_survey(s);
    note_all_overfull(&s->workers[0]);
    for (unsigned i = 0; i < SHARDS; i++)
        atomic_store(&ks->policies->due[i], 0);
    policer_wake_all(s);
}

void policer_enforce_soon(struct worker *w)
{
    if (policies_of(w))
        note_all_overfull(w);
}

/* ---- looking -------------------------------------------------------------------------------- */

static void look(struct worker *w)
{
    int64_t next = INT64_MAX;
    bool more;

    if (!policies_of(w))
        return;
    if (UNLIKELY(server_paused(w->server, w->mono_ms))) {
        arm(w, w->server->pause_until_ms);
        return;
    }
    more = survey_some(w);
    more = evict_some(w) || more;
    if (atomic_load(&w->server->active_expire))
        next = expire_due(w);
    arm(w, more ? w->mono_ms : next);
}

/*
 * While it looks, whoever makes a key end sooner must not believe that it will be seen: `at` says
 * "never" first, so that a wake-up is sent.
 */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct policer *p = arg;

    (void)fd;
    (void)what;
    worker_round_begin(p->worker);
    wake(p->worker, NULL);
    worker_round_end(p->worker);
}

struct policer *policer_new(struct worker *w)
{
    struct policer *p = mem_zalloc(sizeof(*p));

    p->worker = w;
    atomic_init(&p->at, INT64_MAX);
    event_assign(&p->timer, w->base, -1, 0, on_timer, p);
    return p;
}

void policer_free(struct policer *p)
{
    if (!p)
        return;
    event_del(&p->timer);
    mem_free(p->overfull);
    mem_free(p->late);
    mem_free(p);
}
