/* Keys that are guarded by a lock of their name: nobody else touches them while it is held. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

static const struct wire_case others_wait[] = {
    {"SET k before", "+OK"},
    {"LOCK.ACQUIRE k GUARD", ":$+a"},
    {"GET k", "'before'"},
    {"SET k inside", "+OK"},
    {"@1 GET k", "(waits)"},
    {"@2 SET k outside", "(waits)"},
    {"@3 DEL k", "(waits)"},
    {"@4 GET other", "nil"},
    {"@4 SET other x", "+OK"},
    {"SET k last", "+OK"},
    {"LOCK.RELEASE k $a", ":1"},
    {"@1", "/^'(last|outside)'$"},
    {"@2", "+OK"},
    {"@3", ":1"},
};

/* In the order in which they came. */
static const struct wire_case in_turn[] = {
    {"LOCK.ACQUIRE k GUARD", ":$+a"},
    {"@1 RPUSH k 1", "(waits)"},
    {"@2 RPUSH k 2", "(waits)"},
    {"@3 RPUSH k 3", "(waits)"},
    {"@4 LRANGE k 0 -1", "(waits)"},
    {"LOCK.RELEASE k $a", ":1"},
    {"@1", ":1"},
    {"@2", ":2"},
    {"@3", ":3"},
    {"@4", "['1' '2' '3']"},
};

static const struct wire_case timeouts[] = {
    {"SET k v", "+OK"},
    {"LOCK.ACQUIRE k GUARD", ":$+a"},
    {"@1 CLIENT LOCK-TIMEOUT 30", "+OK"},
    {"@1 GET k", "/^-LOCKED "},
    {"@1 SET k x", "/^-LOCKED "},
    {"@1 DEL k", "/^-LOCKED "},
    {"@1 MGET other k", "/^-LOCKED "},
    {"@1 GET other", "nil"},
    {"@1 CLIENT LOCK-TIMEOUT", "/^-ERR "},
    {"@1 CLIENT LOCK-TIMEOUT x", "/^-ERR "},
    {"@1 CLIENT LOCK-TIMEOUT -5", "/^-ERR "},
    {"GET k", "'v'"},
    {"LOCK.RELEASE k $a SET w", ":1"},
    {"@1 GET k", "'w'"},
};

/* By the positions of its keys, whatever the command. */
static const struct wire_case every_command[] = {
    {"MSET k v l w", "+OK"},
    {"LOCK.ACQUIRE k GUARD", ":$+a"},
    {"@1 CLIENT LOCK-TIMEOUT 10", "+OK"},
    {"@1 MGET l k", "/^-LOCKED "},
    {"@1 MSET l 1 k 2", "/^-LOCKED "},
    {"@1 RENAME l k", "/^-LOCKED "},
    {"@1 RENAME k l", "/^-LOCKED "},
    {"@1 EXISTS k", "/^-LOCKED "},
    {"@1 EXPIRE k 10", "/^-LOCKED "},
    {"@1 TYPE k", "/^-LOCKED "},
    {"@1 INCR k", "/^-LOCKED "},
    {"@1 HSET k a b", "/^-LOCKED "},
    {"@1 LPUSH k a", "/^-LOCKED "},
    {"@1 SADD k a", "/^-LOCKED "},
    {"@1 ZADD k 1 a", "/^-LOCKED "},
    {"@1 ZUNIONSTORE d 2 l k", "/^-LOCKED "},
    {"@1 ZUNIONSTORE k 1 l", "/^-LOCKED "},
    {"@1 SORT k", "/^-LOCKED "},
    {"@1 BITOP AND d l k", "/^-LOCKED "},
    {"@1 PFMERGE d k", "/^-LOCKED "},
    {"@1 COPY l k", "/^-LOCKED "},
    {"@1 OBJECT ENCODING k", "/^-LOCKED "},
    {"@1 LMPOP 2 l k LEFT", "/^-LOCKED "},
    {"@1 BLPOP l k 1", "/^-LOCKED "},
    {"@1 GETDEL k", "/^-LOCKED "},
    {"@1 GET l", "'w'"},
    {"@1 EXISTS d", ":0"},
    {"GET k", "'v'"},
};

static const struct wire_case in_transactions[] = {
    {"SET k v", "+OK"},        {"LOCK.ACQUIRE k GUARD", ":$+a"},
    {"@1 MULTI", "+OK"},       {"@1 SET other 1", "+QUEUED"},
    {"@1 SET k 1", "+QUEUED"}, {"@1 EXEC", "(waits)"},
    {"@2 GET other", "nil"},   {"MULTI", "+OK"},
    {"GET k", "+QUEUED"},      {"SET k mine", "+QUEUED"},
    {"EXEC", "['v' +OK]"},     {"@3 CLIENT LOCK-TIMEOUT 20", "+OK"},
    {"@3 MULTI", "+OK"},       {"@3 GET k", "+QUEUED"},
    {"@3 EXEC", "/^-LOCKED "}, {"LOCK.RELEASE k $a", ":1"},
    {"@1", "[+OK +OK]"},       {"@1 GET k", "'1'"},
};

/* However the lock ends, who waits goes on. */
static const struct wire_case ends[] = {
    {"LOCK.ACQUIRE k GUARD LEASE 60", ":$+a"},
    {"@1 SET k 1", "+OK"},
    {"LOCK.ACQUIRE k GUARD", ":$+a"},
    {"@1 SET k 2", "(waits)"},
    {"@2 LOCK.BREAK k", ":1"},
    {"@1", "+OK"},
    {"@3 LOCK.ACQUIRE k GUARD", ":$+b"},
    {"@1 SET k 3", "(waits)"},
    {"@3 QUIT", "+OK"},
    {"@1", "+OK"},
    {"GET k", "'3'"},
    {"LOCK.ACQUIRE k GUARD", ":$+a"},
    {"@1 SET k 4", "(waits)"},
    {"@4 LOCK.ACQUIRE k WAIT -1", "(waits)"},
    {"LOCK.RELEASE k $a SET committed", ":1"},
    {"@1", "+OK"},
    {"@4", ":$?"},
    {"GET k", "'4'"},
};

/* The next holder of a guarded key is before those who only touch it, if it came before. */
static const struct wire_case next_guard[] = {
    {"SET k 0", "+OK"},
    {"LOCK.ACQUIRE k GUARD", ":$+a"},
    {"@1 LOCK.ACQUIRE k GUARD WAIT -1", "(waits)"},
    {"@2 SET k 1", "(waits)"},
    {"LOCK.RELEASE k $a", ":1"},
    {"@1", ":$+b"},
    {"@2", "(silence)"},
    {"@1 GET k", "'0'"},
    {"@1 LOCK.RELEASE k $b", ":1"},
    {"@2", "+OK"},
};

static const struct wire_case cut_waiters[] = {
    {"LOCK.ACQUIRE k GUARD", ":$+a"},
    {"@1 CLIENT ID", ":$+i"},
    {"@1 SET k lost", "(waits)"},
    {"@2 SET k kept", "(waits)"},
    {"CLIENT KILL ID $i", ":1"},
    {"@1", "(closed)"},
    {"LOCK.RELEASE k $a", ":1"},
    {"@2", "+OK"},
    {"GET k", "'kept'"},
};

/* A lock without GUARD is in nobody's way. */
static const struct wire_case without_guard[] = {
    {"LOCK.ACQUIRE k", ":$+a"},
    {"@1 SET k 1", "+OK"},
    {"@1 GET k", "'1'"},
    {"@1 DEL k", ":1"},
};

static const struct wire_case databases[] = {
    {"LOCK.ACQUIRE k GUARD", ":$+a"},
    {"@1 SELECT 1", "+OK"},
    {"@1 CLIENT LOCK-TIMEOUT 20", "+OK"},
    {"@1 SET k 1", "+OK"},
    {"@1 DEL k", ":1"},
    {"@1 SELECT 0", "+OK"},
    {"@1 SET k 1", "/^-LOCKED "},
};

static const struct group groups[] = {
    NEW_TABLE(others_wait),   NEW_TABLE(in_turn),           NEW_TABLE(timeouts),
    NEW_TABLE(every_command), NEW_TABLE(in_transactions),   NEW_TABLE(ends),
    NEW_TABLE(next_guard),    NEW_TABLE(cut_waiters),       NEW_TABLE(without_guard),
    NEW_TABLE(databases),     {NULL, NULL, 0, NULL, false},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("lock guards", "", threads, groups);
}
