/*
 * Any bytes as a file of a snapshot: nothing is read beyond them, and what comes of it is a
 * keyspace or an error. The first byte chooses whether what is not supported is passed over, and
 * whether a head is put before the rest.
 */
#include "base/mem.h"
#include "base/world.h"
#include "storage/rdb/rdb_load.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(int fd, const void *bytes, size_t len)
{
    if (write(fd, bytes, len) != (ssize_t)len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool begun;
    struct keyspace ks = {0};
    struct rdb_load l = {
        .keyspace = &ks,
        .limits = {.hash = {16, 64}, .list = {256, 1 << 15}, .zset = {16, 64}, .intset = 16},
        .now_ms = INT64_MIN};
    int fd;

    if (!size)
        return 0;
    if (!begun) {
        world_init();
        world_join();
        hash_init(1);
        begun = true;
    }
    fd = memfd_create("snapshot", MFD_CLOEXEC);
    if (data[0] & 1)
        put(fd, "REDIS0011\xfe\0", 11);
    put(fd, data + 1, size - 1);
    lseek(fd, 0, SEEK_SET);
    l.skip_unsupported = data[0] & 2;
    l.replace = data[0] & 4;
    keyspace_init(&ks, 4);
    if (!rdb_load(&l, fd, (int64_t)(size - 1 + (data[0] & 1 ? 11 : 0))) && !l.error.len)
        abort();
    buf_release(&l.error);
    keyspace_release(&ks);
    close(fd);
    return 0;
}
