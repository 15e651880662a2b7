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
    box->taken = NULL;
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
    struct inbox_message *m;
    uint64_t n;

    if (read(box->fd, &n, sizeof(n)) < 0)
        INVARIANT(errno == EAGAIN || errno == EINTR);
    INVARIANT(!box->taken);
    lock_take(&box->lock);
    box->taken = box->head;
    box->head = NULL;
    box->tail = &box->head;
    lock_release(&box->lock);
    while ((m = box->taken)) {
        box->taken = m->next;
        m->run(m, owner);
    }
}

/* Where the message hangs in a list, or the list's end. */
static struct inbox_message **find(struct inbox_message **at, const struct inbox_message *m)
{
    while (*at && *at != m)
        at = &(*at)->next;
    return at;
}

void inbox_withdraw(struct inbox *box, const struct inbox_message *m)
{
    struct inbox_message **at = find(&box->taken, m);

    if (*at) {
        *at = m->next;
        return;
    }
    lock_take(&box->lock);
    at = find(&box->head, m);
    if (*at) {
        *at = m->next;
        if (!*at)
            box->tail = at;
    }
    lock_release(&box->lock);
}

void inbox_release(struct inbox *box)
{
    close(box->fd);
    box->fd = -1;
}
