/*
 * Fields of hashes with a time to live: the commands that deal with it, what keeps it and what
 * clears it, and their events. That fields go in time: wire_fields_in_time.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define NOT_AN_INTEGER "-ERR value is not an integer or out of range"
#define ARITY(name) "-ERR wrong number of arguments for '" name "' command"
#define NO_FIELDS "-ERR Mandatory argument FIELDS is missing or not at the right position"
#define MISMATCH "-ERR The `numfields` parameter must match the number of arguments"
#define NOT_POSITIVE "-ERR Number of fields must be a positive integer"

static const struct wire_case times[] = {
    {"HSET k a 1 b 2 c 3", ":3"},
    {"OBJECT ENCODING k", "'listpack'"},
    {"HEXPIRE k 100 FIELDS 2 a x", "[:1 :-2]"},
    {"OBJECT ENCODING k", "'listpackex'"},
    {"HTTL k FIELDS 3 a b x", "/^\\[:(100|99) :-1 :-2\\]$"},
    {"HPTTL k FIELDS 1 a", "/^\\[:(100000|9[0-9]{4})\\]$"},
    {"HPEXPIRE k 200000 FIELDS 1 b", "[:1]"},
    {"HTTL k FIELDS 1 b", "/^\\[:(200|19[0-9])\\]$"},
    {"HEXPIREAT k 33177117420 FIELDS 1 c", "[:1]"},
    {"HEXPIRETIME k FIELDS 3 c x c", "[:33177117420 :-2 :33177117420]"},
    {"HPEXPIRETIME k FIELDS 1 c", "[:33177117420000]"},
    {"HPEXPIREAT k 33177117420001 FIELDS 1 c", "[:1]"},
    {"HPEXPIRETIME k FIELDS 1 c", "[:33177117420001]"},
    {"HEXPIRETIME k FIELDS 1 c", "[:33177117421]"},
    {"HGETALL k", "{'a' '1' 'b' '2' 'c' '3'}"},
    {"HPERSIST k FIELDS 3 a x a", "[:1 :-2 :-1]"},
    {"HTTL k FIELDS 1 a", "[:-1]"},
    {"HGETALL k", "{'b' '2' 'c' '3' 'a' '1'}"},
    {"HLEN k", ":3"},
    {"OBJECT ENCODING k", "'listpackex'"},
    {"HPERSIST k FIELDS 2 b c", "[:1 :1]"},
    {"TTL k", ":-1"},
    {"HEXPIRE k 0 FIELDS 1 a", "[:2]"},
    {"HEXISTS k a", ":0"},
    {"HPEXPIREAT k 1 FIELDS 3 b c b", "[:2 :2 :-2]"},
    {"EXISTS k", ":0"},
    {"DBSIZE", ":0"},
};

static const struct wire_case nothing_there[] = {
    {"HEXPIRE nokey 10 FIELDS 2 a b", "[:-2 :-2]"},
    {"HPEXPIRE nokey 0 FIELDS 1 a", "[:-2]"},
    {"HPERSIST nokey FIELDS 1 a", "[:-2]"},
    {"HTTL nokey FIELDS 2 a b", "[:-2 :-2]"},
    {"HPTTL nokey FIELDS 1 a", "[:-2]"},
    {"HEXPIRETIME nokey FIELDS 1 a", "[:-2]"},
    {"HPEXPIRETIME nokey FIELDS 1 a", "[:-2]"},
    {"HGETEX nokey FIELDS 2 a b", "[nil nil]"},
    {"HGETEX nokey EX 10 FIELDS 1 a", "[nil]"},
    {"HGETDEL nokey FIELDS 1 a", "[nil]"},
    {"EXISTS nokey", ":0"},
};

static const struct wire_case conditions[] = {
    {"HSET k a 1 b 2", ":2"},
    {"HEXPIRE k 100 XX FIELDS 1 a", "[:0]"},
    {"HEXPIRE k 100 GT FIELDS 1 a", "[:0]"},
    {"OBJECT ENCODING k", "'listpack'"},
    {"HEXPIRE k 100 nx fields 1 a", "[:1]"},
    {"HEXPIRE k 200 NX FIELDS 2 a x", "[:0 :-2]"},
    {"HTTL k FIELDS 1 a", "/^\\[:(100|99)\\]$"},
    {"HEXPIRE k 50 GT FIELDS 1 a", "[:0]"},
    {"HEXPIRE k 200 GT FIELDS 1 a", "[:1]"},
    {"HEXPIRE k 300 LT FIELDS 1 a", "[:0]"},
    {"HEXPIRE k 150 LT FIELDS 1 a", "[:1]"},
    {"HEXPIRE k 150 LT FIELDS 1 b", "[:1]"},
    {"HEXPIRE k 300 XX FIELDS 2 a b", "[:1 :1]"},
    {"HTTL k FIELDS 2 a b", "/^\\[:(300|299) :(300|299)\\]$"},
    {"HPEXPIREAT k 5 GT FIELDS 1 a", "[:0]"},
    {"HPEXPIREAT k 5 NX FIELDS 1 a", "[:0]"},
    {"HPEXPIREAT k 5 LT FIELDS 1 a", "[:2]"},
    {"HKEYS k", "['b']"},
};

static const struct wire_case expire_errors[] = {
    {"HSET k a 1 b 2", ":2"},
    {"SET s v", "+OK"},
    {"HEXPIRE k 10 FIELDS 1", ARITY("hexpire")},
    {"HPEXPIRE k 10 FIELDS 1", ARITY("hpexpire")},
    {"HTTL k FIELDS 1", ARITY("httl")},
    {"HPERSIST k FIELDS 1", ARITY("hpersist")},
    {"HEXPIRE s 10 FIELDS 1 a", WRONGTYPE},
    {"HEXPIRE s x FOO 1 a", WRONGTYPE},
    {"HTTL s FOO 1 a", WRONGTYPE},
    {"HPERSIST s FIELDS 1 a", WRONGTYPE},
    {"HEXPIRE k x FOO 1 a", NOT_AN_INTEGER},
    {"HEXPIRE nokey x FOO 1 a", NOT_AN_INTEGER},
    {"HEXPIRE k -1 FOO 1 a", "-ERR invalid expire time, must be >= 0"},
    {"HEXPIREAT k -5 FIELDS 1 a", "-ERR invalid expire time, must be >= 0"},
    {"HEXPIRE k 70368744178 FIELDS 1 a", "-ERR invalid expire time in 'hexpire' command"},
    {"HEXPIRE k 70368744177 FIELDS 1 a", "-ERR invalid expire time in 'hexpire' command"},
    {"HEXPIREAT k 70368744177 FIELDS 1 a", "[:1]"},
    {"HPEXPIREAT k 70368744177664 FIELDS 1 a", "-ERR invalid expire time in 'hpexpireat' command"},
    {"HPEXPIREAT k 70368744177663 FIELDS 1 a", "[:1]"},
    {"HPEXPIRETIME k FIELDS 1 a", "[:70368744177663]"},
    {"HPEXPIRE k 9223372036854775807 FIELDS 1 a", "-ERR invalid expire time in 'hpexpire' command"},
    {"HPEXPIRE k 9223372036854775808 FIELDS 1 a", NOT_AN_INTEGER},
    {"HEXPIRE k 10 FOO 1 a", NO_FIELDS},
    {"HEXPIRE k 10 NX XX FIELDS 1 a", NO_FIELDS},
    {"HEXPIRE k 10 NX FOO 1 a", NO_FIELDS},
    {"HEXPIRE k 10 FIELDS 0 a", "-ERR Parameter `numFields` should be greater than 0"},
    {"HEXPIRE k 10 FIELDS -1 a", "-ERR Parameter `numFields` should be greater than 0"},
    {"HEXPIRE k 10 FIELDS x a", "-ERR Parameter `numFields` should be greater than 0"},
    {"HEXPIRE k 10 FIELDS 2 a", MISMATCH},
    {"HEXPIRE k 10 FIELDS 1 a b", MISMATCH},
    {"HEXPIRE k 10 FIELDS 1 a NX", MISMATCH},
    {"HTTL k FOO 1 a", NO_FIELDS},
    {"HTTL k FIELDS 0 a", NOT_POSITIVE},
    {"HTTL k FIELDS 2 a", MISMATCH},
    {"HPTTL nokey FIELDS 2 a", MISMATCH},
    {"HPERSIST k FOO 1 a", NO_FIELDS},
    {"HPERSIST k FIELDS x a", NOT_POSITIVE},
    {"HPERSIST k FIELDS 1 a b", MISMATCH},
};

static const struct wire_case hgetex[] = {
    {"HSET k a 1 b 2 c 3", ":3"},
    {"HGETEX k FIELDS 2 a x", "['1' nil]"},
    {"OBJECT ENCODING k", "'listpack'"},
    {"HGETEX k EX 100 FIELDS 2 a x", "['1' nil]"},
    {"HTTL k FIELDS 2 a b", "/^\\[:(100|99) :-1\\]$"},
    {"HGETEX k FIELDS 1 a", "['1']"},
    {"HTTL k FIELDS 1 a", "/^\\[:(100|9[0-9])\\]$"},
    {"HGETEX k px 50000 fields 1 b", "['2']"},
    {"HTTL k FIELDS 1 b", "/^\\[:(50|49)\\]$"},
    {"HGETEX k EXAT 33177117420 FIELDS 1 b", "['2']"},
    {"HGETEX k PXAT 33177117420001 FIELDS 1 c", "['3']"},
    {"HPEXPIRETIME k FIELDS 2 b c", "[:33177117420000 :33177117420001]"},
    {"HGETEX k PERSIST FIELDS 3 a b x", "['1' '2' nil]"},
    {"HTTL k FIELDS 2 a b", "[:-1 :-1]"},
    {"HGETEX k PXAT 1 FIELDS 2 a a", "['1' nil]"},
    {"HLEN k", ":2"},
    {"HGETEX k EX 0 FIELDS 2 b c", "['2' '3']"},
    {"EXISTS k", ":0"},
    {"HSET k a 1", ":1"},
    {"SET s v", "+OK"},
    {"HGETEX s FIELDS 1 a", WRONGTYPE},
    {"HGETEX k FIELDS 1", ARITY("hgetex")},
    {"HGETEX k EX 10 FIELDS 1", ARITY("hgetex")},
    {"HGETEX k FOO 1 a", NO_FIELDS},
    {"HGETEX k EX 10 FOO 1 a", NO_FIELDS},
    {"HGETEX k EX x FIELDS 1 a", NOT_AN_INTEGER},
    {"HGETEX k EX -1 FIELDS 1 a", "-ERR invalid expire time, must be >= 0"},
    {"HGETEX k EX 70368744178 FIELDS 1 a", "-ERR invalid expire time in 'hgetex' command"},
    {"HGETEX k FIELDS 0 a", NOT_POSITIVE},
    {"HGETEX k FIELDS 2 a", MISMATCH},
    {"HGETEX k PERSIST FIELDS 1 a b", MISMATCH},
};

static const struct wire_case hgetdel[] = {
    {"HSET k a 1 b 2 c 3", ":3"},
    {"HGETDEL k FIELDS 3 a x a", "['1' nil nil]"},
    {"HLEN k", ":2"},
    {"HEXPIRE k 100 FIELDS 1 b", "[:1]"},
    {"HGETDEL k FIELDS 2 b c", "['2' '3']"},
    {"EXISTS k", ":0"},
    {"HSET k a 1", ":1"},
    {"SET s v", "+OK"},
    {"HGETDEL s FIELDS 1 a", WRONGTYPE},
    {"HGETDEL k FIELDS 1", ARITY("hgetdel")},
    {"HGETDEL k FOO 1 a", NO_FIELDS},
    {"HGETDEL k FIELDS 0 a", NOT_POSITIVE},
    {"HGETDEL k FIELDS 2 a", MISMATCH},
};

#define ONE_TIME "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"

static const struct wire_case hsetex[] = {
    {"HSETEX k FIELDS 2 a 1 b 2", ":1"},
    {"OBJECT ENCODING k", "'listpack'"},
    {"HSETEX k EX 100 FIELDS 2 a 2 c 3", ":1"},
    {"OBJECT ENCODING k", "'listpackex'"},
    {"HTTL k FIELDS 3 a b c", "/^\\[:(100|99) :-1 :(100|99)\\]$"},
    {"HMGET k a b c", "['2' '2' '3']"},
    {"HSETEX k KEEPTTL FIELDS 2 a 4 d 5", ":1"},
    {"HTTL k FIELDS 2 a d", "/^\\[:(100|9[0-9]) :-1\\]$"},
    {"HGET k a", "'4'"},
    {"HSETEX k FIELDS 1 a 5", ":1"},
    {"HTTL k FIELDS 1 a", "[:-1]"},
    {"HSETEX k FNX FIELDS 2 e 1 a 6", ":0"},
    {"HEXISTS k e", ":0"},
    {"HSETEX k FXX FIELDS 2 e 1 a 6", ":0"},
    {"HGET k a", "'5'"},
    {"HSETEX k FNX PX 50000 FIELDS 2 e 1 f 6", ":1"},
    {"HTTL k FIELDS 1 f", "/^\\[:(50|49)\\]$"},
    {"HSETEX k exat 33177117420 fxx FIELDS 2 e 1 f 7", ":1"},
    {"HSETEX k PXAT 33177117420001 FIELDS 1 a 7", ":1"},
    {"HPEXPIRETIME k FIELDS 3 e f a", "[:33177117420000 :33177117420000 :33177117420001]"},
    {"HSETEX k PXAT 1 FIELDS 2 a 1 z 1", ":1"},
    {"HMGET k a z", "[nil nil]"},
    {"HSETEX nokey FXX FIELDS 1 a 1", ":0"},
    {"EXISTS nokey", ":0"},
    {"HSETEX nokey EX 0 FIELDS 1 a 1", ":1"},
    {"EXISTS nokey", ":0"},
    {"HSETEX new EX 100 FIELDS 1 a 1", ":1"},
    {"OBJECT ENCODING new", "'listpackex'"},
    {"SET s v", "+OK"},
    {"HSETEX s FIELDS 1 a 1", WRONGTYPE},
    {"HSETEX s FOO FIELDS 1 a 1", "-ERR unknown argument: FOO"},
    {"HSETEX k FIELDS 1 a", ARITY("hsetex")},
    {"HSETEX k EX 10 FIELDS 1 a", ARITY("hsetex")},
    {"HSETEX k FIELDS 1 a 1 b", ARITY("hsetex")},
    {"HSETEX k FIELDS 2 a 1 b", ARITY("hsetex")},
    {"HSETEX k FIELDS 1 a 1 b 2", ARITY("hsetex")},
    {"HSETEX k FIELDS 0 a 1", "-ERR invalid number of fields"},
    {"HSETEX k FIELDS x a 1", "-ERR invalid number of fields"},
    {"HSETEX k FNX FXX FIELDS 1 a 1", "-ERR Only one of FXX or FNX arguments can be specified"},
    {"HSETEX k EX 10 PX 10 FIELDS 1 a 1", ONE_TIME},
    {"HSETEX k EX 10 KEEPTTL FIELDS 1 a 1", ONE_TIME},
    {"HSETEX k KEEPTTL KEEPTTL FIELDS 1 a 1", ONE_TIME},
    {"HSETEX k EX x FIELDS 1 a 1", NOT_AN_INTEGER},
    {"HSETEX k EX -1 FIELDS 1 a 1", "-ERR invalid expire time, must be >= 0"},
    {"HSETEX k EX 70368744178 FIELDS 1 a 1", "-ERR invalid expire time in 'hsetex' command"},
    {"HSETEX k FNX a b c EX", "-ERR unknown argument: a"},
    {"HSETEX k FNX FXX a b c", "-ERR Only one of FXX or FNX arguments can be specified"},
    {"HSETEX k FNX KEEPTTL FXX 1", "-ERR Only one of FXX or FNX arguments can be specified"},
    {"HSETEX k FNX KEEPTTL a PXAT", "-ERR unknown argument: a"},
    {"HSETEX k FNX EXAT 1 EX", ONE_TIME},
};

static const struct wire_case what_keeps_a_time[] = {
    {"HSET k a 1 b 2 c 3", ":3"},
    {"HEXPIREAT k 33177117420 FIELDS 3 a b c", "[:1 :1 :1]"},
    {"HINCRBY k a 1", ":2"},
    {"HINCRBYFLOAT k a 1.5", "'3.5'"},
    {"HSETNX k a 7", ":0"},
    {"HEXPIRETIME k FIELDS 3 a b c", "[:33177117420 :33177117420 :33177117420]"},
    {"HSET k a 1", ":0"},
    {"HMSET k b 1", "+OK"},
    {"HEXPIRETIME k FIELDS 3 a b c", "[:-1 :-1 :33177117420]"},
    {"RENAME k l", "+OK"},
    {"HEXPIRETIME l FIELDS 1 c", "[:33177117420]"},
    {"COPY l m", ":1"},
    {"HEXPIRETIME m FIELDS 2 a c", "[:-1 :33177117420]"},
    {"MOVE m 5", ":1"},
    {"SELECT 5", "+OK"},
    {"HEXPIRETIME m FIELDS 1 c", "[:33177117420]"},
    {"HDEL m a b", ":2"},
    {"HSET m a 2", ":1"},
    {"HTTL m FIELDS 1 a", "[:-1]"},
    {"SELECT 0", "+OK"},
    {"HDEL l c", ":1"},
    {"HSET l c 3", ":1"},
    {"HTTL l FIELDS 1 c", "[:-1]"},
};

static const struct wire_case large_times[] = {
    {"CONFIG SET hash-max-listpack-entries 2", "+OK"},
    {"HSET k a 1 b 2", ":2"},
    {"HEXPIRE k 100 FIELDS 1 a", "[:1]"},
    {"OBJECT ENCODING k", "'listpackex'"},
    {"HSET k c 3", ":1"},
    {"OBJECT ENCODING k", "'hashtable'"},
    {"HTTL k FIELDS 3 a b c", "/^\\[:(100|99) :-1 :-1\\]$"},
    {"HEXPIREAT k 33177117420 FIELDS 2 b c", "[:1 :1]"},
    {"HINCRBY k b 5", ":7"},
    {"HSETEX k KEEPTTL FIELDS 1 c 123456789012345678901234567890", ":1"},
    {"HEXPIRETIME k FIELDS 2 b c", "[:33177117420 :33177117420]"},
    {"HSET k b 123456789012345678901234567890", ":0"},
    {"HPERSIST k FIELDS 3 a b c", "[:1 :-1 :1]"},
    {"HGETALL k",
     "%{'1' '123456789012345678901234567890' '123456789012345678901234567890' 'a' 'b' 'c'}"},
    {"HGETEX k PX 30 FIELDS 2 a b", "['1' '123456789012345678901234567890']"},
    {"~80"},
    {"HGETALL k", "{'c' '123456789012345678901234567890'}"},
    {"HPEXPIRE k 0 FIELDS 1 c", "[:2]"},
    {"EXISTS k", ":0"},
    {"CONFIG SET hash-max-listpack-entries 512", "+OK"},
};

static const struct wire_case watched[] = {
    {"HSET k a 1 b 2", ":2"},
    {"HPEXPIRE k 100 FIELDS 1 a", "[:1]"},
    {"WATCH k", "+OK"},
    {"~160"},
    {"MULTI", "+OK"},
    {"EXEC", "nil", "nil*"},
    {"DEBUG SET-ACTIVE-EXPIRE 0", "+OK"},
    {"HPEXPIRE k 40 FIELDS 1 b", "[:1]"},
    {"WATCH k", "+OK"},
    {"~80"},
    {"MULTI", "+OK"},
    {"PING", "+QUEUED"},
    {"EXEC", "nil", "nil*"},
    {"DEBUG SET-ACTIVE-EXPIRE 1", "+OK"},
    {"HSET k b 2", ":1"},
    {"WATCH k", "+OK"},
    {"@1 HEXPIRE k 100 FIELDS 1 b", "[:1]"},
    {"MULTI", "+OK"},
    {"EXEC", "nil", "nil*"},
    {"WATCH k", "+OK"},
    {"@1 HEXPIRE k 100 NX FIELDS 1 b", "[:0]"},
    {"@1 HTTL k FIELDS 1 b", "/."},
    {"@1 HGETEX k FIELDS 1 b", "['2']"},
    {"MULTI", "+OK"},
    {"EXEC", "[]"},
    {"WATCH k", "+OK"},
    {"@1 HPERSIST k FIELDS 1 b", "[:1]"},
    {"MULTI", "+OK"},
    {"EXEC", "nil", "nil*"},
};

#define EVENT(name, key) ">['pmessage' '__keyevent@0__:*' '__keyevent@0__:" name "' '" key "']"

static const struct wire_case events[] = {
    {"CONFIG SET notify-keyspace-events EAn", "+OK"},
    {"@1 PSUBSCRIBE __keyevent@0__:*", ">['psubscribe' '__keyevent@0__:*' :1]"},
    {"HSETEX k FIELDS 4 a 1 b 2 c 3 d 4", ":1"},
    {"@1", EVENT("new", "k")},
    {"@1", EVENT("hset", "k")},
    {"HEXPIRE k 100 FIELDS 2 a b", "[:1 :1]"},
    {"@1", EVENT("hexpire", "k")},
    {"HEXPIRE k 100 NX FIELDS 2 a x", "[:0 :-2]"},
    {"HPERSIST k FIELDS 2 a c", "[:1 :-1]"},
    {"@1", EVENT("hpersist", "k")},
    {"HPERSIST k FIELDS 1 a", "[:-1]"},
    {"HSETEX k EX 100 FIELDS 1 a 1", ":1"},
    {"@1", EVENT("hset", "k")},
    {"@1", EVENT("hexpire", "k")},
    {"HSETEX k KEEPTTL FIELDS 1 a 1", ":1"},
    {"@1", EVENT("hset", "k")},
    {"HGETEX k PERSIST FIELDS 1 a", "['1']"},
    {"@1", EVENT("hpersist", "k")},
    {"HGETEX k PX 100000 FIELDS 1 a", "['1']"},
    {"@1", EVENT("hexpire", "k")},
    {"HGETEX k FIELDS 1 a", "['1']"},
    {"HGETEX k PX 100000 FIELDS 1 x", "[nil]"},
    {"HSETEX k PXAT 1 FIELDS 1 a 1", ":1"},
    {"@1", EVENT("hset", "k")},
    {"@1", EVENT("hdel", "k")},
    {"HEXPIRE k 0 FIELDS 1 b", "[:2]"},
    {"@1", EVENT("hdel", "k")},
    {"HPEXPIRE k 30 FIELDS 1 c", "[:1]"},
    {"@1", EVENT("hexpire", "k")},
    {"~80"},
    {"@1", EVENT("hexpired", "k")},
    {"HGETDEL k FIELDS 1 x", "[nil]"},
    {"HPEXPIRE k 30 FIELDS 1 d", "[:1]"},
    {"@1", EVENT("hexpire", "k")},
    {"~80"},
    {"@1", EVENT("hexpired", "k")},
    {"@1", EVENT("del", "k")},
    {"HSET k a 1", ":1"},
    {"@1", EVENT("new", "k")},
    {"@1", EVENT("hset", "k")},
    {"HGETEX k PXAT 1 FIELDS 1 a", "['1']"},
    {"@1", EVENT("hdel", "k")},
    {"@1", EVENT("del", "k")},
    {"HSETEX k EX 0 FIELDS 1 a 1", ":1"},
    {"@1", EVENT("new", "k")},
    {"@1", EVENT("hset", "k")},
    {"@1", EVENT("hdel", "k")},
    {"@1", EVENT("del", "k")},
    {"HSET k a 1 b 2", ":2"},
    {"@1", EVENT("new", "k")},
    {"@1", EVENT("hset", "k")},
    {"HGETDEL k FIELDS 1 a", "['1']"},
    {"@1", EVENT("hdel", "k")},
    {"HEXPIREAT k 1 FIELDS 1 b", "[:2]"},
    {"@1", EVENT("hdel", "k")},
    {"@1", EVENT("del", "k")},
    {"DEBUG SET-ACTIVE-EXPIRE 0", "+OK"},
    {"HSETEX k PX 20 FIELDS 2 a 1 b 2", ":1"},
    {"@1", EVENT("new", "k")},
    {"@1", EVENT("hset", "k")},
    {"@1", EVENT("hexpire", "k")},
    {"~40"},
    {"HMGET k a b", "[nil nil]"},
    {"@1", EVENT("hexpired", "k")},
    {"@1", EVENT("del", "k")},
    {"DEBUG SET-ACTIVE-EXPIRE 1", "+OK"},
    {"CONFIG SET notify-keyspace-events ''", "+OK"},
};

static const struct wire_case statistics[] = {
    {"CONFIG RESETSTAT", "+OK"},
    {"HSET k a 1 b 2 c 3", ":3"},
    {"INFO keyspace", "/db0:keys=1,expires=0,avg_ttl=0,subexpiry=0"},
    {"HPEXPIRE k 30 FIELDS 2 a b", "[:1 :1]"},
    {"EXPIRE k 100", ":1"},
    {"INFO keyspace", "/db0:keys=1,expires=1,avg_ttl=(100000|9[0-9]{4}),subexpiry=1"},
    {"~80"},
    {"INFO keyspace", "/db0:keys=1,expires=1,avg_ttl=(100000|9[0-9]{4}),subexpiry=0"},
    {"INFO stats", "/expired_keys:0.*expired_subkeys:2"},
    {"HPEXPIRE k 0 FIELDS 1 c", "[:2]"},
    {"INFO stats", "/expired_keys:0.*expired_subkeys:3"},
    {"DBSIZE", ":0"},
};

/* The digest of a key is the same whatever the encoding; a time is a part of it. */
static void digests(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    char packed[64], table[64];

    wire_call(w, "HSET k 1 2 b text");
    snprintf(packed, sizeof(packed), "%s", wire_call(w, "DEBUG DIGEST-VALUE k"));
    wire_callf(w, "HSET k c %0100d", 1);
    is_str(wire_call(w, "OBJECT ENCODING k"), "'hashtable'", "a table now");
    wire_call(w, "HDEL k c");
    is_str(wire_call(w, "DEBUG DIGEST-VALUE k"), packed, "of the same content");
    wire_call(w, "HEXPIRE k 100 FIELDS 1 b");
    snprintf(table, sizeof(table), "%s", wire_call(w, "DEBUG DIGEST-VALUE k"));
    ok(strcmp(table, packed) != 0, "with a time it is other content");
    wire_call(w, "HSETEX l EX 100 FIELDS 1 b text");
    wire_call(w, "HSET l 1 2");
    is_str(wire_call(w, "OBJECT ENCODING l"), "'listpackex'", "a packed one");
    is_str(wire_call(w, "DEBUG DIGEST-VALUE l"), table, "has the same digest");
    ok(wire_int(w, "MEMORY USAGE k") > wire_int(w, "MEMORY USAGE l"), "and takes less memory");
    is_like(wire_call(w, "DEBUG OBJECT l"), "encoding:listpackex serializedlength:[1-9]", "shown");
    is_like(wire_call(w, "DEBUG HTSTATS-KEY k"), "number of elements: 2", "tables are shown too");
}

static const struct group groups[] = {
    NEW_TABLE(times),       NEW_TABLE(nothing_there),
    NEW_TABLE(conditions),  NEW_TABLE(expire_errors),
    NEW_TABLE(hgetex),      NEW_TABLE(hgetdel),
    NEW_TABLE(hsetex),      NEW_TABLE(what_keeps_a_time),
    NEW_TABLE(large_times), NEW_TABLE(watched),
    NEW_TABLE(events),      NEW_TABLE(statistics),
    NEW_TEST(digests),      {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("hash_ttl", "--enable-debug-command yes", threads, groups);
}
