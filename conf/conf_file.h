/* Private to conf/: what reading and rewriting configuration files have in common. */
#ifndef LK_CONF_CONF_FILE_H
#define LK_CONF_CONF_FILE_H

#include "base/buf.h"

/* Appends all of a file, or of standard input for "-". 0 or -errno. */
int conf_read_all(const char *path, struct buf *out);
/* Takes the next line, without its end, off the front of `rest`; false if there is none. */
bool conf_next_line(struct slice *rest, struct slice *line);
/* Without blanks, tabs and line ends at either side. */
struct slice conf_trim(struct slice s);
/* A directive that other servers of this kind know. */
bool conf_known_elsewhere(struct slice name);

#endif
