/* Messages between threads: their order, and those that are taken back. */
#include "base/compiler.h"
#include "base/inbox.h"
#include "tests/lib/tap.h"

#include <string.h>

struct letter {
    struct inbox_message m;
    char name;
    const struct inbox_message *withdraws; /* when it runs */
};

static struct inbox box;
static char ran[16];

static void run(struct inbox_message *m, void *owner)
{
    const struct letter *l = CONTAINER_OF(m, struct letter, m);
    char *to = owner;

    to[strlen(to)] = l->name;
    if (l->withdraws)
        inbox_withdraw(&box, l->withdraws);
}

static const char *drained(void)
{
    memset(ran, 0, sizeof(ran));
    inbox_drain(&box, ran);
    return ran;
}

int main(void)
{
    struct letter a = {{NULL, run}, 'a', NULL}, b = {{NULL, run}, 'b', NULL},
                  c = {{NULL, run}, 'c', NULL};

    ok(inbox_init(&box) == 0, "an inbox");
    is_str(drained(), "", "nothing has come");
    inbox_post(&box, &a.m);
    inbox_post(&box, &b.m);
    inbox_post(&box, &c.m);
    is_str(drained(), "abc", "in the order in which they came");
    is_str(drained(), "", "each once");
    inbox_post(&box, &a.m);
    inbox_post(&box, &b.m);
    inbox_withdraw(&box, &b.m);
    inbox_post(&box, &c.m);
    is_str(drained(), "ac", "one that was taken back; what comes behind it is not lost");
    inbox_withdraw(&box, &c.m);
    is_str(drained(), "", "one that has run");
    a.withdraws = &b.m;
    inbox_post(&box, &a.m);
    inbox_post(&box, &b.m);
    inbox_post(&box, &c.m);
    is_str(drained(), "ac", "one that is taken back when its turn is near");
    b.withdraws = &b.m;
    inbox_post(&box, &b.m);
    is_str(drained(), "b", "its own");
    inbox_release(&box);
    return tap_done();
}
