/*
 * The title of the process, as ps shows it. A process has one, which lives where its arguments
 * were, so this is state of the process and not of a server.
 */
#ifndef LK_SERVER_TITLE_H
#define LK_SERVER_TITLE_H

#include "conf/conf.h"

/* Before anything else, since it moves the environment away from behind the arguments. */
void title_init(int argc, char **argv);
/* Shows the title that proc-title-template describes. */
void title_set(const struct conf *conf);

#endif
