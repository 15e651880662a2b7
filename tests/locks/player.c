/* See player.h: connections of players, and what they write down. */
#include "tests/locks/player.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/rng.h"
#include "tests/lib/raw.h"

int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

int pick_of(int bound)
{
    return (int)rng_below((uint64_t)bound);
}

/* ---- talking ---- */

/* NULL and p->gone, or NULL alone when nothing comes. */
static struct answer *next(struct player *p, int timeout_ms)
{
    struct answer *a = wire_next(p->wire, timeout_ms);
    ssize_t n;
    char byte;

    if (a != NULL)
        return a;
    /* Something may have come behind the last look. */
    n = recv(p->wire->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    p->gone = n == 0 || (n < 0 && errno != EAGAIN);
    return a;
}

static bool is_grant(const struct answer *a)
{
    return a->count > 1 && a->items[0]->text != NULL && strcmp(a->items[0]->text, "lock") == 0 &&
           a->items[1]->text != NULL && strcmp(a->items[1]->text, "granted") == 0;
}

static void keep_grant(struct player *p, struct answer *a)
{
    answer_free(p->granted);
    p->granted = a;
}

struct answer *player_next(struct player *p, int timeout_ms)
{
    struct answer *a;

    while ((a = next(p, timeout_ms)) != NULL && a->type == '>') {
        if (is_grant(a))
            keep_grant(p, a);
        else
            answer_free(a);
    }
    return a;
}

struct answer *player_grant(struct player *p, int timeout_ms)
{
    long long end = raw_now_ms() + timeout_ms, left = timeout_ms;
    struct answer *a = p->granted;

    p->granted = NULL;
    while (a == NULL && left >= 0) {
        a = next(p, (int)left);
        if (a == NULL)
            return NULL;
        if (!is_grant(a)) {
            answer_free(a);
            a = NULL;
        }
        left = end - raw_now_ms();
    }
    return a;
}

struct answer *player_ask(struct player *p, int timeout_ms, const char *format, ...)
{
    char *line;
    va_list ap;

    va_start(ap, format);
    if (vasprintf(&line, format, ap) < 0)
        abort();
    va_end(ap);
    wire_send(p->wire, line);
    free(line);
    return player_next(p, timeout_ms);
}

/* ---- connections ---- */

static void announce(struct player *p, long long id)
{
    struct game *g = p->game;

    if (p->number >= PLAYERS)
        return;
    pthread_mutex_lock(&g->lock);
    g->present[p->number].link = p->link;
    g->present[p->number].id = id;
    pthread_mutex_unlock(&g->lock);
}

/* The odd ones over TCP, where a connection can be reset. */
void player_connect(struct player *p)
{
    const struct server *s = p->game->server;
    int fd = p->number % 2 == 0 ? server_connect_unix(s) : server_connect(s);
    struct answer *a;

    wire_close(p->wire);
    keep_grant(p, NULL);
    p->wire = wire_attach(fd, 3);
    p->gone = false;
    p->link = atomic_fetch_add(&p->game->links, 1) + 1;
    answer_free(player_ask(p, ANSWER_MS, "HELLO 3"));
    a = player_ask(p, ANSWER_MS, "CLIENT ID");
    announce(p, a != NULL && a->text != NULL ? strtoll(a->text, NULL, 10) : 0);
    answer_free(a);
}

void player_cut(struct player *p, enum ending how)
{
    struct linger now = {1, 0};
    size_t i = act_begin(p, CUT, 0, 0);
    char byte;

    announce(p, 0);
    if (how == BY_RESET)
        setsockopt(p->wire->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    if (how == BY_SHUTDOWN) {
        shutdown(p->wire->fd, SHUT_WR);
        /* Until the server has closed too, so that this one is known to have ended. */
        while (raw_read_some(p->wire->fd, &byte, 1, ANSWER_MS) > 0)
            ;
    }
    p->mine.acts[i].ended = now_ns();
    p->mine.acts[i].outcome = DONE;
    player_connect(p);
}

/* ---- acts ---- */

size_t act_begin(struct player *p, enum deed deed, int name, int request)
{
    struct act *a = history_act(&p->mine);

    a->deed = deed;
    a->request = request;
    a->link = p->link;
    a->name = name;
    a->began = now_ns();
    return p->mine.n - 1;
}

static void end_by_number(struct act *act, long long number)
{
    act->outcome = DONE;
    if (act->deed == ACQUIRE)
        act->token = number;
    else if (act->deed == CHECK && number == 0)
        act->outcome = NOTHING;
}

static void end_by_error(struct act *act, const char *text)
{
    act->outcome = REFUSED;
    snprintf(act->error, sizeof(act->error), "%.*s", (int)strcspn(text, " "), text);
}

/* A RELEASE with a write and a write itself may be answered in their own ways. */
void act_end(struct player *p, size_t i, const struct answer *a)
{
    struct act *act = &p->mine.acts[i];

    act->ended = now_ns();
    if (a == NULL)
        act->outcome = p->gone ? UNKNOWN : OPEN;
    else if (a->type == '-')
        end_by_error(act, a->text);
    else if (a->type == ':')
        end_by_number(act, strtoll(a->text, NULL, 10));
    else if (act->deed == ACQUIRE || act->deed == CHECK)
        act->outcome = NOTHING;
    else
        act->outcome = DONE;
}
