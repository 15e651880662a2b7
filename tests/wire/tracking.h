/*
 * What the suites about CLIENT TRACKING share.
 */
#ifndef TESTS_WIRE_TRACKING_H
#define TESTS_WIRE_TRACKING_H

#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define TOLD(key) ">['invalidate' ['" key "']]"
#define TOLD_ALL ">['invalidate' nil]"

/* To RESP3, since RESP2 is told nothing on the same connection. */
#define RESP3_CASES(name)                                                                          \
    static void name(struct session *t)                                                            \
    {                                                                                              \
        if (t->protocol == 3)                                                                      \
            session_cases(t, #name, name##_cases, sizeof(name##_cases) / sizeof(*name##_cases));   \
        else                                                                                       \
            ok(true, "tracking RESP2: nothing is told of %s", #name);                              \
    }

#endif
