/* client-output-buffer-limit: a client that does not read what it asked for is cut. */
#ifndef LK_SERVER_OUTPUT_LIMIT_H
#define LK_SERVER_OUTPUT_LIMIT_H

struct conn;

/* Replies in hand below this number of bytes are sent without a look at the limit. */
enum { OUTPUT_LIMIT_FROM = 16 * 1024 };

/* Dooms the connection if what waits to be written is over the hard limit, or over the soft one for
 * too long. */
void output_limit_check(struct conn *c);

#endif
