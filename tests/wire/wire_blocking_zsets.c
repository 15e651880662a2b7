/* Commands that wait for sorted sets. What they share with those for lists: wire_blocking.c. */
#include "tests/lib/wire.h"

#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define NOT_A_FLOAT "-ERR timeout is not a float or out of range"
#define NEGATIVE "-ERR timeout is negative"
#define NUMKEYS "-ERR numkeys should be greater than 0"

static const struct wire_case at_once[] = {
    {"ZADD z 1 a 2 b 3 c 4 d 5 e 6 f", ":6"},
    {"BZPOPMIN z 0", "['z' 'a' ,1]"},
    {"BZPOPMAX z 0", "['z' 'f' ,6]"},
    {"BZPOPMIN none z 0", "['z' 'b' ,2]"},
    {"BZMPOP 0 2 none z MIN", "['z' [['c' ,3]]]"},
    {"BZMPOP 0 1 z MAX COUNT 10", "['z' [['e' ,5] ['d' ,4]]]"},
    {"EXISTS z", ":0"},
    {"ZADD z 1.5 x", ":1"},
    {"ZADD y inf x", ":1"},
    {"BZPOPMAX y z 0", "['y' 'x' ,inf]"},
    {"BZPOPMAX y z 0", "['z' 'x' ,1.5]"},
};

static const struct wire_case arguments[] = {
    {"BZPOPMIN z", "-ERR wrong number of arguments for 'bzpopmin' command"},
    {"BZPOPMAX", "-ERR wrong number of arguments for 'bzpopmax' command"},
    {"BZMPOP 0 1 z", "-ERR wrong number of arguments for 'bzmpop' command"},
    {"BZPOPMIN z x", NOT_A_FLOAT},
    {"BZPOPMAX z -1", NEGATIVE},
    {"BZMPOP x 1 z MIN", NOT_A_FLOAT},
    {"BZMPOP -1 1 z MIN", NEGATIVE},
    {"BZMPOP x 0 z MIN", NUMKEYS},
    {"BZMPOP x z z MIN", NUMKEYS},
    {"BZMPOP x 2 z MIN", "-ERR syntax error"},
    {"BZMPOP x 1 z LEFT", "-ERR syntax error"},
    {"BZMPOP x 1 z MIN COUNT", "-ERR syntax error"},
    {"BZMPOP x 1 z MIN COUNT 0", "-ERR count should be greater than 0"},
    {"BZMPOP x 1 z MIN COUNT 1 COUNT 1", "-ERR syntax error"},
    {"SET s 1", "+OK"},
    {"RPUSH l 1", ":1"},
    {"BZPOPMIN s 0", WRONGTYPE},
    {"BZPOPMAX none l 0", WRONGTYPE},
    {"BZMPOP 0 2 none l MIN", WRONGTYPE},
    {"BZPOPMIN z 0.01", "nil", "nil*"},
    {"BZPOPMAX z y 0.01", "nil", "nil*"},
    {"BZMPOP 0.01 1 z MIN", "nil", "nil*"},
    {"MULTI", "+OK"},
    {"BZPOPMIN z 0", "+QUEUED"},
    {"BZPOPMAX z 0", "+QUEUED"},
    {"BZMPOP 0 1 z MIN", "+QUEUED"},
    {"ZADD z 1 a", "+QUEUED"},
    {"BZPOPMIN z 0", "+QUEUED"},
    {"EXEC", "[nil nil nil :1 ['z' 'a' ,1]]", "[nil* nil* nil* :1 ['z' 'a' '1']]"},
};

static const struct wire_case first_come[] = {
    {"@1 BZPOPMIN z 0", "(waits)"},
    {"@2 BZPOPMAX z 0", "(waits)"},
    {"@3 BZMPOP 0 2 y z MIN COUNT 2", "(waits)"},
    {"@4 BZPOPMAX y z 0", "(waits)"},
    {"ZADD z XX 1 a", ":0"},
    {"ZADD z 1 a", ":1"},
    {"@1", "['z' 'a' ,1]"},
    {"ZADD z 1 a 2 b 3 c 4 d", ":4"},
    {"@2", "['z' 'd' ,4]"},
    {"@3", "['z' [['a' ,1] ['b' ,2]]]"},
    {"@4", "['z' 'c' ,3]"},
    {"EXISTS z", ":0"},
};

static const struct wire_case served_by[] = {
    {"ZADD x 1 a 2 b", ":2"},  {"@1 BZPOPMIN z 0", "(waits)"}, {"ZINCRBY z 5 m", ",5"},
    {"@1", "['z' 'm' ,5]"},    {"@1 BZPOPMIN z 0", "(waits)"}, {"ZADD z INCR 7 m", ",7"},
    {"@1", "['z' 'm' ,7]"},    {"@1 BZPOPMIN z 0", "(waits)"}, {"RENAME x z", "+OK"},
    {"@1", "['z' 'a' ,1]"},    {"@1 BZPOPMIN v 0", "(waits)"}, {"COPY z v", ":1"},
    {"@1", "['v' 'b' ,2]"},    {"@1 BZPOPMIN x 0", "(waits)"}, {"MULTI", "+OK"},
    {"ZADD x 2 a", "+QUEUED"}, {"ZADD x 1 b", "+QUEUED"},      {"EXEC", "[:1 :1]"},
    {"@1", "['x' 'b' ,1]"},
};

static const struct wire_case stored[] = {
    {"ZADD x 1 a 2 b", ":2"},       {"ZADD w 1 a 3 c", ":2"},      {"@1 BZPOPMAX z 0", "(waits)"},
    {"ZUNIONSTORE z 2 x w", ":3"},  {"@1", "['z' 'c' ,3]"},        {"ZREM z a b", ":2"},
    {"@1 BZPOPMAX z 0", "(waits)"}, {"ZINTERSTORE z 2 x w", ":1"}, {"@1", "['z' 'a' ,2]"},
    {"@1 BZPOPMIN z 0", "(waits)"}, {"ZDIFFSTORE z 2 x w", ":1"},  {"@1", "['z' 'b' ,2]"},
    {"@1 BZPOPMIN z 0", "(waits)"}, {"ZRANGESTORE z x 0 0", ":1"}, {"@1", "['z' 'a' ,1]"},
};

/* Who waits for a list is not in the way of who waits for a sorted set. */
static const struct wire_case both_types[] = {
    {"@1 BLPOP k 0", "(waits)"},
    {"@2 BZPOPMIN k 0", "(waits)"},
    {"@3 BLPOP k 0", "(waits)"},
    {"SADD k x", ":1"},
    {"DEL k", ":1"},
    {"ZADD k 1 a", ":1"},
    {"@2", "['k' 'a' ,1]"},
    {"@1", "(silence)"},
    {"@2 BZPOPMIN k 0", "(waits)"},
    {"RPUSH k x y z", ":3"},
    {"@1", "['k' 'x']"},
    {"@3", "['k' 'y']"},
    {"@2", "(silence)"},
    {"BZPOPMIN k 0", WRONGTYPE},
    {"MULTI", "+OK"},
    {"DEL k", "+QUEUED"},
    {"ZADD k 1 a", "+QUEUED"},
    {"EXEC", "[:1 :1]"},
    {"@2", "['k' 'a' ,1]"},
    {"EXISTS k", ":0"},
};

static const struct wire_case events[] = {
    {"CONFIG SET notify-keyspace-events KA", "+OK"},
    {"@5 PSUBSCRIBE __keyspace@0__:*", ">['psubscribe' '__keyspace@0__:*' :1]"},
    {"@1 BZPOPMIN z 0", "(waits)"},
    {"ZADD z 1 a", ":1"},
    {"@1", "['z' 'a' ,1]"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:z' 'zadd']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:z' 'zpopmin']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:z' 'del']"},
    {"@1 BZMPOP 0 1 z MAX", "(waits)"},
    {"ZADD z 1 a 2 b", ":2"},
    {"@1", "['z' [['b' ,2]]]"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:z' 'zadd']"},
    {"@5", ">['pmessage' '__keyspace@0__:*' '__keyspace@0__:z' 'zpopmax']"},
    {"CONFIG SET notify-keyspace-events ''", "+OK"},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};
    static const struct group groups[] = {
        TABLE(at_once), TABLE(arguments),  TABLE(first_come), TABLE(served_by),
        TABLE(stored),  TABLE(both_types), TABLE(events),     {NULL, NULL, 0, NULL, false},
    };

    return session_main("blocking zsets", "", threads, groups);
}
