/* What the suites of locks share: tokens go from one reply into the next request. */
#ifndef TESTS_WIRE_LOCK_TALK_H
#define TESTS_WIRE_LOCK_TALK_H

#include "tests/lib/tap.h"
#include "tests/lib/wire.h"

#define TOKEN "^:[0-9]{1,16}$"
#define NOTHELD "^-NOTHELD "
#define FENCED "^-FENCED "
#define LOCKLOST "^-LOCKLOST "
#define DEADLOCK "^-DEADLOCK "

#endif
