/*
 * Real database servers for C suites: tests/lib/databases does the work, and ends them when this
 * process ends, however that comes.
 */
#ifndef TESTS_LIB_DATABASE_H
#define TESTS_LIB_DATABASE_H

/* Starts these, "pgsql mysql" or fewer; ends the program with a failed check if it cannot. */
void databases_start(const char *names);
/* The address of an empty database, such as pgsql://user:password@host:port/database. */
const char *databases_address(const char *name);
/* The file with the certificate that its own is signed by. */
const char *databases_certificate(const char *name);
/* "kill", "start", "stop" or "cont"; ends the program with a failed check if it cannot. */
void databases_tell(const char *what, const char *name);
/* Waits until they are gone. */
void databases_stop(void);

#endif
