/*
 * What the two files of the journal share: journal.c, which is called by all threads, and
 * journal_thread.c, which is the thread's.
 */
#ifndef LK_STORAGE_LOG_JOURNAL_INNER_H
#define LK_STORAGE_LOG_JOURNAL_INNER_H

#include "base/lock.h"
#include "storage/log/journal.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LOG_FILE_MODE = 0644 };

/* A run of records for one file. */
struct chunk {
    struct buf bytes;
    uint64_t seq;    /* of its last group */
    uint64_t behind; /* of the last group before the new file */
    int db;          /* selected at its beginning */
    bool opens;      /* it is the first of a new file */
    struct chunk *next;
};

/* The file that is written. The thread's own. */
struct file {
    int fd; /* -1: none */
    char *name;
    uint64_t number;
    uint64_t size, synced; /* bytes */
    bool listed;           /* in the manifest */
};

struct rebase {
    const char *temp_name;
    bool as_requests, done;
    int status;
};

struct journal {
    struct journal_events events;

    struct lock lock;
    struct chunk *head, *tail; /* what is not taken yet; the last is appended to */
    int db;                    /* of the last record; -1: to be selected */
    struct version_line version_line;
    bool keeping;                /* what is appended is to be written */
    bool asleep;                 /* the thread, until it is woken */
    uint64_t unwritten, in_hand; /* bytes; those that the thread has taken */
    uint64_t limit;              /* 0: none */
    bool full;                   /* the limit was exceeded, and it is not half empty yet */
    _Atomic bool stopping;

    _Atomic uint64_t seq, wanted, durable;
    _Atomic int state, sync;
    _Atomic bool timestamps;
    int wake_fd;
    pthread_t thread;

    /* Who asks for a base, and the thread. */
    pthread_mutex_t rebase_lock;
    pthread_cond_t rebase_done;
    struct rebase *rebase;

    /* The thread's. */
    struct log_dir dir;
    struct file file;
    struct buf spare;
    uint64_t written_seq, synced_seq;
    int64_t last_sync_ms, last_stamp_s;

    _Atomic uint64_t size, base_size, other_size, delayed;
    _Atomic int last_error;
    _Atomic bool syncing;
    _Atomic int64_t last_sync_us;
};

/* The life of the thread, whose argument is the journal. */
void *journal_thread(void *journal);
/* Wakes it. Any thread. */
void journal_wake(struct journal *j);
/* All that has not been written, and is not in the thread's hand, is forgotten. Locked. */
void journal_drop_locked(struct journal *j);
/* What the thread had in its hand is written, or lost. */
void journal_hand_empty(struct journal *j);
/* The file to write to, which is empty; `fresh`: the manifest does not name it yet. */
int journal_open_file(struct journal *j, bool fresh);
void journal_close_file(struct journal *j);
/* What the loader is to know before anything else. There is no thread yet. 0 or -errno. */
int journal_write_first(struct journal *j, const struct journal_place *at);
/* Looks how large all files are. */
void journal_measure(struct journal *j);

#endif
