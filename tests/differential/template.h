/*
 * The grammar's language: one template says all forms of a command.
 *
 *   SET %key %value [EX %sec|PX %ms] (NX|XX)* ; GET $1
 *
 *   WORD      itself, now and then in another case
 *   'word'    exactly that, whatever characters are in it
 *   %name     a value of that generator (generators.h)
 *   $n        the n-th word of the sequence's first command
 *   (a|b)     one of them
 *   [a|b]     one of them, or nothing
 *   x* x+     several times, from none, from one: options in any order and in conflict
 *   ;         the end of a command that is followed by another, always together
 *   ;=        the same, and the reply of what follows is compared exactly, whatever the rule says
 *
 * A template is parsed when it is first used and kept until the program ends.
 */
#ifndef TESTS_DIFFERENTIAL_TEMPLATE_H
#define TESTS_DIFFERENTIAL_TEMPLATE_H

#include "tests/differential/drawn.h"

struct node;

enum { SEQUENCE_MAX = 12 };

/* Ends the program on a mistake in the template: it is part of the program. */
struct node *template_parse(const char *text);

/* Draws the commands of one sequence; returns how many. Their rule is set. */
int template_draw(const struct node *root, const struct rule *rule, struct drawn *out);

#endif
