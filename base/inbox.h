/*
 * How other threads reach a thread: they append a message and, only when the queue was empty, write
 * to its eventfd. The owner detaches the whole queue, unlocks, and then runs the messages in order.
 */
#ifndef LK_BASE_INBOX_H
#define LK_BASE_INBOX_H

#include "base/lock.h"

struct inbox_message {
    struct inbox_message *next;
    /* Runs on the owner's thread, which passes its own context; owns the message from then on. */
    void (*run)(struct inbox_message *m, void *owner);
};

struct inbox {
    struct lock lock; /* head, tail */
    struct inbox_message *head, **tail;
    struct inbox_message *taken; /* out of the queue, and still to be run; the owner's */
    int fd;                      /* readable when there may be messages */
};

/* 0 or -errno. */
int inbox_init(struct inbox *box);
/* Any thread. Takes ownership of the message. */
void inbox_post(struct inbox *box, struct inbox_message *m);
/* Only the owner: makes fd unreadable and runs everything that has come. */
void inbox_drain(struct inbox *box, void *owner);
/*
 * Only the owner: takes back a message that has been posted, so that it will not run; harmless if
 * it has run. Who frees what a message is a part of must know that it comes no more.
 */
void inbox_withdraw(struct inbox *box, const struct inbox_message *m);
void inbox_release(struct inbox *box);

#endif
