/*
 * One reply of the server, RESP2 or RESP3, and its text form, in which tests compare.
 *
 * The text form loses nothing that a client can see:
 *
 *   +OK  -ERR text  :12  'bulk'  ,1.5 double  (123 big number  #t #f  =txt:'verbatim'
 *   nil  nil* (null array)  [a b] array  {k v} map  ~[a b] set  >[a b] push
 *   |{k v} attribute, before what it belongs to
 *
 * Bytes in a bulk that are not printable ASCII, quotes and backslashes are written \n \r \t \\ \'
 * \xNN. A RESP2 null on a RESP3 connection (or the reverse) is written $-1, *-1 and _ so that it is
 * never taken for the right one.
 */
#ifndef TESTS_LIB_ANSWER_H
#define TESTS_LIB_ANSWER_H

#include <stddef.h>

struct answer {
    char type;  /* the first byte on the wire */
    char *text; /* line or bulk, with a NUL behind; NULL for a null and for aggregates */
    size_t len;
    long count; /* items (a map has two for each pair), -1 for a null */
    struct answer **items;
};

/*
 * Bytes used, 0 when more are needed, -1 when it is no RESP. On success *out is the caller's to
 * free.
 */
long answer_parse(const char *bytes, size_t len, struct answer **out);
void answer_free(struct answer *a);

/* The text form; caller frees. */
char *answer_text(const struct answer *a, int protocol);

/*
 * The same with the items of the outermost array or set in order of their text: for replies without
 * an order.
 */
char *answer_text_sorted(const struct answer *a, int protocol);

#endif
