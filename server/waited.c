/* Keys that somebody waits for, see waited.h. */
#include "server/waited.h"

static struct waited *find(const struct shard *shard, int db, struct slice key, uint64_t hash)
{
    struct named_key *k = named_keys_find(shard->waited, db, key, hash);

    return k ? CONTAINER_OF(k, struct waited, key) : NULL;
}

struct waited *waited_find(const struct shard *shard, int db, struct slice key)
{
    return find(shard, db, key, hash_bytes(key));
}

static struct waited *add(struct shard *shard, int db, struct slice key, uint64_t hash)
{
    struct waited *k = CONTAINER_OF(
        named_keys_add(&shard->waited, sizeof(struct waited), db, key, hash), struct waited, key);

    for (int i = 0; i < WAIT_KINDS; i++)
        list_init(&k->queues[i]);
    return k;
}

/* A command may name a key twice. Nobody else has hung anything there between the two. */
static bool is_last(const struct list *queue, const struct waiter *waiter)
{
    return !list_empty(queue) && CONTAINER_OF(queue->prev, struct hook, link)->waiter == waiter;
}

bool waited_hang(struct shard *shard, struct slice key, uint64_t hash, struct hook *h)
{
    struct waiter *waiter = h->waiter;
    struct waited *k = find(shard, waiter->db, key, hash);
    struct list *queue;

    if (!k)
        k = add(shard, waiter->db, key, hash);
    queue = &k->queues[waiter->wait.what];
    if (is_last(queue, waiter))
        return false;
    list_push(queue, &h->link);
    h->key = k;
    k->hooks++;
    return true;
}

void waited_forget(struct shard *shard, struct waited *k)
{
    if (!k->hooks && !k->signals)
        named_keys_drop(&shard->waited, &k->key);
}

void waited_unhang(struct shard *shard, struct hook *h)
{
    struct waited *k = h->key;

    list_remove(&h->link);
    h->key = NULL;
    k->hooks--;
    waited_forget(shard, k);
}

static void check_key(void *item, void *opaque)
{
    const struct waited *k = CONTAINER_OF((struct named_key *)item, struct waited, key);
    struct waited_sums *sums = opaque;
    size_t hooks = 0;

    for (int what = 0; what < WAIT_KINDS; what++) {
        LIST_EACH (h, &k->queues[what], struct hook, link) {
            INVARIANT(h->key == k && h->waiter->db == k->key.db);
            INVARIANT((int)h->waiter->wait.what == what && h->shard == shard_of(k->key.hash));
            hooks++;
        }
    }
    INVARIANT(hooks == k->hooks && (hooks || k->signals));
    sums->keys++;
    sums->hooks += hooks;
}

void waited_check(const struct keyspace *ks, struct waited_sums *sums)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        if (ks->shards[i].waited)
            table_each(ks->shards[i].waited, check_key, sums);
    }
}
