/* Messages between threads, see inbox.h. */
#include "base/inbox.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int inbox_init(struct inbox *box)
{
    lock_init(&box->lock, RANK_INBOX, 0);
    box->head = NULL;
    box->tail = &box->head;
    box->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return box->fd < 0 ? -errno : 0;
}

void inbox_post(struct inbox *box, struct inbox_message *m)
{
    uint64_t one = 1;
    bool was_empty;

    m->next = NULL;
    lock_take(&box->lock);
    was_empty = box->head == NULL;
    *box->tail = m;
    box->tail = &m->next;
    lock_release(&box->lock);
    if (was_empty)
        INVARIANT(write(box->fd, &one, sizeof(one)) == (ssize_t)sizeof(one) || errno == EAGAIN);
}

void inbox_drain(struct inbox *box, void *owner)
{
    struct inbox_message *m, *next;
    uint64_t n;

    if (read(box->fd, &n, sizeof(n)) < 0)
        INVARIANT(errno == EAGAIN || errno == EINTR);
    lock_take(&box->lock);
    m = box->head;
    box->head = NULL;
    box->tail = &box->head;
    lock_release(&box->lock);
    for (; m; m = next) {
        next = m->next;
        m->run(m, owner);
    }
}

void inbox_release(struct inbox *box)
{
    close(box->fd);
    box->fd = -1;
}
