/* client-output-buffer-limit: a client that does not read what it asked for is cut. */
#ifndef LK_SERVER_OUTPUT_LIMIT_H
#define LK_SERVER_OUTPUT_LIMIT_H

struct conn;

/* Dooms the connection if what waits to be written is over the hard limit, or over the soft one for
 * too long. */
void output_limit_check(struct conn *c);

#endif
