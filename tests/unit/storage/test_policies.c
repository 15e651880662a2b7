/* storage/policies: the longest prefix, among random ones against a naive copy. */
#include "storage/policies.h"

#include "base/rng.h"
#include "tests/lib/tap.h"

#include <stdio.h>

enum { PREFIXES = 300, ROUNDS = 20000, LEN_MAX = 7 };

static struct policies *policies;
static struct slice there[PREFIXES]; /* ptr NULL: not there */
static char texts[PREFIXES][LEN_MAX + 1];

/* Few different letters, among them those at the ends of byte order. */
static struct slice draw(char *text)
{
    static const char letters[] = {'a', 'b', ':', '\0', '\xff'};
    size_t len = rng_below(LEN_MAX + 1);

    for (size_t i = 0; i < len; i++)
        text[i] = letters[rng_below(sizeof(letters))];
    return slice_make(text, len);
}

static bool begins(struct slice text, struct slice prefix)
{
    return prefix.len <= text.len && memcmp(text.ptr, prefix.ptr, prefix.len) == 0;
}

static int find_equal(struct slice prefix)
{
    for (int i = 0; i < PREFIXES; i++) {
        if (there[i].ptr && slice_eq(there[i], prefix))
            return i;
    }
    return -1;
}

static int naive(struct slice key)
{
    int best = -1;

    for (int i = 0; i < PREFIXES; i++) {
        if (there[i].ptr && begins(key, there[i]) && (best < 0 || there[i].len > there[best].len))
            best = i;
    }
    return best;
}

/* A prefix that is there is taken away, one that is not is added. */
static void change(void)
{
    static const struct policy_rules rules = {.idle_ms = 1};
    int i = (int)rng_below(PREFIXES);
    char copy[LEN_MAX];

    if (there[i].ptr) {
        policies_remove(policies, policies_get(policies, there[i]));
        there[i].ptr = NULL;
    } else {
        struct slice fresh = draw(texts[i]);

        if (find_equal(fresh) >= 0)
            return;
        there[i] = fresh;
        memcpy(copy, texts[i], sizeof(copy));
        policies_add(policies, slice_make(copy, fresh.len), &rules);
        memset(copy, '?', sizeof(copy));
    }
    policies_bury(policies);
}

static bool agrees(struct slice key)
{
    const struct policy *found = policies_find(policies, key);
    int i = naive(key);

    if (i < 0)
        return !found;
    return found && slice_eq(found->prefix, there[i]);
}

static void test_random(void)
{
    int wrong = 0, wrong_get = 0;

    for (int n = 0; n < ROUNDS; n++) {
        char text[LEN_MAX];
        struct slice key;

        change();
        key = draw(text);
        wrong += !agrees(key);
        wrong_get += (policies_get(policies, key) != NULL) != (find_equal(key) >= 0);
    }
    is_int(wrong, 0, "the longest prefix is found");
    is_int(wrong_get, 0, "a policy is found by its prefix alone");
}

static void test_many(void)
{
    static const struct policy_rules rules = {.max_keys = 1};
    struct policies *p = policies_new(1);
    char text[16];
    int n = 0;

    while (policies_add(p, slice_make(text, (size_t)snprintf(text, sizeof(text), "%d", n)), &rules))
        n++;
    is_int(n, POLICIES_MAX, "as many as there can be");
    policies_remove(p, policies_get(p, SLICE("500")));
    policies_bury(p);
    ok(policies_add(p, SLICE("new"), &rules) != NULL, "one takes the place of another");
    is_int(p->len, POLICIES_MAX, "none is lost");
    policies_free(p);
}

/* A dead one stays as long as it has keys. */
static void test_burial(void)
{
    static const struct policy_rules rules = {.max_keys = 1};
    struct policies *p = policies_new(3);
    struct policy *a = policies_add(p, SLICE("a"), &rules);
    struct herd *h = policy_need_herd(a, 1);

    ok(policy_need_herd(a, 1) == h && !policy_herd(a, 0), "a herd is made once");
    atomic_fetch_add(&h->keys, 2);
    atomic_fetch_add(&h->memory, 3);
    is_int(policy_keys(p, a), 2, "keys of all databases");
    is_int(policy_memory(p, a), 3 * ROLL_MEMORY_UNIT, "their memory");
    ok(herd_overfull(a, h), "two are more than one");
    policies_swap(p, 0, 1);
    ok(policy_herd(a, 0) == h && !policy_herd(a, 1), "databases change places");
    policies_remove(p, a);
    policies_bury(p);
    ok(p->slots[a->slot] == a && !policies_find(p, SLICE("ab")), "dead, but there");
    policies_emptied(p, 0);
    policies_bury(p);
    ok(!p->slots[0], "gone");
    policies_free(p);
}

int main(void)
{
    uint64_t seed = rng_entropy();

    diag("seed %llu", (unsigned long long)seed);
    rng_seed(seed);
    policies = policies_new(2);
    test_random();
    policies_free(policies);
    test_many();
    test_burial();
    return tap_done();
}
