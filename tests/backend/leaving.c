/*
 * More data than memory: keys leave it when they are in the table, and come back when somebody asks
 * for them. Nothing is lost, nothing is counted twice, and memory stays below its limit.
 */
#include "base/rng.h"
#include "tests/backend/reading_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct place *place;

enum { AT_ONCE = 1000, OF_MGET = 20, VALUE_LEN = 100 };

static bool write_keys(struct wire *w, int from)
{
    char value[VALUE_LEN + 1] = "";
    bool right = true;

    memset(value, 'v', VALUE_LEN);
    for (int i = from; i < from + AT_ONCE; i++) {
        char line[256];

        snprintf(line, sizeof(line), "SET key%d %d%s", i, i, value);
        wire_send(w, line);
    }
    for (int i = 0; i < AT_ONCE; i++)
        right = strcmp(wire_read(w), "+OK") == 0 && right;
    return right;
}

/* Some keys a request: that each has its value is seen by its number. */
static bool read_keys(struct wire *w, int from)
{
    bool right = true;

    for (int i = from; i < from + AT_ONCE; i += OF_MGET) {
        char line[OF_MGET * 16] = "MGET";

        for (int k = i; k < i + OF_MGET; k++)
            snprintf(line + strlen(line), 16, " key%d", k);
        wire_send(w, line);
    }
    for (int i = from; i < from + AT_ONCE; i += OF_MGET) {
        const char *at = wire_read(w);

        for (int k = i; k < i + OF_MGET && right; k++) {
            at = strchr(at, '\'');
            right = at && atoi(at + 1) == k && strcspn(at + 1, "'") > VALUE_LEN;
            at = at ? strchr(at + 1, '\'') + 1 : NULL;
        }
    }
    return right;
}

static void test_small_memory(int keys)
{
    struct server *s = reading_server(place, "small", "--threads 2");
    struct wire *w = reading_wire(s);
    long long empty = reading_info(w, "used_memory"), most = 0, limit;
    bool right = true;

    limit = empty + (long long)keys / 10 * 200 + 512 * 1024;
    wire_callf(w, "CONFIG SET maxmemory %lld", limit);
    for (int i = 0; i < keys && right; i += AT_ONCE) {
        long long used;

        right = write_keys(w, i);
        used = reading_info(w, "used_memory");
        most = used > most ? used : most;
    }
    ok(right, "%d keys are written, with memory for about a tenth of them", keys);
    for (int i = 0; i < keys && right; i += AT_ONCE) {
        long long used;

        right = read_keys(w, i);
        used = reading_info(w, "used_memory");
        most = used > most ? used : most;
    }
    ok(right, "and read");
    ok(most < limit + 1024 * 1024, "memory stays below its limit: %lld, at most %lld", limit, most);
    ok(reading_info(w, "backend_keys_left") > keys, "keys leave and come back");
    is_int(reading_info(w, "evicted_keys"), 0, "which is no eviction");
    is_int(wire_int(w, "DBSIZE"), keys, "none is missing");
    wire_close(w);
    server_stop(s);
}

/* ---- counters that come and go --------------------------------------------------------------- */

/*
 * Several connections count in keys that hardly stay in memory from one time to the next, some of
 * them deleted and begun anew: what is read in the end is what was counted.
 */
static void test_counters(void)
{
    enum { KEYS = 400, ROUNDS = 4000, WIRES = 8 };
    static long long counts[KEYS];
    struct server *s = reading_server(place, "counters", "--threads 4");
    struct wire *wires[WIRES], *w = reading_wire(s);
    char filler[2000] = "";
    bool right = true;

    memset(counts, 0, sizeof(counts));
    memset(filler, 'f', sizeof(filler) - 1);
    for (int i = 0; i < WIRES; i++)
        wires[i] = reading_wire(s);
    wire_call(w, "SET first key"); /* with which a database takes memory */
    wire_callf(w, "CONFIG SET maxmemory %lld", reading_info(w, "used_memory") + 500 * 1024);
    for (int i = 0; i < ROUNDS && right; i++) {
        struct wire *by = wires[rng_below(WIRES)];
        int k = (int)rng_below(KEYS);
        const char *got;

        if (rng_below(20) == 0) {
            got = wire_callf(by, "DEL counter%d", k);
            right = strcmp(got, counts[k] ? ":1" : ":0") == 0;
            counts[k] = 0;
        } else if (rng_below(4) == 0) {
            got = wire_callf(by, "SET filler%d %s", (int)rng_below(KEYS), filler);
            right = strcmp(got, "+OK") == 0;
        } else {
            counts[k]++;
            got = wire_callf(by, "INCR counter%d", k);
            right = atoll(got + 1) == counts[k];
        }
        if (!right)
            diag("counter%d is %lld, and not %s", k, counts[k], got);
    }
    ok(right, "%d keys that come and go are counted right", KEYS);
    ok(reading_info(w, "backend_keys_left") > 0, "which leave memory: %lld times",
       reading_info(w, "backend_keys_left"));
    for (int i = 0; i < WIRES; i++)
        wire_close(wires[i]);
    wire_close(w);
    server_stop(s);
    for (int k = 0; k < KEYS && right; k++)
        right = atoll(reading_ask(place, "SELECT v FROM counters WHERE k = 'counter%d'", k)) ==
                counts[k];
    ok(right, "and the table has it");
}

int main(void)
{
    size_t n;
    const struct place *places;
    const char *seed = getenv("TEST_SEED");
    uint64_t drawn = seed ? strtoull(seed, NULL, 10) : rng_entropy() >> 32;

    rng_seed(drawn);
    diag("TEST_SEED=%llu", (unsigned long long)drawn);
    places = places_start(&n);
    for (size_t i = 0; i < n; i++) {
        place = &places[i];
        diag("%s", place->scheme);
        test_small_memory(i ? 6000 : 100000);
        test_counters();
    }
    places_stop();
    return tap_done();
}
