/* What the tests of the configuration share: values as C strings, snapshots, files. */
#ifndef TESTS_UNIT_CONF_CONF_KIT_H
#define TESTS_UNIT_CONF_CONF_KIT_H

#include "conf/conf.h"

/* The value as CONFIG GET shows it, until the next call; "(none)" for an unknown name. */
const char *kit_get(const struct conf *c, const char *name);

/* CONFIG SET of one option: "" or the error, until the next call. */
const char *kit_set(struct conf *c, const char *name, const char *value);

/* Arguments as the server gets them, the last NULL; they must load. Freed with conf_free. */
struct conf *kit_load(const char *const *args);

/* The same where the result matters; *said is error or warnings, until the next call. */
enum conf_result kit_try(const char *const *args, const char **said);

/* A folder of this program, removed when it ends, and files in it. */
const char *kit_dir(void);
const char *kit_path(const char *name);
void kit_write(const char *name, const char *content);
/* All of a file, until the next call. */
const char *kit_read(const char *name);

#endif
