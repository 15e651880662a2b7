/* Who a connection is: passwords. */
#ifndef LK_SERVER_AUTH_H
#define LK_SERVER_AUTH_H

#include "server/call.h"

/* Whether clients have to authenticate at all. */
static inline bool auth_required(const struct conf *conf)
{
    return conf->requirepass.len > 0;
}

/*
 * Logs the connection in as this user, whose name is in no case secret. False, and WRONGPASS is
 * answered, if the user or the password is another; the connection stays what it was.
 */
bool auth_log_in(struct call *c, struct slice user, struct slice password);
/* As a connection is when it is new. */
void auth_log_out(struct conn *c);

/* Whether argument i is a secret, which MONITOR and SLOWLOG show as "(redacted)". */
bool auth_is_secret(const struct call *c, int i);

#endif
