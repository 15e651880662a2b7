/* What a crash of the machine may take from files, see files_lost.h. */
#include "base/files_lost.h"

#include "base/files.h"
#include "base/mem.h"
#include "base/rng.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512 };

/* A file that was written to. It is open here too, so that its number is not given to another. */
struct watched {
    dev_t dev;
    ino_t ino;
    int fd;
    int64_t synced; /* bytes of it that are on the disk */
    char *cut;      /* that were cut off and are still there: cut_len from `synced` on */
    size_t cut_len;
    struct watched *next;
};

enum change_kind { NAME_MADE, NAME_CHANGED, NAME_REMOVED, FOLDER_MADE };

/* Of names, in order. */
struct change {
    enum change_kind kind;
    char *from, *to;
    char *before; /* what had the name `to`, by another one; NULL for none */
};

static struct watched *all_watched;
static struct change *changes;
static size_t changes_len, changes_cap;

/* ---- data ----------------------------------------------------------------------------------- */

static struct watched *find(int fd)
{
    struct stat st;
    struct watched *w = all_watched;

    if (fstat(fd, &st) < 0)
        return NULL;
    while (w && (w->dev != st.st_dev || w->ino != st.st_ino))
        w = w->next;
    return w;
}

static struct watched *watch(int fd)
{
    struct watched *w = mem_zalloc(sizeof(*w));
    struct stat st = {0};
    char path[40];

    fstat(fd, &st);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    w->fd = open(path, O_RDWR | O_CLOEXEC);
    w->dev = st.st_dev;
    w->ino = st.st_ino;
    w->synced = st.st_size;
    w->next = all_watched;
    all_watched = w;
    return w;
}

static void add_change(enum change_kind kind, const char *from, const char *to, char *before)
{
    if (changes_len == changes_cap) {
        changes_cap = changes_cap ? changes_cap * 2 : 16;
        changes = mem_realloc(changes, changes_cap * sizeof(*changes));
    }
    changes[changes_len++] =
        (struct change){kind, from ? mem_strdup(from) : NULL, mem_strdup(to), before};
}

void lost_opened(int fd, const char *path, int flags, bool existed)
{
    struct watched *w;

    if ((flags & O_ACCMODE) == O_RDONLY)
        return;
    w = find(fd);
    if (!w)
        w = watch(fd);
    if (flags & O_TRUNC)
        w->synced = 0;
    if (!existed)
        add_change(NAME_MADE, NULL, path, NULL);
}

void lost_synced(int fd)
{
    struct watched *w = find(fd);

    if (!w)
        return;
    w->synced = file_size(fd);
    mem_free(w->cut);
    w->cut = NULL;
}

int lost_truncate(int fd, int64_t len)
{
    struct watched *w = find(fd);

    if (w && !w->cut && len < w->synced) {
        w->cut_len = (size_t)(w->synced - len);
        w->cut = mem_alloc(w->cut_len);
        if (pread(w->fd, w->cut, w->cut_len, len) != (ssize_t)w->cut_len)
            w->cut_len = 0;
        w->synced = len;
    }
    return file_ops_system.truncate(fd, len);
}

/* ---- names ---------------------------------------------------------------------------------- */

static bool is_in(const char *path, const char *folder)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    if (!slash)
        return strcmp(folder, ".") == 0;
    return strlen(folder) == len && memcmp(folder, path, len) == 0;
}

/* By another name, what `path` names goes on. */
static char *keep(const char *path)
{
    static unsigned kept;
    char name[4096];

    snprintf(name, sizeof(name), "%s.before-%d-%u", path, (int)getpid(), kept++);
    return link(path, name) < 0 ? NULL : mem_strdup(name);
}

static void drop_kept(char *before)
{
    if (before)
        unlink(before);
    mem_free(before);
}

int lost_rename(const char *from, const char *to)
{
    char *before = keep(to);
    int status = file_ops_system.rename(from, to);

    if (status < 0)
        drop_kept(before);
    else
        add_change(NAME_CHANGED, from, to, before);
    return status;
}

int lost_unlink(const char *path)
{
    char *before = keep(path);
    int status = file_ops_system.unlink(path);

    if (status < 0)
        drop_kept(before);
    else
        add_change(NAME_REMOVED, NULL, path, before);
    return status;
}

void lost_made_folder(const char *path)
{
    add_change(FOLDER_MADE, NULL, path, NULL);
}

static void free_change(struct change *c)
{
    drop_kept(c->before);
    mem_free(c->from);
    mem_free(c->to);
}

void lost_synced_folder(const char *path)
{
    size_t kept = 0;

    for (size_t i = 0; i < changes_len; i++) {
        if (is_in(changes[i].to, path))
            free_change(&changes[i]);
        else
            changes[kept++] = changes[i];
    }
    changes_len = kept;
}

/* ---- the crash ------------------------------------------------------------------------------ */

static void lose_data(const struct watched *w, enum loss how)
{
    static const char zeros[BLOCK];
    int64_t size = file_size(w->fd), from = w->synced;

    if (w->cut && (how == LOSS_ALL || rng_below(2))) {
        if (pwrite(w->fd, w->cut, w->cut_len, from) < 0)
            perror("a file cannot be put back");
        return;
    }
    if (size <= from)
        return;
    if (how == LOSS_ALL || how == LOSS_PART)
        file_ops_system.truncate(
            w->fd, how == LOSS_ALL ? from : from + (int64_t)rng_below((uint64_t)(size - from + 1)));
    for (int64_t at = from; at < size && how != LOSS_ALL && how != LOSS_PART;) {
        int64_t end = (at / BLOCK + 1) * BLOCK;

        end = end < size ? end : size;
        if ((how == LOSS_ZEROS || rng_below(2)) && pwrite(w->fd, zeros, (size_t)(end - at), at) < 0)
            perror("a file cannot be filled");
        at = end;
    }
}

static void undo(const struct change *c)
{
    if (c->kind == NAME_MADE)
        unlink(c->to);
    else if (c->kind == FOLDER_MADE)
        rmdir(c->to);
    else if (c->kind == NAME_CHANGED)
        rename(c->to, c->from);
    if (c->before)
        rename(c->before, c->to);
}

/* Nothing that happened later is about the same names. */
static bool stands_alone(size_t i)
{
    const struct change *c = &changes[i];

    for (size_t k = i + 1; k < changes_len; k++) {
        const struct change *o = &changes[k];

        if (strcmp(o->to, c->to) == 0 || (o->from && strcmp(o->from, c->to) == 0) ||
            (c->from && strcmp(o->to, c->from) == 0))
            return false;
    }
    return c->kind != FOLDER_MADE;
}

static void lose_names(enum loss how)
{
    size_t first = how == LOSS_PART ? rng_below(changes_len + 1) : 0;

    if (how == LOSS_ZEROS)
        return;
    for (size_t i = changes_len; i-- > first;) {
        if (how != LOSS_HOLES) {
            undo(&changes[i]);
        } else if (stands_alone(i) && rng_below(2)) {
            undo(&changes[i]);
            memmove(&changes[i], &changes[i + 1], (--changes_len - i) * sizeof(*changes));
        }
    }
}

void lost_crash(enum loss how, uint64_t seed)
{
    rng_seed(seed);
    for (const struct watched *w = all_watched; w; w = w->next)
        lose_data(w, how);
    lose_names(how);
}
