/* The nodes of a tree of items: filling, dividing, joining. For btree.c alone. */
#ifndef LK_STORAGE_BTREE_SHAPE_H
#define LK_STORAGE_BTREE_SHAPE_H

#include "storage/btree.h"

/* A way from the root to a place in a leaf. */
struct btree_path {
    struct btree_inner *node[BTREE_LEVELS_MAX]; /* from the root on, as many as there are levels */
    unsigned at[BTREE_LEVELS_MAX];              /* the branch of each that is taken */
    struct btree_leaf *leaf;
    unsigned pos;
};

/* Within a leaf that has room, or an item there: nothing but the leaf changes. */
void btree_leaf_open(struct btree_leaf *leaf, unsigned at, const struct zset_item *item);
void btree_leaf_close(struct btree_leaf *leaf, unsigned at);

/* The path is out of date after these. */
void btree_insert_at(struct btree *t, struct btree_path *p, struct zset_item *item);
void btree_remove_at(struct btree *t, struct btree_path *p);
/* The first item of the path's leaf is another, or has another score. */
void btree_first_changed(const struct btree *t, const struct btree_path *p);

#endif
