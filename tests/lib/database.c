/* See database.h. */
#include "tests/lib/database.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/tap.h"

enum { KINDS = 2 };

static pid_t helper;
static FILE *to, *from;
static char names[KINDS][16], addresses[KINDS][256], certificates[KINDS][256];

/* It ends by itself when this process does: no sooner, lest folders stay. */
static void become_helper(const char *kinds, int in, int out)
{
    char *words = strdup(kinds), *rest = words;
    char *argv[KINDS + 2] = {(char *)"tests/lib/databases"};

    for (int i = 0; words && i < KINDS; i++)
        argv[i + 1] = strsep(&rest, " ");
    setsid();
    unsetenv("LATCHKEY_SUITE");
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    execv(argv[0], argv);
    _exit(127);
}

void databases_start(const char *kinds)
{
    int down[2], up[2];
    char line[512];

    if (pipe2(down, O_CLOEXEC) < 0 || pipe2(up, O_CLOEXEC) < 0 || (helper = fork()) < 0)
        bail("no process for databases");
    if (helper == 0)
        become_helper(kinds, down[0], up[1]);
    close(down[0]);
    close(up[1]);
    to = fdopen(down[1], "w");
    from = fdopen(up[0], "r");
    atexit(databases_stop);
    for (int i = 0; i == 0 || strchr(kinds, ' ') != NULL; i++) {
        if (i == KINDS)
            break;
        if (!fgets(line, sizeof(line), from) ||
            sscanf(line, "%15s %255s %255s", names[i], addresses[i], certificates[i]) != 3)
            bail("the databases do not start");
    }
}

static int index_of(const char *name)
{
    for (int i = 0; i < KINDS; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    bail("no database %s", name);
}

const char *databases_address(const char *name)
{
    return addresses[index_of(name)];
}

const char *databases_certificate(const char *name)
{
    return certificates[index_of(name)];
}

void databases_tell(const char *what, const char *name)
{
    char line[512] = "";

    fprintf(to, "%s %s\n", what, name);
    fflush(to);
    if (!fgets(line, sizeof(line), from) || strcmp(line, "ok\n") != 0)
        bail("%s %s: %s", what, name, line);
}

void databases_stop(void)
{
    if (helper <= 0)
        return;
    fclose(to);
    fclose(from);
    waitpid(helper, NULL, 0);
    helper = 0;
}
