/* The program: reads the configuration, and runs the server. */
#include "base/log.h"
#include "base/mem.h"
#include "server/server.h"

#include <signal.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    static struct server server;
    struct conf_notes notes = {0};
    struct conf *conf = conf_new();
    int status = 1;

    if (conf_load(conf, argc - 1, argv + 1, &notes) != CONF_OK) {
        fprintf(stderr, "%.*s", (int)notes.error.len, notes.error.ptr);
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    conf_notes_release(&notes);
    if (server_init(&server, conf))
        status = server_run(&server);
    server_release(&server);
    return status;
}
