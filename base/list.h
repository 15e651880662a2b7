/* An intrusive doubly linked ring: the head and every link are of one type. */
#ifndef LK_BASE_LIST_H
#define LK_BASE_LIST_H

#include "base/compiler.h"

#include <stdbool.h>

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_push(struct list *head, struct list *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

/* Takes `link` out of its ring and leaves it a ring of one; harmless when it is one already. */
static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* The element must not leave the list inside the loop's body... */
#define LIST_EACH(var, head, type, member)                                                         \
    for (type *var = CONTAINER_OF((head)->next, type, member); &var->member != (head);             \
         var = CONTAINER_OF(var->member.next, type, member))

/* ... here it may. */
#define LIST_EACH_SAFE(var, head, type, member)                                                    \
    for (type *var = CONTAINER_OF((head)->next, type, member),                                     \
              *var##_next = CONTAINER_OF(var->member.next, type, member);                          \
         &var->member != (head);                                                                   \
         var = var##_next, var##_next = CONTAINER_OF(var->member.next, type, member))

#endif
