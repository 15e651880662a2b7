/* A lease as a note, see lease_note.h. */
#include "storage/backend/lease_note.h"

#include "base/clock.h"
#include "base/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* Without a sign of life for that long, the holder is gone. */
enum { SILENCE_MS = 3000 };

struct holder {
    char id[LEASE_ID_LEN + 1];
    long long seen_ms;
    int pid;
    char place[LEASE_PLACE_MAX];
};

/* This boot of this machine, and the container: where else the same number is another process. */
static void find_place(char *out, size_t cap)
{
    char boot[40] = "-", space[64] = "-";
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, boot, sizeof(boot) - 1);

    if (fd >= 0)
        close(fd);
    if (n > 0)
        boot[n] = '\0';
    boot[strcspn(boot, "\n")] = '\0';
    n = readlink("/proc/self/ns/pid", space, sizeof(space) - 1);
    if (n > 0)
        space[n] = '\0';
    snprintf(out, cap, "%s/%s", boot, space);
}

void lease_note_init(struct lease_note *me)
{
    rng_hex_id(me->id, LEASE_ID_LEN);
    find_place(me->place, sizeof(me->place));
}

size_t lease_note_format(const struct lease_note *me, const char *who, char out[LEASE_NOTE_MAX])
{
    snprintf(out, LEASE_NOTE_MAX, "%s %lld %d %s %.128s", me->id, (long long)clock_wall_ms(),
             (int)getpid(), me->place, who);
    return strlen(out);
}

bool lease_note_is_mine(const struct lease_note *me, struct slice note)
{
    return note.len > LEASE_ID_LEN && memcmp(note.ptr, me->id, LEASE_ID_LEN) == 0;
}

/* What does not read as a note is of nobody. */
static bool read_holder(struct slice note, struct holder *h)
{
    char text[LEASE_NOTE_MAX];

    snprintf(text, sizeof(text), "%.*s", (int)note.len, note.ptr);
    /* NOLINTNEXTLINE(cert-err34-c): numbers that are none, or too long, are long ago. */
    return sscanf(text, "%16s %lld %d %127s", h->id, &h->seen_ms, &h->pid, h->place) == 4;
}

bool lease_note_is_free(const struct lease_note *me, struct slice note)
{
    struct holder h;
    int64_t silent_ms;

    if (!read_holder(note, &h) || lease_note_is_mine(me, note))
        return true;
    silent_ms = clock_wall_ms() - h.seen_ms;
    if (silent_ms > SILENCE_MS || silent_ms < -SILENCE_MS)
        return true;
    /* Here a killed server is not waited for. */
    return strcmp(h.place, me->place) == 0 && kill(h.pid, 0) < 0 && errno == ESRCH;
}
