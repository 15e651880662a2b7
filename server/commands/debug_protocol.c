/* DEBUG PROTOCOL: a reply of each kind, by which authors of clients test their parsers. */
#include "server/commands/debug.h"

#include "server/reply.h"

static void reply_test_string(struct call *c)
{
    reply_cstr(c, "Hello World");
}

static void reply_test_integer(struct call *c)
{
    reply_int(c, 12345);
}

static void reply_test_double(struct call *c)
{
    reply_double(c, 3.141);
}

static void reply_test_big_number(struct call *c)
{
    write_big_number(&c->out, SLICE("1234567999999999999999999999999999999"));
}

static void reply_test_array(struct call *c)
{
    reply_array(c, 3);
    for (int i = 0; i < 3; i++)
        reply_int(c, i);
}

static void reply_test_set(struct call *c)
{
    reply_set(c, 3);
    for (int i = 0; i < 3; i++)
        reply_int(c, i);
}

static void reply_test_map(struct call *c)
{
    reply_map(c, 3);
    for (int i = 0; i < 3; i++) {
        reply_int(c, i);
        reply_bool(c, i == 1);
    }
}

static void reply_test_attribute(struct call *c)
{
    if (c->out.resp3) {
        write_attribute(&c->out, 1);
        reply_cstr(c, "key-popularity");
        reply_array(c, 2);
        reply_cstr(c, "key:123");
        reply_int(c, 90);
    }
    reply_cstr(c, "Some real reply following the attribute");
}

static void reply_test_push(struct call *c)
{
    if (!c->out.resp3) {
        reply_error(c, "ERR RESP2 is not supported by this command");
        return;
    }
    write_push(&c->out, 2);
    reply_cstr(c, "server-cpu-usage");
    reply_int(c, 42);
    reply_cstr(c, "Some real reply following the push reply");
}

static void reply_test_verbatim(struct call *c)
{
    reply_verbatim(c, "txt", SLICE("This is a verbatim\nstring"));
}

static void reply_test_true(struct call *c)
{
    reply_bool(c, true);
}

static void reply_test_false(struct call *c)
{
    reply_bool(c, false);
}

/* DEBUG PROTOCOL type */
void debug_protocol(struct call *c)
{
    static const struct {
        const char *name;
        void (*reply)(struct call *c);
    } kinds[] = {
        {"string", reply_test_string},
        {"integer", reply_test_integer},
        {"double", reply_test_double},
        {"bignum", reply_test_big_number},
        {"null", reply_null},
        {"array", reply_test_array},
        {"set", reply_test_set},
        {"map", reply_test_map},
        {"attrib", reply_test_attribute},
        {"push", reply_test_push},
        {"verbatim", reply_test_verbatim},
        {"true", reply_test_true},
        {"false", reply_test_false},
    };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (call_arg_is(c, 2, kinds[i].name)) {
            kinds[i].reply(c);
            return;
        }
    }
    reply_error(c, "ERR Wrong protocol type name. Please use one of the following: "
                   "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|"
                   "false");
}
