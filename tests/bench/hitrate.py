"""How well a full server guesses what will be asked for again: the share of hits in a Zipf access,
with room for a tenth of the items. The limit is what each server needs to hold that tenth under
this very access, so that the choice of victims is compared and not the size of an entry."""

import harness
from harness import MEMORY, Server, row, run_tool, title, verdict

VALUE_LEN = 64
NOISE = 0.005
CORRECTIONS = 3


def access(server, items, warm_up, accesses):
    return float(run_tool("zipf", server.port, items, 1.0, warm_up, accesses, VALUE_LEN))


def hit_rate(kind, policy, items):
    room = items // 10
    with Server(kind) as server:
        empty = server.info("used_memory")
        server.load(room, VALUE_LEN)
        need = server.info("used_memory") - empty
        server.call("FLUSHALL")
        server.call("CONFIG", "SET", "maxmemory-policy", policy)
        for _ in range(CORRECTIONS):
            server.call("CONFIG", "SET", "maxmemory", int(empty + need))
            access(server, items, 0, items)
            need *= room / int(server.call("DBSIZE"))
        server.call("CONFIG", "SET", "maxmemory", int(empty + need))
        rate = access(server, items, items, items * 3)
        return [rate, int(server.call("DBSIZE"))]


def run():
    items = 200000 if harness.QUICK else 1000000
    title(f"hits in a Zipf access (s = 1.0) to {items:,} items, room for {items // 10:,}")
    widths = (14, 9, 9, 12, 12)
    row("", "latchkey", "redis", "keys held", "redis", widths=widths)
    for policy in ("allkeys-lru", "allkeys-lfu"):
        key = ("hitrate", policy)
        found = {kind: hit_rate(kind, policy, items) for kind in MEMORY.kinds(*key)}
        found = MEMORY.settle(key, found)
        (rate, held), (redis_rate, redis_held) = found["latchkey"], found["redis"]
        row(policy, f"{rate:.4f}", f"{redis_rate:.4f}", f"{held:,}",
            f"{redis_held:,}" + verdict(rate >= redis_rate - NOISE), widths=widths)
