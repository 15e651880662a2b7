"""Collections: operations per second of server CPU time, and resident bytes, beside Redis."""

import os
import statistics
import subprocess
import time

import harness
from harness import MEMORY, Server, row, title, verdict

KEYS = 100000
PIPELINE = 16
WIDTHS = (22, 10, 10, 7, 7, 12, 12)


def small_keys(server, *command, n=KEYS):
    """The command for each of n keys, where %d is the number of the key."""
    load(server, ([word % i if "%" in word else word for word in command] for i in range(n)))


def members(server, *command, n=KEYS):
    load(server, ([word.replace("@", f"{i:012d}") for word in command] for i in range(n)))


def load(server, commands):
    with subprocess.Popen(["redis-cli", "-p", str(server.port), "--pipe"], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, preexec_fn=harness.measured_on(
                              harness.CLIENT_CORE)) as cli:
        for command in commands:
            words = [word.encode() for word in command]
            cli.stdin.write(b"*%d\r\n" % len(words) +
                            b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        cli.stdin.close()
        if cli.wait() != 0:
            raise SystemExit(f"{server.kind}: redis-cli --pipe failed")


def no_load(server):
    pass


def load_hashes(server):
    small_keys(server, "HSET", "hash:%012d", "field:1", "value-01", "field:2", "value-02",
               "field:3", "value-03", "field:4", "value-04", "field:5", "value-05")


def load_lists(server):
    small_keys(server, "RPUSH", "list:%012d", *[f"value-{i:02d}" for i in range(40)])


def load_zset(server):
    load(server, (["ZADD", "zset", str(i * 7919 % KEYS), f"member:{i:012d}"] for i in range(KEYS)))


def load_long_list(server):
    load(server, [["RPUSH", "list"] + [f"element-{i:03d}" for i in range(200)]])


def load_wide_hash(server):
    load(server, [["HSET", "hash"] + [w for i in range(50) for w in (f"field:{i:03d}",
                                                                      f"value-{i:03d}")]])


NUMBER = "__rand_int__"
WORKS = [
    # name, what is there before, the command, requests, least ratio to Redis
    ("INCR", no_load, f"INCR counter:{NUMBER}", 2000000, 1.6),
    ("HSET", load_hashes, f"HSET hash:{NUMBER} field:3 changed!", 2000000, 1.6),
    ("HGET", load_hashes, f"HGET hash:{NUMBER} field:3", 2000000, 1.6),
    ("LPUSH", no_load, f"LPUSH list:{NUMBER} value-01", 2000000, 1.6),
    ("LPOP", load_lists, f"LPOP list:{NUMBER}", 2000000, 1.6),
    ("SADD", no_load, f"SADD set:{NUMBER} member:{NUMBER}", 2000000, 1.6),
    ("LPUSH to one list", no_load, "LPUSH list value-01", 2000000, None),
    ("LPOP from one list", no_load, None, 2000000, None),
    ("SADD to one set", no_load, f"SADD set member:{NUMBER}", 2000000, None),
    ("HSET into one hash", no_load, f"HSET hash field:{NUMBER} value-01", 2000000, None),
    ("ZADD to 100,000", load_zset, f"ZADD zset {NUMBER} member:{NUMBER}", 1000000, 1.6),
    ("ZRANGE 0 9", load_zset, "ZRANGE zset 0 9", 500000, 1.6),
    ("MULTI of 5 SETs", no_load, "MULTI", 200000, 1.6),
    ("LRANGE 0 99", load_long_list, "LRANGE list 0 99", 200000, 1.3),
    ("HGETALL of 50", load_wide_hash, "HGETALL hash", 200000, 1.3),
]


def drive(server, command, requests):
    if command == "MULTI":
        harness.run_tool("groups", server.port, requests, KEYS)
        return
    subprocess.run(["redis-benchmark", "-p", str(server.port), "-P", str(PIPELINE), "-c", "50",
                    "-n", str(requests), "-r", str(KEYS), "-q", *command.split()], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   preexec_fn=harness.measured_on(harness.CLIENT_CORE))


def one_round(kind, prepare, command, requests):
    with Server(kind) as server:
        prepare(server)
        if command is None:
            drive(server, "LPUSH list value-01", requests)
            command = "LPOP list"
        before, start = server.cpu_ns(), time.monotonic()
        drive(server, command, requests)
        wall = time.monotonic() - start
        return (server.cpu_ns() - before) / requests, requests / wall


def chosen():
    """BENCH_OPS="HSET,ZRANGE 0 9" narrows the list while one path is tuned."""
    only = os.environ.get("BENCH_OPS")
    return [w for w in WORKS if not only or w[0] in only.split(",")]


def run_ops():
    title(f"collections: per second of server CPU time, one worker, {KEYS:,} keys, pipeline 16")
    row("", "ns CPU", "redis", "ratio", "target", "wall/s", "redis", widths=WIDTHS)
    for name, prepare, command, requests, target in chosen():
        if harness.QUICK:
            requests //= 4
        found = {}
        for kind in MEMORY.kinds("collections", name):
            rounds = [one_round(kind, prepare, command, requests)
                      for _ in range(1 if harness.QUICK else 3)]
            found[kind] = [statistics.median(r[i] for r in rounds) for i in (0, 1)]
        found = MEMORY.settle(("collections", name), found)
        (cpu, wall), (redis_cpu, redis_wall) = found["latchkey"], found["redis"]
        ratio = redis_cpu / cpu
        row(name, f"{cpu:.0f}", f"{redis_cpu:.0f}", f"{ratio:.2f}",
            f"{target:.2f}" if target else "", f"{wall:,.0f}", f"{redis_wall:,.0f}" +
            verdict(not target or ratio >= target), widths=WIDTHS)


def five(prefix):
    return [f"{prefix}-{i:02d}" for i in range(5)]


SIZES = [
    # name, how many, at most, what is loaded; the number of keys or of elements
    ("hash of 5", KEYS, 130, lambda s: small_keys(
        s, "HSET", "hash:%011d", *[w for i in range(5) for w in (f"f{i}", f"val-{i}")])),
    ("list of 5", KEYS, 100, lambda s: small_keys(s, "RPUSH", "list:%011d", *five("value"))),
    ("set of 5", KEYS, 100, lambda s: small_keys(s, "SADD", "sets:%011d", *five("value"))),
    ("sorted set of 5", KEYS, 110, lambda s: small_keys(
        s, "ZADD", "zset:%011d", *[w for i, m in enumerate(five("value")) for w in (str(i), m)])),
    ("sorted set, a member", 1000000, 60, lambda s: load(s, (
        ["ZADD", "zset", str(i * 611953 % 1000003), f"member:{i:010d}"] for i in range(1000000)))),
    ("hash, a field", 1000000, 60, lambda s: members(s, "HSET", "hash", "f:@", "value-01",
                                                     n=1000000)),
]


def run_bytes():
    title("collections: resident bytes a key (16 bytes), or an element of one large collection")
    widths = (22, 11, 10, 8)
    row("", "latchkey", "redis", "target", widths=widths)
    for name, count, most, fill in SIZES:
        found = {}
        for kind in MEMORY.kinds("bytes", name):
            with Server(kind) as server:
                empty = server.resident()
                fill(server)
                time.sleep(1.5)
                found[kind] = (server.resident() - empty) / count
        found = MEMORY.settle(("bytes", name), found)
        row(name, f"{found['latchkey']:.1f}", f"{found['redis']:.1f}",
            f"{most}" + verdict(found["latchkey"] <= most), widths=widths)
