/* The policies of keys by their prefix (key-policy), see conf.h. */
#include "base/mem.h"
#include "base/num.h"
#include "conf/option.h"

static const struct rule {
    const char *word, *wrong;
    int64_t max;
    bool memory;
} rules[CONF_RULES] = {
    [CONF_RULE_IDLE] = {"idle", "IDLE must be a number of milliseconds from 1 to 1000000000000",
                        CONF_RULE_TIME_MAX_MS, false},
    [CONF_RULE_MAXAGE] = {"maxage",
                          "MAXAGE must be a number of milliseconds from 1 to 1000000000000",
                          CONF_RULE_TIME_MAX_MS, false},
    [CONF_RULE_MAXKEYS] = {"maxkeys", "MAXKEYS must be a number from 1 to 9007199254740992",
                           CONF_RULE_LIMIT_MAX, false},
    [CONF_RULE_MAXMEMORY] = {"maxmemory",
                             "MAXMEMORY must be a number of bytes from 1 to 9007199254740992",
                             CONF_RULE_LIMIT_MAX, true},
};

static int find_rule(struct slice word)
{
    int i = 0;

    while (i < CONF_RULES && !slice_is(word, rules[i].word))
        i++;
    return i;
}

static bool read_number(const struct rule *rule, struct slice word, int64_t *out)
{
    uint64_t bytes;

    if (rule->memory && option_parse_memory(word, &bytes) && bytes <= (uint64_t)rule->max)
        *out = (int64_t)bytes;
    else if (rule->memory || !num_parse_int(word, out))
        return false;
    return *out >= 1 && *out <= rule->max;
}

const char *conf_read_rules(const struct slice *words, size_t n, int64_t out[CONF_RULES])
{
    memset(out, 0, CONF_RULES * sizeof(*out));
    for (size_t i = 0; i < n; i += 2) {
        int rule = find_rule(words[i]);

        if (rule == CONF_RULES || out[rule] || i + 1 == n)
            return "syntax error";
        if (!read_number(&rules[rule], words[i + 1], &out[rule]))
            return rules[rule].wrong;
    }
    return n ? NULL : "syntax error";
}

/* ---- the list ------------------------------------------------------------------------------- */

struct slice conf_policy_prefix(const struct conf_key_policy *p)
{
    return slice_make(p->prefix, p->prefix_len);
}

/* Where the prefix is, or would be. */
static size_t place_of(const struct conf_policies *p, struct slice prefix, bool *there)
{
    size_t i = 0;

    while (i < p->len && slice_cmp(conf_policy_prefix(&p->v[i]), prefix) < 0)
        i++;
    *there = i < p->len && slice_eq(conf_policy_prefix(&p->v[i]), prefix);
    return i;
}

const char *conf_put_policy(struct conf_policies *p, struct slice prefix,
                            const int64_t given[CONF_RULES])
{
    bool there;
    size_t i = place_of(p, prefix, &there);

    if (prefix.len > CONF_PREFIX_MAX)
        return "the prefix of a policy has at most 1024 bytes";
    if (!there && p->len == CONF_POLICIES_MAX)
        return "there are 512 policies, which are all that there can be";
    if (!there) {
        p->v = mem_realloc(p->v, (p->len + 1) * sizeof(*p->v));
        memmove(p->v + i + 1, p->v + i, (p->len - i) * sizeof(*p->v));
        p->v[i] = (struct conf_key_policy){mem_strndup(prefix.ptr, prefix.len), prefix.len, {0}};
        p->len++;
    }
    memcpy(p->v[i].rules, given, sizeof(p->v[i].rules));
    return NULL;
}

bool conf_drop_policy(struct conf_policies *p, struct slice prefix)
{
    bool there;
    size_t i = place_of(p, prefix, &there);

    if (!there)
        return false;
    mem_free(p->v[i].prefix);
    memmove(p->v + i, p->v + i + 1, (p->len - i - 1) * sizeof(*p->v));
    p->len--;
    return true;
}

/* ---- the option ----------------------------------------------------------------------------- */

static void release_policies(void *field)
{
    struct conf_policies *p = field;

    for (size_t i = 0; i < p->len; i++)
        mem_free(p->v[i].prefix);
    mem_free(p->v);
}

static void copy_policies(void *to, const void *from)
{
    const struct conf_policies *p = from;
    struct conf_policies *copy = to;

    copy->v = mem_alloc((p->len + 1) * sizeof(*copy->v));
    for (size_t i = 0; i < p->len; i++) {
        copy->v[i] = p->v[i];
        copy->v[i].prefix = mem_strndup(p->v[i].prefix, p->v[i].prefix_len);
    }
}

/* As it is written; who gives several words as one cannot but write the quotes of no prefix too. */
static struct slice read_prefix(struct slice word)
{
    return slice_is(word, "\"\"") ? SLICE("") : word;
}

/* A prefix and the rules behind it; how many words that are. */
static size_t policy_words(struct option_args args)
{
    size_t n = 1;

    while (n < args.argc && find_rule(args.argv[n]) != CONF_RULES)
        n += 2;
    return n < args.argc ? n : args.argc;
}

static const char *add_policies(struct conf_policies *p, struct option_args args)
{
    const char *wrong = NULL;

    while (args.argc && !wrong) {
        size_t n = policy_words(args);
        int64_t given[CONF_RULES];

        wrong = conf_read_rules(args.argv + 1, n - 1, given);
        if (!wrong)
            wrong = conf_put_policy(p, read_prefix(args.argv[0]), given);
        args.argv += n;
        args.argc -= n;
    }
    return wrong;
}

static bool set_policies(const struct option *o, void *field, struct option_args args,
                         struct buf *err)
{
    struct conf_policies *p = field, fresh = {0};
    const char *wrong;

    (void)o;
    if (args.argc == 1 && args.argv[0].len == 0)
        args.argc = 0;
    if (args.append) {
        fresh = *p;
        copy_policies(&fresh, p);
    }
    wrong = add_policies(&fresh, args);
    if (wrong) {
        release_policies(&fresh);
        return option_refuse(err, "%s", wrong);
    }
    release_policies(p);
    *p = fresh;
    return true;
}

static void write_rules(const struct conf_key_policy *p, struct buf *out)
{
    for (int i = 0; i < CONF_RULES; i++) {
        if (p->rules[i])
            buf_printf(out, " %s %lld", rules[i].word, (long long)p->rules[i]);
    }
}

static void format_policies(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_policies *p = field;

    (void)o;
    for (size_t i = 0; i < p->len; i++) {
        buf_append_str(out, i ? " " : "");
        option_write_word(conf_policy_prefix(&p->v[i]), out);
        write_rules(&p->v[i], out);
    }
}

static void write_policies(const struct option *o, const void *field, struct buf *out)
{
    const struct conf_policies *p = field;

    (void)o;
    for (size_t i = 0; i < p->len; i++) {
        option_write_word(conf_policy_prefix(&p->v[i]), out);
        write_rules(&p->v[i], out);
        buf_append_char(out, '\n');
    }
}

const struct option_type option_policies = {.set = set_policies,
                                            .format = format_policies,
                                            .write = write_policies,
                                            .copy = copy_policies,
                                            .release = release_policies};
