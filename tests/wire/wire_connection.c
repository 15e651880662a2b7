/*
 * Connections: names, protocols, passwords, replies off, pauses, kills, limits, and what CLIENT
 * tells.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/raw.h"
#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

static const struct wire_case ping_echo_select_quit[] = {
    {"PING", "+PONG"},
    {"PING hello", "'hello'"},
    {"PING a b", "-ERR wrong number of arguments for 'ping' command"},
    {"ECHO x", "'x'"},
    {"ECHO", "-ERR wrong number of arguments for 'echo' command"},
    {"ECHO a b", "-ERR wrong number of arguments for 'echo' command"},
    {"QUIT", "+OK"},
    {"@0", "(closed)"},
};

static const struct wire_case names[] = {
    {"CLIENT GETNAME", "nil"},
    {"CLIENT SETNAME me", "+OK"},
    {"CLIENT GETNAME", "'me'"},
    {"CLIENT SETNAME \"\"", "+OK"},
    {"CLIENT GETNAME", "nil"},
    {"CLIENT SETNAME \"with blank\"",
     "-ERR Client names cannot contain spaces, newlines or special characters."},
    {"CLIENT SETNAME \"new\\nline\"",
     "-ERR Client names cannot contain spaces, newlines or special characters."},
    {"CLIENT SETNAME", "-ERR wrong number of arguments for 'client|setname' command"},
    {"CLIENT GETNAME x", "-ERR wrong number of arguments for 'client|getname' command"},
    {"CLIENT", "-ERR wrong number of arguments for 'client' command"},
    {"CLIENT BOGUS", "-ERR unknown subcommand 'BOGUS'. Try CLIENT HELP."},
    {"CLIENT HELP", "/^\\[\\+CLIENT <subcommand>"},
    {"CLIENT ID", "/^:[0-9]+$"},
    {"CLIENT INFO",
     "/^(=txt:)?'id=[0-9]+ addr=[^ ]+ laddr=[^ ]+ fd=[0-9]+ name= age=[0-9]+ idle=0 "
     "flags=[NU]+ db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=[0-9]+ qbuf-free=[0-9]+ "
     "argv-mem=[0-9]+ multi-mem=0 rbs=[0-9]+ rbp=[0-9]+ obl=[0-9]+ oll=[0-9]+ omem=[0-9]+ "
     "tot-mem=[0-9]+ events=r cmd=client.info user=default redir=-1 resp=[23]"},
};

static const struct wire_case hello[] = {
    {"HELLO 2",
     "/^\\['server' 'redis' 'version' '[0-9.]+' 'proto' :2 'id' :[0-9]+ 'mode' 'standalone' "
     "'role' 'master' 'modules' \\[\\]\\]$"},
    {"HELLO",
     "/^\\['server' 'redis' 'version' '[0-9.]+' 'proto' :2 'id' :[0-9]+ 'mode' 'standalone' "
     "'role' 'master' 'modules' \\[\\]\\]$"},
    {"HELLO 3",
     "/^[{]'server' 'redis' 'version' '[0-9.]+' 'proto' :3 'id' :[0-9]+ 'mode' 'standalone' "
     "'role' 'master' 'modules' \\[\\][}]$"},
    {"HELLO 4", "-NOPROTO unsupported protocol version"},
    {"HELLO 1", "-NOPROTO unsupported protocol version"},
    {"HELLO abc", "-ERR Protocol version is not an integer or out of range"},
    {"HELLO 3 BOGUS", "-ERR Syntax error in HELLO option 'BOGUS'"},
    {"HELLO 3 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'"},
    {"HELLO 3 SETNAME x",
     "/^[{]'server' 'redis' 'version' '[0-9.]+' 'proto' :3 'id' :[0-9]+ 'mode' 'standalone' "
     "'role' 'master' 'modules' \\[\\][}]$"},
    {"CLIENT GETNAME", "'x'"},
    {"HELLO 3 SETNAME \"a b\"",
     "-ERR Client names cannot contain spaces, newlines or special characters."},
    {"HELLO 3 AUTH default", "-ERR Syntax error in HELLO option 'AUTH'"},
    {"HELLO 3 AUTH default wrong",
     "/^[{]'server' 'redis' 'version' '[0-9.]+' 'proto' :3 'id' :[0-9]+ 'mode' 'standalone' "
     "'role' 'master' 'modules' \\[\\][}]$"},
    {"HELLO 3 AUTH nouser wrong", "-WRONGPASS invalid username-password pair or user is disabled."},
    {"HELLO 3 AUTH default any SETNAME y",
     "/^[{]'server' 'redis' 'version' '[0-9.]+' 'proto' :3 'id' :[0-9]+ 'mode' 'standalone' "
     "'role' 'master' 'modules' \\[\\][}]$"},
    {"HELLO",
     "/^[{]'server' 'redis' 'version' '[0-9.]+' 'proto' :3 'id' :[0-9]+ 'mode' 'standalone' "
     "'role' 'master' 'modules' \\[\\][}]$"},
    {"HELLO 2",
     "/^\\['server' 'redis' 'version' '[0-9.]+' 'proto' :2 'id' :[0-9]+ 'mode' 'standalone' "
     "'role' 'master' 'modules' \\[\\]\\]$"},
    {"CLIENT GETNAME", "'y'"},
};

static const struct wire_case reset[] = {
    {"CLIENT SETNAME me", "+OK"},
    {"SELECT 3", "+OK"},
    {"SUBSCRIBE a", ">['subscribe' 'a' :1]"},
    {"RESET", "+RESET"},
    {"CLIENT GETNAME", "$-1", "nil"},
    {"PING", "+PONG"},
    {"GET k", "$-1", "nil"},
    {"CLIENT LIST ID x", "-ERR Invalid client ID"},
    {"RESET x", "-ERR wrong number of arguments for 'reset' command"},
};

static const struct wire_case auth_without_password[] = {
    {"AUTH x",
     "-ERR AUTH <password> called without any password configured for the default user. Are "
     "you sure your configuration is correct?"},
    {"AUTH default x", "+OK"},
    {"AUTH nouser x", "-WRONGPASS invalid username-password pair or user is disabled."},
    {"AUTH", "-ERR wrong number of arguments for 'auth' command"},
    {"AUTH a b c", "-ERR syntax error"},
};

static const struct wire_case reply_modes[] = {
    {"CLIENT REPLY ON", "+OK"},
    {"CLIENT REPLY SKIP", ""},
    {"SET a 1", ""},
    {"GET a", "'1'"},
    {"CLIENT REPLY OFF", ""},
    {"SET a 2", ""},
    {"PING", ""},
    {"GET a", ""},
    {"CLIENT REPLY ON", "+OK"},
    {"GET a", "'2'"},
    {"CLIENT REPLY SKIP", ""},
    {"CLIENT REPLY ON", "+OK"},
    {"PING", "+PONG"},
    {"CLIENT REPLY SKIP", ""},
    {"CLIENT REPLY SKIP", ""},
    {"PING", ""},
    {"PING", "+PONG"},
    {"CLIENT REPLY BOGUS", "-ERR syntax error"},
    {"CLIENT REPLY", "-ERR wrong number of arguments for 'client|reply' command"},
    {"CLIENT REPLY ON x", "-ERR wrong number of arguments for 'client|reply' command"},
    {"PING", "+PONG"},
};

static const struct wire_case no_evict_no_touch_info[] = {
    {"CLIENT NO-EVICT ON", "+OK"},
    {"CLIENT NO-EVICT OFF", "+OK"},
    {"CLIENT NO-EVICT", "-ERR wrong number of arguments for 'client|no-evict' command"},
    {"CLIENT NO-EVICT x", "-ERR syntax error"},
    {"CLIENT UNBLOCK 999999", ":0"},
    {"CLIENT UNBLOCK abc", "-ERR value is not an integer or out of range"},
    {"CLIENT UNBLOCK 1 BOGUS", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"},
    {"CLIENT UNBLOCK 999999 TIMEOUT", ":0"},
    {"CLIENT UNBLOCK 999999 ERROR", ":0"},
    {"CLIENT UNBLOCK", "-ERR wrong number of arguments for 'client|unblock' command"},
};

static const struct wire_case kill_arguments[] = {
    {"CLIENT KILL", "-ERR wrong number of arguments for 'client|kill' command"},
    {"CLIENT KILL 1.2.3.4:5", "-ERR No such client"},
    {"CLIENT KILL ID 999999", ":0"},
    {"CLIENT KILL ID abc", "-ERR client-id should be greater than 0"},
    {"CLIENT KILL ID -1", "-ERR client-id should be greater than 0"},
    {"CLIENT KILL ID 0", "-ERR client-id should be greater than 0"},
    {"CLIENT KILL BOGUS x", "-ERR syntax error"},
    {"CLIENT KILL TYPE bogus", "-ERR Unknown client type 'bogus'"},
    {"CLIENT KILL TYPE pubsub", ":0"},
    {"CLIENT KILL TYPE master", ":0"},
    {"CLIENT KILL TYPE replica", ":0"},
    {"CLIENT KILL TYPE slave", ":0"},
    {"CLIENT KILL USER nouser", "-ERR No such user 'nouser'"},
    {"CLIENT KILL USER default ID 999999", ":0"},
    {"CLIENT KILL ADDR 1.2.3.4:5", ":0"},
    {"CLIENT KILL LADDR 1.2.3.4:5", ":0"},
    {"CLIENT KILL SKIPME x", "-ERR syntax error"},
    {"CLIENT KILL ID 999999 SKIPME no", ":0"},
    {"CLIENT KILL ID", "-ERR No such client"},
    {"CLIENT KILL ID 5 TYPE", "-ERR syntax error"},
};

static const struct wire_case list_arguments[] = {
    {"CLIENT LIST TYPE bogus", "-ERR Unknown client type 'bogus'"},
    {"CLIENT LIST TYPE", "-ERR syntax error"},
    {"CLIENT LIST ID", "-ERR syntax error"},
    {"CLIENT LIST ID abc", "-ERR Invalid client ID"},
    {"CLIENT LIST ID 0", "=txt:''"},
    {"CLIENT LIST BOGUS", "-ERR syntax error"},
    {"CLIENT LIST TYPE pubsub", "=txt:''"},
    {"CLIENT LIST TYPE master", "=txt:''"},
    {"CLIENT LIST TYPE replica", "=txt:''"},
    {"CLIENT LIST TYPE normal", "/^(=txt:)?'id="},
    {"CLIENT LIST TYPE normal x", "-ERR syntax error"},
    {"CLIENT INFO x", "-ERR wrong number of arguments for 'client|info' command"},
    {"CLIENT ID x", "-ERR wrong number of arguments for 'client|id' command"},
};

static const struct wire_case pause_arguments[] = {
    {"CLIENT PAUSE", "-ERR wrong number of arguments for 'client|pause' command"},
    {"CLIENT PAUSE abc", "-ERR timeout is not an integer or out of range"},
    {"CLIENT PAUSE -1", "-ERR timeout is negative"},
    {"CLIENT PAUSE 100 BOGUS", "-ERR CLIENT PAUSE mode must be WRITE or ALL"},
    {"CLIENT PAUSE 100 WRITE x",
     "-ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP."},
    {"CLIENT PAUSE 0", "+OK"},
    {"CLIENT PAUSE 0 ALL", "+OK"},
    {"CLIENT PAUSE 0 WRITE", "+OK"},
    {"CLIENT UNPAUSE", "+OK"},
    {"CLIENT UNPAUSE x", "-ERR wrong number of arguments for 'client|unpause' command"},
};

static const struct wire_case passwords[] = {
    {"@1 PING", "+PONG"},
    {"CONFIG SET requirepass foo", "+OK"},
    {"@1 PING", "+PONG"},
    {"@1 RESET", "+RESET"},
    {"@1 PING", "-NOAUTH Authentication required."},
    {"@1 GET k", "-NOAUTH Authentication required."},
    {"@1 NOCOMMAND", "-ERR unknown command 'NOCOMMAND', with args beginning with: "},
    {"@1 GET", "-ERR wrong number of arguments for 'get' command"},
    {"@1 CLIENT ID", "-NOAUTH Authentication required."},
    {"@1 COMMAND", "-NOAUTH Authentication required."},
    {"@1 SUBSCRIBE x", "-NOAUTH Authentication required."},
    {"@1 HELLO",
     "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
     "AUTH <user> <pass> option can be used to authenticate the client and select the RESP "
     "protocol version at the same time"},
    {"@1 HELLO 2",
     "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
     "AUTH <user> <pass> option can be used to authenticate the client and select the RESP "
     "protocol version at the same time"},
    {"@1 HELLO 3",
     "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
     "AUTH <user> <pass> option can be used to authenticate the client and select the RESP "
     "protocol version at the same time"},
    {"@1 HELLO 4", "-NOPROTO unsupported protocol version"},
    {"@1 HELLO 3 AUTH default wrong",
     "-WRONGPASS invalid username-password pair or user is disabled."},
    {"@1 AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled."},
    {"@1 AUTH default wrong", "-WRONGPASS invalid username-password pair or user is disabled."},
    {"@1 AUTH nouser foo", "-WRONGPASS invalid username-password pair or user is disabled."},
    {"@1 AUTH foo", "+OK"},
    {"@1 PING", "+PONG"},
    {"@1 AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled."},
    {"@1 PING", "+PONG"},
    {"@1 RESET", "+RESET"},
    {"@1 PING", "-NOAUTH Authentication required."},
    {"@1 AUTH default foo", "+OK"},
    {"@1 PING", "+PONG"},
    {"@1 RESET", "+RESET"},
    {"@1 HELLO 3 AUTH default foo SETNAME me", "/^[{]'server'"},
    {"@1 CLIENT GETNAME", "'me'"},
    {"@1 RESET", "+RESET"},
    {"CONFIG GET requirepass", "{'requirepass' 'foo'}"},
    {"CONFIG SET requirepass bar", "+OK"},
    {"@1 AUTH foo", "-WRONGPASS invalid username-password pair or user is disabled."},
    {"@1 AUTH bar", "+OK"},
    {"@1 RESET", "+RESET"},
    {"CONFIG SET requirepass \"\"", "+OK"},
    {"@1 PING", "+PONG"},
    {"@1 RESET", "+RESET"},
    {"@1 PING", "+PONG"},
    {"@1 QUIT", "+OK"},
    {"@1", "(closed)"},
};

/* What clients of newer versions tell about their library, and a flag of theirs. */
static const struct wire_case newer_client_commands[] = {
    {"CLIENT SETINFO LIB-NAME redis-py", "+OK"},
    {"CLIENT SETINFO lib-ver 5.0.1", "+OK"},
    {"CLIENT INFO", "/ lib-name=redis-py lib-ver=5\\.0\\.1"},
    {"CLIENT SETINFO LIB-NAME \"\"", "+OK"},
    {"CLIENT INFO", "/ lib-name= lib-ver=5\\.0\\.1"},
    {"CLIENT SETINFO LIB-NAME \"a b\"",
     "-ERR lib-name cannot contain spaces, newlines or special characters."},
    {"CLIENT SETINFO LIB-VER \"a\\nb\"",
     "-ERR lib-ver cannot contain spaces, newlines or special characters."},
    {"CLIENT SETINFO BOGUS x", "-ERR Unrecognized option 'BOGUS'"},
    {"CLIENT SETINFO LIB-NAME", "-ERR wrong number of arguments for 'client|setinfo' command"},
    {"RESET", "+RESET"},
    {"CLIENT INFO", "/ lib-name= lib-ver=5\\.0\\.1"},
    {"CLIENT KILL MAXAGE 100000 SKIPME no", ":0"},
    {"CLIENT KILL MAXAGE 0", "-ERR maxage should be greater than 0"},
    {"CLIENT KILL MAXAGE x", "-ERR maxage is not an integer or out of range"},
    {"CLIENT NO-TOUCH ON", "+OK"},
    {"CLIENT INFO", "/ flags=[A-Z]*T"},
    {"CLIENT NO-TOUCH OFF", "+OK"},
    {"CLIENT NO-TOUCH maybe", "-ERR syntax error"},
    {"CLIENT NO-TOUCH", "-ERR wrong number of arguments for 'client|no-touch' command"},
};

#define IS(got, want, name) is_str(got, want, "connection RESP%d: %s", t->protocol, name)
#define LIKE(got, want, name) is_like(got, want, "connection RESP%d: %s", t->protocol, name)
#define OK(cond, name) ok(cond, "connection RESP%d: %s", t->protocol, name)

static long long id_of(struct wire *w)
{
    return wire_int(w, "CLIENT ID");
}

/* The line of this client in CLIENT LIST; caller frees. */
static char *list_line(struct wire *w, long long id)
{
    char line[100];

    snprintf(line, sizeof(line), "CLIENT LIST ID %lld", id);
    return wire_bulk(w, line);
}

static void listed(struct session *t, struct wire *of, const char *regex, const char *name)
{
    char *line = list_line(session_wire(t, 0), id_of(of));

    LIKE(line, regex, name);
    free(line);
}

/* The same as listed() for a connection that must not send a command. */
static void listed_id(struct session *t, long long id, const char *regex, const char *name)
{
    char *line = list_line(session_wire(t, 0), id);

    LIKE(line, regex, name);
    free(line);
}

static void list_fields(struct session *t)
{
    struct wire *a = session_wire(t, 1), *b = session_wire(t, 2);
    long long b_id = id_of(b);

    listed(t, a, "^id=[0-9]+ .* resp=[23].*\n$", "one line that ends with LF");
    wire_call(a, "CLIENT SETNAME somebody");
    wire_call(a, "SELECT 7");
    listed(t, a, " name=somebody .* db=7 .* cmd=client.id ", "name, database, last command");
    wire_call(b, "SUBSCRIBE x y");
    wire_read(b);
    wire_call(b, "PSUBSCRIBE p*");
    wire_call(b, "SSUBSCRIBE s");
    listed_id(t, b_id, " flags=U?P.* sub=2 psub=1 ssub=1 .* cmd=ssubscribe ", "subscriptions");
    wire_call(a, "CLIENT NO-EVICT ON");
    listed(t, a, " flags=[A-Za-z]*e", "no-evict");
    wire_call(a, "CLIENT NO-EVICT OFF");
    listed(t, a, t->protocol == 3 ? " resp=3" : " resp=2", "protocol");
    listed(t, a, " flags=U ", "a unix socket");
    LIKE(wire_callf(a, "CLIENT LIST ID %lld %lld", id_of(a), b_id), "id=.*\\\\nid=.*\\\\n'$",
         "LIST ID of two");
    LIKE(wire_call(a, "CLIENT LIST TYPE pubsub"), "^(=txt:)?'id=[^\\]*\\\\n'$", "LIST TYPE pubsub");
}

/* TCP: the addresses of both ends are those of the socket. */
static void addresses(struct session *t)
{
    int fd = server_connect(t->server);
    struct wire *w = wire_attach(fd, 2);
    struct sockaddr_in local;
    socklen_t len = sizeof(local);
    char regex[200];

    getsockname(fd, (struct sockaddr *)&local, &len);
    snprintf(regex, sizeof(regex), " addr=127\\.0\\.0\\.1:%d laddr=127\\.0\\.0\\.1:%d fd=[0-9]+ ",
             ntohs(local.sin_port), t->server->port);
    LIKE(wire_call(w, "CLIENT INFO"), regex, "addr and laddr over TCP");
    LIKE(wire_call(w, "CLIENT INFO"), " flags=N ", "no flags over TCP");
    LIKE(wire_callf(w, "CLIENT LIST"), regex, "in the list too");
    wire_close(w);
}

static bool is_closed(struct wire *w)
{
    return w->at == w->len && raw_expect_close(w->fd);
}

static bool is_alive(struct wire *w)
{
    return strcmp(wire_call(w, "ECHO alive"), "'alive'") == 0;
}

static void kill_by_id_and_type(struct session *t)
{
    struct wire *w = session_wire(t, 0), *a = session_wire(t, 1), *b = session_wire(t, 2),
                *c = session_wire(t, 3);

    wire_call(c, "SUBSCRIBE x");
    IS(wire_callf(w, "CLIENT KILL ID %lld", id_of(a)), ":1", "KILL ID");
    OK(is_closed(a) && is_alive(b), "closes that one alone");
    IS(wire_call(w, "CLIENT KILL TYPE pubsub"), ":1", "KILL TYPE pubsub");
    OK(is_closed(c) && is_alive(b), "closes the subscriber alone");
    IS(wire_callf(w, "CLIENT KILL ID %lld TYPE pubsub", id_of(b)), ":0", "all filters must fit");
    IS(wire_callf(w, "CLIENT KILL ID %lld USER default TYPE normal", id_of(b)), ":1",
       "and do here");
    OK(is_closed(b) && is_alive(w), "closes it");
}

static void kill_by_address(struct session *t)
{
    struct wire *w = session_wire(t, 0);
    struct wire *tcp[3];
    int ports[3];

    for (int i = 0; i < 3; i++) {
        struct sockaddr_in local;
        socklen_t len = sizeof(local);

        tcp[i] = wire_attach(server_connect(t->server), 2);
        getsockname(tcp[i]->fd, (struct sockaddr *)&local, &len);
        ports[i] = ntohs(local.sin_port);
        is_alive(tcp[i]);
    }
    IS(wire_callf(w, "CLIENT KILL 127.0.0.1:%d", ports[0]), "+OK", "KILL addr:port");
    OK(is_closed(tcp[0]) && is_alive(tcp[1]), "closes it");
    IS(wire_callf(w, "CLIENT KILL ADDR 127.0.0.1:%d", ports[1]), ":1", "KILL ADDR");
    OK(is_closed(tcp[1]) && is_alive(tcp[2]), "closes it too");
    IS(wire_callf(w, "CLIENT KILL LADDR 127.0.0.1:%d", t->server->port), ":1", "KILL LADDR");
    OK(is_closed(tcp[2]) && is_alive(w), "closes what came in there");
    for (int i = 0; i < 3; i++)
        wire_close(tcp[i]);
}

static void kill_self(struct session *t)
{
    struct wire *a = session_wire(t, 1), *b, *c;

    wire_wait_alone(a);
    b = session_wire(t, 2);
    c = session_wire(t, 3);
    is_alive(b);
    is_alive(c);
    IS(wire_callf(a, "CLIENT KILL ID %lld", id_of(a)), ":0", "a client spares itself");
    IS(wire_call(a, "CLIENT KILL TYPE normal SKIPME yes"), ":2", "SKIPME yes spares the caller");
    OK(is_closed(b) && is_closed(c) && is_alive(a), "and nobody else");
    IS(wire_callf(a, "CLIENT KILL ID %lld SKIPME no", id_of(a)), ":1", "SKIPME no does not");
    OK(is_closed(a), "and ends the caller after the reply");
}

/*
 * PAUSE ALL holds up everybody, so that nobody can end it early; what was sent runs then, in order.
 */
static void pause_all(struct session *t)
{
    struct wire *w = session_wire(t, 0), *a = session_wire(t, 1);
    long long start;

    is_alive(a);
    start = raw_now_ms();
    IS(wire_call(w, "CLIENT PAUSE 150 ALL"), "+OK", "PAUSE ALL");
    wire_send(a, "GET k");
    wire_send(a, "SET k v");
    wire_send(a, "GET k");
    IS(wire_read(a), "nil", "commands run after it");
    OK(raw_now_ms() - start >= 150, "not before");
    IS(wire_read(a), "+OK", "in order");
    IS(wire_read(a), "'v'", "all of them");
}

static void pause_writes(struct session *t)
{
    struct wire *w = session_wire(t, 0), *a = session_wire(t, 1), *b = session_wire(t, 2);
    char *text;

    wire_call(w, "SET k v");
    is_alive(a);
    is_alive(b);
    IS(wire_call(w, "CLIENT PAUSE 100000 WRITE"), "+OK", "PAUSE WRITE");
    IS(wire_call(w, "CLIENT PAUSE 1 WRITE"), "+OK", "a shorter pause changes nothing");
    IS(wire_call(a, "GET k"), "'v'", "reads go on");
    wire_send(a, "INCR n");
    wire_send(b, "PUBLISH x y");
    OK(raw_expect_silence(a->fd, 50), "writes wait");
    OK(raw_expect_silence(b->fd, 10), "so does PUBLISH");
    IS(wire_call(w, "EXISTS n"), ":0", "nothing was written");
    text = wire_bulk(w, "INFO clients");
    OK(strstr(text, "\nblocked_clients:2\r") != NULL, "who waits is counted");
    free(text);
    text = wire_bulk(w, "CLIENT LIST");
    OK(strstr(text, " flags=b") != NULL, "and marked");
    free(text);
    IS(wire_call(w, "CLIENT UNPAUSE"), "+OK", "UNPAUSE");
    IS(wire_read(a), ":1", "then it is");
    IS(wire_read(b), ":0", "and published");
}

/* Keys do not expire while writes are paused, and are not seen either. */
static void pause_and_expiry(struct session *t)
{
    struct wire *w = session_wire(t, 0);

    wire_call(w, "SET k v PX 20");
    wire_call(w, "CLIENT PAUSE 100000 WRITE");
    raw_sleep_ms(60);
    IS(wire_call(w, "GET k"), "nil", "an expired key during a pause");
    wire_call(w, "CLIENT UNPAUSE");
    IS(wire_call(w, "EXISTS k"), ":0", "and after it");
}

static void max_clients(struct session *t)
{
    struct wire *w = session_wire(t, 0), *one = session_wire(t, 1);
    int fd;

    is_alive(one);
    IS(wire_call(w, "CONFIG SET maxclients 2"), "+OK", "maxclients is hot");
    fd = server_connect_unix(t->server);
    OK(raw_expect_str(fd, "-ERR max number of clients reached\r\n") && raw_expect_close(fd),
       "one client too many");
    close(fd);
    IS(wire_call(w, "CONFIG SET maxclients 10000"), "+OK", "and back");
    fd = server_connect_unix(t->server);
    OK(raw_send_str(fd, "PING\r\n") && raw_expect_str(fd, "+PONG\r\n"), "others come again");
    close(fd);
}

/* Idle clients go after `timeout` seconds, subscribers stay. Once, for it takes its time. */
static void idle_timeout(struct session *t)
{
    struct wire *w = session_wire(t, 0), *idle = session_wire(t, 1), *sub = session_wire(t, 2);
    long long start = raw_now_ms();

    if (t->protocol == 3)
        return;
    is_alive(idle);
    wire_call(sub, "SUBSCRIBE x");
    IS(wire_call(w, "CONFIG SET timeout 1"), "+OK", "timeout is hot");
    while (raw_now_ms() - start < 10000 && raw_expect_silence(idle->fd, 100))
        is_alive(w);
    OK(is_closed(idle), "an idle client is closed");
    IS(wire_call(w, "PUBLISH x m"), ":1", "a subscriber is not");
    IS(wire_call(w, "CONFIG SET timeout 0"), "+OK", "and back");
}

/* A client that asks for more than its limit and does not read, is cut. */
static void output_limit(struct session *t)
{
    struct wire *w = session_wire(t, 0), *greedy = session_wire(t, 1);
    char *big = malloc(1000001);

    memset(big, 'v', 1000000);
    big[1000000] = '\0';
    wire_callf(w, "SET big %s", big);
    free(big);
    IS(wire_call(w, "CONFIG SET client-output-buffer-limit \"normal 5mb 0 0\""), "+OK",
       "an output limit");
    for (int i = 0; i < 20; i++)
        wire_send(greedy, "GET big");
    raw_sleep_ms(300);
    for (int i = 0; i < 20; i++)
        answer_free(wire_next(greedy, 5000));
    OK(is_alive(w), "others go on");
    OK(strcmp(wire_call(greedy, "PING"), "+PONG") != 0, "who does not read is cut at the limit");
    IS(wire_call(w, "CONFIG SET client-output-buffer-limit \"normal 0 0 0\""), "+OK", "no limit");
}

/* Ids only grow, across all workers. */
static void ids_grow(struct session *t)
{
    long long last = 0;
    int wrong = 0;

    for (int i = 0; i < 50; i++) {
        struct wire *w = wire_open(t->server, t->protocol);
        long long id = id_of(w);

        wrong += id <= last;
        last = id;
        wire_close(w);
    }
    is_int(wrong, 0, "connection RESP%d: ids grow", t->protocol);
}

static const struct group groups[] = {
    TABLE(ping_echo_select_quit),
    TABLE(names),
    TABLE(hello),
    TABLE(reset),
    TABLE(auth_without_password),
    TABLE(reply_modes),
    TABLE(no_evict_no_touch_info),
    TABLE(kill_arguments),
    TABLE(list_arguments),
    TABLE(pause_arguments),
    TABLE(passwords),
    NEW_TABLE(newer_client_commands),
    TEST(list_fields),
    TEST(addresses),
    TEST(kill_by_id_and_type),
    TEST(kill_by_address),
    TEST(kill_self),
    TEST(pause_all),
    TEST(pause_writes),
    TEST(pause_and_expiry),
    TEST(max_clients),
    TEST(idle_timeout),
    TEST(output_limit),
    TEST(ids_grow),
    {NULL},
};

int main(void)
{
    static const int threads[] = {1, 4, 0};

    return session_main("connection", "", threads, groups);
}
