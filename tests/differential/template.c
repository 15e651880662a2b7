/*
 * See template.h. A recursive descent over the text; a node is a choice of sequences of nodes:
 *
 *   node CHOICE -> options: node SEQUENCE -> sibling: node SEQUENCE ...
 *                            |
 *                            children: node WORD -> sibling: node GENERATOR ...
 */
#include "tests/differential/template.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/differential/generators.h"
#include "tests/lib/tap.h"

enum node_kind { NODE_WORD, NODE_GENERATOR, NODE_BACK, NODE_CHOICE, NODE_SEQUENCE, NODE_NEXT };

struct node {
    enum node_kind kind;
    struct slice word;
    const struct generator *generator;
    int back;
    bool exact;     /* of a word: in quotes */
    bool optional;  /* of a choice */
    bool repeated;  /* `*` or `+` */
    bool from_none; /* `*` */
    bool compared;  /* `;=` */
    struct node *children;
    struct node *sibling;
};

struct parser {
    const char *text, *at;
};

static struct node *node_new(enum node_kind kind)
{
    struct node *n = mem_zalloc(sizeof(*n));

    n->kind = kind;
    return n;
}

static void skip_blanks(struct parser *p)
{
    while (*p->at == ' ')
        p->at++;
}

static struct slice take_word(struct parser *p)
{
    const char *start = p->at;

    if (*start == '\'') {
        p->at = strchrnul(start + 1, '\'');
        return slice_make(start + 1, (size_t)(p->at++ - start - 1));
    }
    while (*p->at != '\0' && strchr(" |()[]*+;", *p->at) == NULL)
        p->at++;
    if (p->at == start)
        bail("grammar: a word is expected in \"%s\" at \"%s\"", p->text, start);
    return slice_make(start, (size_t)(p->at - start));
}

static struct node *parse_choice(struct parser *p, char end);

static struct node *parse_atom(struct parser *p)
{
    char c = *p->at;
    struct node *n;

    if (c == '(' || c == '[') {
        p->at++;
        n = parse_choice(p, c == '(' ? ')' : ']');
        n->optional = c == '[';
        return n;
    }
    n = node_new(c == '%' ? NODE_GENERATOR : c == '$' ? NODE_BACK : NODE_WORD);
    if (c == '%' || c == '$')
        p->at++;
    n->exact = c == '\'';
    n->word = take_word(p);
    if (c == '$')
        n->back = atoi(n->word.ptr);
    if (c == '%' && (n->generator = generator_find(n->word)) == NULL)
        bail("grammar: no generator %.*s in \"%s\"", (int)n->word.len, n->word.ptr, p->text);
    return n;
}

static struct node *parse_item(struct parser *p)
{
    struct node *n;

    if (*p->at == ';') {
        n = node_new(NODE_NEXT);
        n->compared = *++p->at == '=';
        p->at += n->compared;
        return n;
    }
    n = parse_atom(p);
    if (*p->at == '*' || *p->at == '+') {
        n->repeated = true;
        n->from_none = *p->at == '*';
        p->at++;
    }
    return n;
}

static struct node *parse_sequence(struct parser *p)
{
    struct node *n = node_new(NODE_SEQUENCE), **tail = &n->children;

    for (skip_blanks(p); *p->at != '\0' && strchr("|)]", *p->at) == NULL; skip_blanks(p)) {
        *tail = parse_item(p);
        tail = &(*tail)->sibling;
    }
    return n;
}

static struct node *parse_choice(struct parser *p, char end)
{
    struct node *n = node_new(NODE_CHOICE), **tail = &n->children;

    for (;;) {
        *tail = parse_sequence(p);
        tail = &(*tail)->sibling;
        if (*p->at != '|')
            break;
        p->at++;
    }
    if (*p->at != end)
        bail("grammar: '%c' is expected in \"%s\" at \"%s\"", end, p->text, p->at);
    if (end != '\0')
        p->at++;
    return n;
}

struct node *template_parse(const char *text)
{
    struct parser p = {text, text};

    return parse_choice(&p, '\0');
}

/* ---- drawing ---- */

struct drawing {
    struct drawn *all, *d;
    const struct rule *rule;
};

static void draw_node(struct drawing *w, const struct node *n);

/* Words are sent as they are written, in upper case mostly, and now and then in another case. */
static void draw_word(struct drawn *d, struct slice word)
{
    uint64_t way = rng_below(20);
    char spelled[64];
    size_t len = word.len < sizeof(spelled) ? word.len : sizeof(spelled);

    for (size_t i = 0; i < len; i++) {
        bool lower = way == 0 || (way == 1 && rng_below(2) == 0);

        spelled[i] = lower ? (char)tolower((unsigned char)word.ptr[i]) : word.ptr[i];
    }
    drawn_add(d, slice_make(spelled, len), WORD_LITERAL);
}

static void draw_back(struct drawing *w, const struct node *n)
{
    struct drawn *first = &w->all[0];

    if (n->back >= first->count)
        return;
    if (w->d == first && first->count < DRAWN_WORDS_MAX)
        first->words[first->count++] = first->words[n->back];
    else
        drawn_add(w->d, drawn_word(first, n->back), first->words[n->back].kind);
}

static void draw_next(struct drawing *w, bool compared)
{
    if (w->d - w->all + 1 == SEQUENCE_MAX)
        bail("grammar: a sequence of more than %d commands", SEQUENCE_MAX);
    w->d->chained = true;
    w->d++;
    drawn_clear(w->d);
    w->d->rule = w->rule;
    w->d->exact = compared;
}

static void draw_choice(struct drawing *w, const struct node *n)
{
    const struct node *option = n->children;
    uint64_t seen = 1;

    if (n->optional && rng_below(2) == 0)
        return;
    for (const struct node *o = option->sibling; o != NULL; o = o->sibling) {
        if (rng_below(++seen) == 0)
            option = o;
    }
    draw_node(w, option);
}

static void draw_once(struct drawing *w, const struct node *n)
{
    switch (n->kind) {
    case NODE_WORD:
        if (n->exact)
            drawn_add(w->d, n->word, WORD_LITERAL);
        else
            draw_word(w->d, n->word);
        break;
    case NODE_GENERATOR:
        generator_draw(n->generator, w->d);
        break;
    case NODE_BACK:
        draw_back(w, n);
        break;
    case NODE_NEXT:
        draw_next(w, n->compared);
        break;
    case NODE_CHOICE:
        draw_choice(w, n);
        break;
    case NODE_SEQUENCE:
        for (const struct node *child = n->children; child != NULL; child = child->sibling)
            draw_node(w, child);
        break;
    }
}

static void draw_node(struct drawing *w, const struct node *n)
{
    int times = n->from_none ? 0 : 1;

    while (n->repeated && times < 5 && rng_below(5) < 2)
        times++;
    for (int i = 0; i < times; i++)
        draw_once(w, n);
}

int template_draw(const struct node *root, const struct rule *rule, struct drawn *out)
{
    struct drawing w = {out, out, rule};

    drawn_clear(out);
    out->rule = rule;
    draw_node(&w, root);
    return (int)(w.d - out) + 1;
}
