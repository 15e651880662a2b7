/*
 * Lines of the log that are no changes of keys: which versions the changes around them have given
 * (storage/log/record_versions.h).
 */
#ifndef LK_SERVER_LOG_LINES_H
#define LK_SERVER_LOG_LINES_H

#include "server/server.h"

/*
 * Does what the line says, `argv[0]` of which is its word, while a log is loaded. False if it is
 * none such; one of an unknown word is passed over.
 */
bool log_line_apply(struct server *s, const struct slice *argv, int argc);

#endif
