/* Policies by prefix, see policies.h. */
#include "storage/policies.h"

#include "base/mem.h"

struct policies *policies_new(int databases)
{
    struct policies *p = mem_zalloc(sizeof(*p));

    p->databases = databases;
    for (unsigned i = 0; i < SHARDS; i++)
        atomic_init(&p->due[i], INT64_MAX);
    return p;
}

static void free_policy(const struct policies *p, struct policy *policy)
{
    for (int db = 0; db < p->databases; db++)
        mem_free(policy_herd(policy, db));
    mem_free((void *)policy->herds);
    mem_free((char *)(uintptr_t)policy->prefix.ptr);
    mem_free(policy);
}

void policies_free(struct policies *p)
{
    if (!p)
        return;
    for (unsigned slot = 0; slot < POLICIES_MAX; slot++) {
        if (p->slots[slot])
            free_policy(p, p->slots[slot]);
    }
    mem_free(p->sorted);
    mem_free(p);
}

/* ---- finding -------------------------------------------------------------------------------- */

/* How many policies have a prefix that is not after the text. */
static int not_after(const struct policies *p, struct slice text)
{
    int low = 0, high = p->len;

    while (low < high) {
        int mid = (low + high) / 2;

        if (slice_cmp(p->sorted[mid]->prefix, text) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool begins_with(struct slice text, struct slice prefix)
{
    return prefix.len <= text.len && (!prefix.len || memcmp(text.ptr, prefix.ptr, prefix.len) == 0);
}

/*
 * What stands between a prefix of the text and the text itself, in byte order, begins with that
 * prefix too: so the longest is the last that is not after the text, or one that this begins with.
 */
struct policy *policies_find(const struct policies *p, struct slice key)
{
    int n = not_after(p, key);
    struct policy *policy = n ? p->sorted[n - 1] : NULL;

    while (policy && !begins_with(key, policy->prefix))
        policy = policy->parent;
    return policy;
}

struct policy *policies_get(const struct policies *p, struct slice prefix)
{
    int n = not_after(p, prefix);

    return n && slice_eq(p->sorted[n - 1]->prefix, prefix) ? p->sorted[n - 1] : NULL;
}

/* ---- the set -------------------------------------------------------------------------------- */

static void find_parents(struct policies *p)
{
    for (int i = 0; i < p->len; i++) {
        struct policy *before = i ? p->sorted[i - 1] : NULL;

        while (before && !begins_with(p->sorted[i]->prefix, before->prefix))
            before = before->parent;
        p->sorted[i]->parent = before;
    }
}

/* What was to come is there. */
static void end_gains(struct policies *p)
{
    for (unsigned slot = 0; slot < POLICIES_MAX && !atomic_load(&p->surveying); slot++) {
        if (p->slots[slot])
            p->slots[slot]->gaining = false;
    }
}

struct policy *policies_add(struct policies *p, struct slice prefix,
                            const struct policy_rules *rules)
{
    struct policy *policy;
    unsigned slot = 0;
    int at = not_after(p, prefix);

    while (slot < POLICIES_MAX && p->slots[slot])
        slot++;
    if (slot == POLICIES_MAX)
        return NULL;
    end_gains(p);
    policy = mem_zalloc(sizeof(*policy));
    policy->prefix = slice_make(mem_strndup(prefix.ptr, prefix.len), prefix.len);
    policy->rules = *rules;
    policy->slot = slot;
    policy->gaining = true;
    policy->herds = mem_zalloc((size_t)p->databases * sizeof(*policy->herds));
    p->slots[slot] = policy;
    p->sorted = mem_realloc(p->sorted, (size_t)(p->len + 1) * sizeof(*p->sorted));
    memmove(p->sorted + at + 1, p->sorted + at, (size_t)(p->len - at) * sizeof(*p->sorted));
    p->sorted[at] = policy;
    p->len++;
    p->generation++;
    find_parents(p);
    return policy;
}

void policies_remove(struct policies *p, struct policy *policy)
{
    int at = not_after(p, policy->prefix) - 1;

    end_gains(p);
    memmove(p->sorted + at, p->sorted + at + 1, (size_t)(p->len - at - 1) * sizeof(*p->sorted));
    p->len--;
    p->generation++;
    if (policy->parent)
        policy->parent->gaining = true;
    policy->rules = (struct policy_rules){0};
    policy->dead = true;
    find_parents(p);
}

void policies_bury(struct policies *p)
{
    for (unsigned slot = 0; slot < POLICIES_MAX; slot++) {
        struct policy *policy = p->slots[slot];

        if (policy && policy->dead && !policy_keys(p, policy)) {
            p->slots[slot] = NULL;
            free_policy(p, policy);
        }
    }
}

/* ---- herds ---------------------------------------------------------------------------------- */

static void clear(struct herd *h)
{
    atomic_store(&h->keys, 0);
    atomic_store(&h->memory, 0);
    for (unsigned i = 0; i < SHARDS; i++)
        atomic_store_explicit(&h->least_use[i], ROLL_NEVER, memory_order_relaxed);
}

struct herd *policy_need_herd(const struct policy *policy, int db)
{
    struct herd *h = policy_herd(policy, db), *before = NULL;

    if (LIKELY(h != NULL))
        return h;
    h = mem_zalloc_lines(sizeof(*h));
    lock_init(&h->lock, RANK_HERD, 0);
    clear(h);
    if (atomic_compare_exchange_strong(&policy->herds[db], &before, h))
        return h;
    mem_free(h);
    return before;
}

void policies_swap(struct policies *p, int a, int b)
{
    for (unsigned slot = 0; slot < POLICIES_MAX; slot++) {
        struct policy *policy = p->slots[slot];
        struct herd *was;

        if (!policy)
            continue;
        was = policy_herd(policy, a);
        atomic_store(&policy->herds[a], policy_herd(policy, b));
        atomic_store(&policy->herds[b], was);
    }
}

void policies_emptied(struct policies *p, int db)
{
    for (unsigned slot = 0; slot < POLICIES_MAX; slot++) {
        if (p->slots[slot] && policy_herd(p->slots[slot], db))
            clear(policy_herd(p->slots[slot], db));
    }
}

int64_t policy_keys(const struct policies *p, const struct policy *policy)
{
    int64_t keys = 0;

    for (int db = 0; db < p->databases; db++) {
        if (policy_herd(policy, db))
            keys += atomic_load(&policy_herd(policy, db)->keys);
    }
    return keys;
}

int64_t policy_memory(const struct policies *p, const struct policy *policy)
{
    int64_t units = 0;

    for (int db = 0; db < p->databases; db++) {
        if (policy_herd(policy, db))
            units += atomic_load(&policy_herd(policy, db)->memory);
    }
    return units * ROLL_MEMORY_UNIT;
}
