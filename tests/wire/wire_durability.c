/* What is to be on the disk before it is answered: DURABLE, CLIENT DURABILITY, WAITAOF, the log. */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define NOT_ONE "-ERR durability must be one of always, everysec, no"

static const struct wire_case durability[] = {
    {"CLIENT DURABILITY", "'default'"},
    {"CLIENT DURABILITY always", "+OK"},
    {"CLIENT DURABILITY", "'always'"},
    {"SET k 1", "+OK"},
    {"GET k", "'1'"},
    {"@1 GET k", "'1'"},
    {"CLIENT DURABILITY NO", "+OK"},
    {"CLIENT DURABILITY", "'no'"},
    {"INCR k", ":2"},
    {"CLIENT DURABILITY everysec", "+OK"},
    {"CLIENT DURABILITY default", "+OK"},
    {"CLIENT DURABILITY", "'default'"},
    {"CLIENT DURABILITY often", NOT_ONE ", default"},
    {"CLIENT DURABILITY a b", "-ERR syntax error"},
};

static const struct wire_case durable[] = {
    {"DURABLE always SET k 1", "+OK"},
    {"DURABLE no GET k", "'1'"},
    {"DURABLE everysec INCR k", ":2"},
    {"DURABLE always MGET k l", "['2' nil]"},
    {"DURABLE ALWAYS PING", "-ERR 'ping' cannot be run by 'durable'"},
    {"DURABLE often GET k", NOT_ONE},
    {"DURABLE always NOPE", "/^-ERR unknown command 'NOPE'"},
    {"DURABLE always", "-ERR wrong number of arguments for 'durable' command"},
    {"DURABLE always GET", "-ERR wrong number of arguments for 'get' command"},
    {"DURABLE always LPUSH k 1",
     "-WRONGTYPE Operation against a key holding the wrong kind of value"},
    {"MULTI", "+OK"},
    {"DURABLE always INCR k", "+QUEUED"},
    {"DURABLE no INCR k", "+QUEUED"},
    {"EXEC", "[:3 :4]"},
    {"DURABLE always WHEN EQ k 4 DO SET k 5", "/.*"},
    {"COMMAND GETKEYS DURABLE always SET a 1", "['a']"},
};

static const struct wire_case waitaof[] = {
    {"WAITAOF 0 0 0", "[:$? :0]"},
    {"SET k 1", "+OK"},
    {"WAITAOF 1 0 0", "[:1 :0]"},
    {"WAITAOF 1 0 1000", "[:1 :0]"},
    {"WAITAOF 1 1 10", "[:1 :0]"},
    {"WAITAOF 2 0 0", "-ERR value is out of range, must be between 0 and 1"},
    {"WAITAOF x 0 0", "-ERR value is out of range, must be between 0 and 1"},
    {"WAITAOF 1 -1 0", "-ERR value is out of range, must be positive"},
    {"WAITAOF 1 0 -1", "-ERR timeout is negative"},
    {"WAITAOF 1 0 x", "-ERR timeout is not an integer or out of range"},
    {"WAITAOF 1 0", "-ERR wrong number of arguments for 'waitaof' command"},
    {"MULTI", "+OK"},
    {"SET k 2", "+QUEUED"},
    {"WAITAOF 1 0 0", "+QUEUED"},
    {"EXEC", "/^\\[\\+OK \\[:[01] :0\\]\\]$"},
};

static const struct wire_case served[] = {
    {"CLIENT DURABILITY always", "+OK"},
    {"BLPOP l 0", "(waits)"},
    {"@1 RPUSH l a", ":1"},
    {"", "['l' 'a']"},
    {"PING", "+PONG"},
    {"@1 DURABLE always RPUSH l b", ":1"},
    {"LPOP l", "'b'"},
};

static const struct wire_case on_and_off[] = {
    {"CONFIG SET appendonly no", "+OK"},
    {"WAITAOF 1 0 0", "-ERR WAITAOF cannot be used when numlocal is set but appendonly is "
                      "disabled."},
    {"WAITAOF 0 0 0", "[:0 :0]"},
    {"DURABLE always SET k 1", "-ERR nothing can be made durable, since appendonly is off"},
    {"CLIENT DURABILITY always", "-ERR nothing can be made durable, since appendonly is off"},
    {"DURABLE no SET k 1", "+OK"},
    {"CONFIG SET appendonly yes", "+OK"},
    {"CONFIG SET appendfsync always", "+OK"},
    {"SET k 2", "+OK"},
    {"WAITAOF 1 0 0", "[:1 :0]"},
    {"GET k", "'2'"},
    {"CONFIG SET appendfsync everysec", "+OK"},
};

static void test_info(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    char *text = wire_bulk(w, "INFO persistence");

    is_like(text, "aof_enabled:1\r", "the log is on");
    is_like(text, "aof_last_write_status:ok\r", "and well");
    is_like(text, "aof_current_size:[0-9]+\r", "it has a size");
    is_like(text, "aof_durable_seq:[0-9]+\r", "and so much of it is on the disk");
    free(text);
}

int main(void)
{
    static const struct group groups[] = {
        NEW_TABLE(durability), NEW_TABLE(durable),    NEW_TABLE(waitaof), NEW_TABLE(served),
        NEW_TEST(test_info),   NEW_TABLE(on_and_off), {.name = NULL},
    };
    static const int threads[] = {1, 4, 0};

    session_family("durability, always", "--appendonly yes --appendfsync always", threads, groups);
    session_family("durability", "--appendonly yes", threads, groups);
    return tap_done();
}
