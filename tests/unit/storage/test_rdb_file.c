/*
 * storage/rdb/rdb_file: whatever call goes wrong, the file is the old one or the new one, and what
 * is said of it is true.
 */
#include "base/files.h"
#include "storage/rdb/rdb_file.h"
#include "tests/lib/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEN = 1000, CALLS_MAX = 40 };

static int write_file(char letter)
{
    char bytes[LEN];
    struct rdb_file f;
    int status = rdb_file_create(&f, "dump.rdb", true);

    memset(bytes, letter, sizeof(bytes));
    if (status < 0)
        return status;
    status = rdb_file_sink(&f, bytes, LEN / 2);
    if (status == 0)
        status = rdb_file_sink(&f, bytes, LEN / 2);
    return rdb_file_finish(&f, status);
}

/* The letter that the file consists of, 0 if it is not whole. */
static char read_file(void)
{
    char bytes[LEN + 1];
    FILE *f = fopen("dump.rdb", "r");
    size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;

    if (f)
        fclose(f);
    for (size_t i = 1; i < n; i++)
        n = bytes[i] == bytes[0] ? n : 0;
    return n == LEN ? bytes[0] : 0;
}

static bool left_over(void)
{
    char name[64];

    snprintf(name, sizeof(name), "temp-%d.rdb", (int)getpid());
    return access(name, F_OK) == 0;
}

static void try_all(const char *how)
{
    int wrong = 0, failed = 0;

    for (uint64_t n = 1; n < CALLS_MAX; n++) {
        char before, after;
        int status;

        file_faults(0, "");
        write_file('a');
        file_faults(n, how);
        before = 'a';
        status = write_file('b');
        file_faults(0, "");
        after = read_file();
        failed += status < 0;
        wrong += status == 0 ? after != 'b' : after != before && after != 'b';
        wrong += status < 0 && strcmp(how, "fulls") != 0 && left_over();
    }
    is_int(wrong, 0, "%s: the file is whole, whichever call it is", how);
    ok(strcmp(how, "short") == 0 ? failed == 0 : failed > 3, "%s: and it is told", how);
}

int main(void)
{
    char folder[] = "/tmp/latchkey-test-XXXXXX", command[100];

    if (!mkdtemp(folder) || chdir(folder) < 0)
        return 1;
    try_all("fail");
    try_all("full");
    try_all("short");
    try_all("fulls");
    snprintf(command, sizeof(command), "rm -r %s", folder);
    ok(system(command) == 0, "the folder is removed");
    return tap_done();
}
