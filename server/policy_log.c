/* Policies in the log, see policy_log.h. */
#include "server/policy_log.h"

#include "base/mem.h"
#include "base/num.h"
#include "server/durability.h"
#include "server/policer.h"
#include "storage/log/journal.h"

struct policy_log {
    struct conf_policies configured;
    struct conf_policies restored; /* while lines are applied */
    bool restores;
    _Atomic uint64_t seq;
};

/* ---- lists of policies ----------------------------------------------------------------------- */

static void clear(struct conf_policies *p)
{
    while (p->len)
        conf_drop_policy(p, conf_policy_prefix(&p->v[p->len - 1]));
    mem_free(p->v);
    *p = (struct conf_policies){0};
}

static void copy(struct conf_policies *to, const struct conf_policies *from)
{
    clear(to);
    for (size_t i = 0; i < from->len; i++)
        conf_put_policy(to, conf_policy_prefix(&from->v[i]), from->v[i].rules);
}

static const struct conf_key_policy *find(const struct conf_policies *p, struct slice prefix)
{
    for (size_t i = 0; i < p->len; i++) {
        if (slice_eq(conf_policy_prefix(&p->v[i]), prefix))
            return &p->v[i];
    }
    return NULL;
}

struct policy_log *policy_log_new(const struct conf *conf)
{
    struct policy_log *p = mem_zalloc(sizeof(*p));

    copy(&p->configured, &conf->key_policy);
    return p;
}

void policy_log_free(struct policy_log *p)
{
    if (!p)
        return;
    clear(&p->configured);
    clear(&p->restored);
    mem_free(p);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void put_policy(struct records *r, const struct conf_key_policy *p)
{
    records_begin_line(r, "policy");
    records_note_arg(r, conf_policy_prefix(p));
    for (int i = 0; i < CONF_RULES; i++)
        records_note_number(r, p->rules[i]);
    records_end_note(r);
}

static void put_none(struct records *r, struct slice prefix)
{
    records_begin_line(r, "nopolicy");
    records_note_arg(r, prefix);
    records_end_note(r);
}

/* What makes the one of the other. */
static void put_difference(struct records *r, const struct conf_policies *from,
                           const struct conf_policies *to)
{
    for (size_t i = 0; i < to->len; i++) {
        const struct conf_key_policy *was = find(from, conf_policy_prefix(&to->v[i]));

        if (!was || memcmp(was->rules, to->v[i].rules, sizeof(was->rules)) != 0)
            put_policy(r, &to->v[i]);
    }
    for (size_t i = 0; i < from->len; i++) {
        if (!find(to, conf_policy_prefix(&from->v[i])))
            put_none(r, conf_policy_prefix(&from->v[i]));
    }
}

static void log_lines(struct server *s, struct records *r)
{
    if (r->bytes.len && server_gate(s, GATE_LOGGED)) {
        atomic_store(&s->policy_log->seq, journal_append(s->journal, r));
        durability_logged(s, NULL, atomic_load(&s->policy_log->seq));
    }
    records_release(r);
}

void policy_log_changed(struct server *s, const struct conf *to)
{
    struct records r = {0};

    put_difference(&r, &s->conf->key_policy, &to->key_policy);
    log_lines(s, &r);
}

void policy_log_rewritten(struct server *s)
{
    struct records r = {0};

    copy(&s->policy_log->configured, &s->conf->key_policy);
    records_begin_line(&r, "rewritten");
    records_end_note(&r);
    log_lines(s, &r);
}

uint64_t policy_log_seq(const struct server *s)
{
    return atomic_load(&s->policy_log->seq);
}

void policy_log_all(struct server *s, struct records *out)
{
    put_difference(out, &s->policy_log->configured, &s->conf->key_policy);
}

/* ---- coming back ----------------------------------------------------------------------------- */

static void begin(struct server *s)
{
    struct policy_log *p = s->policy_log;

    if (!p->restores)
        copy(&p->restored, &p->configured);
    p->restores = true;
}

static bool restore_policy(struct conf_policies *p, const struct slice *argv)
{
    int64_t rules[CONF_RULES];

    for (int i = 0; i < CONF_RULES; i++) {
        if (!num_parse_int(argv[2 + i], &rules[i]) || rules[i] < 0 ||
            rules[i] > (i < CONF_RULE_MAXKEYS ? CONF_RULE_TIME_MAX_MS : CONF_RULE_LIMIT_MAX))
            return false;
    }
    return conf_put_policy(p, argv[1], rules) == NULL;
}

bool policy_restores(struct slice word)
{
    return slice_is(word, "policy") || slice_is(word, "nopolicy") || slice_is(word, "rewritten");
}

bool policy_restore(struct server *s, const struct slice *argv, int argc)
{
    struct policy_log *p = s->policy_log;

    begin(s);
    if (slice_is(argv[0], "policy"))
        return argc == 2 + CONF_RULES && restore_policy(&p->restored, argv);
    if (slice_is(argv[0], "rewritten"))
        copy(&p->restored, &p->configured);
    else if (argc == 2)
        conf_drop_policy(&p->restored, argv[1]);
    else
        return false;
    return true;
}

void policy_restored(struct server *s)
{
    struct policy_log *p = s->policy_log;
    struct conf *fresh;

    if (!p->restores)
        return;
    fresh = conf_copy(s->conf);
    copy(&fresh->key_policy, &p->restored);
    fresh->given[OPT_key_policy] = true;
    policer_apply(s, &fresh->key_policy);
    server_publish_conf(s, fresh);
    clear(&p->restored);
    p->restores = false;
}
