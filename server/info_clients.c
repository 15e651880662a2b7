/* INFO clients, see info.h. */
#include "server/clients.h"
#include "server/info.h"
#include "server/tracking.h"
#include "server/waiting.h"

struct client_sums {
    int64_t blocked, timed;
    size_t max_input, max_output;
};

static void add_up(const struct worker *w, struct client_sums *sums)
{
    LIST_EACH (c, &w->conns, struct conn, link) {
        size_t input = c->in ? c->in->buf.cap : 0;

        sums->blocked += client_is_blocked(c);
        sums->timed += waiting(c) && waiting_until_us(c);
        if (input > sums->max_input)
            sums->max_input = input;
        if (c->out.cap > sums->max_output)
            sums->max_output = c->out.cap;
    }
}

void info_clients(struct info *i)
{
    struct client_sums sums = {0};

    for (int n = 0; n < i->server->workers_len; n++)
        add_up(&i->server->workers[n], &sums);
    info_int(i, "connected_clients", atomic_load(&i->server->clients));
    info_int(i, "cluster_connections", 0);
    info_int(i, "maxclients", i->conf->maxclients);
    info_int(i, "client_recent_max_input_buffer", (int64_t)sums.max_input);
    info_int(i, "client_recent_max_output_buffer", (int64_t)sums.max_output);
    info_int(i, "blocked_clients", sums.blocked);
    info_int(i, "tracking_clients", (int64_t)atomic_load(&i->server->tracking->clients));
    info_int(i, "clients_in_timeout_table", sums.timed);
}
