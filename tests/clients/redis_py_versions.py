"""Debian's python3-redis (redis-py): what docs/versions.md shows."""

import threading

import redis

from tap import Server, equal, run, test

server = Server()
r = redis.Redis(port=server.port, decode_responses=True)
THREADS, ROUNDS = 4, 50


def update(client, key, change):
    while True:
        version, value = client.execute_command("VGET", key)
        try:
            return client.execute_command("WHEN", "VERSION", key, version, "DO", "SET", key,
                                          change(value))
        except redis.ResponseError as error:
            if not str(error).startswith("VERSION "):
                raise


def changes(client, key):
    version = 0
    while True:
        found = client.execute_command("VGET", key, "SINCE", version, "WAIT", 30000)
        if found:
            version, value = found
            yield value


@test("redis-py, versions: compare and set")
def compare_and_set():
    r.flushall()

    def count():
        for _ in range(ROUNDS):
            update(r, "counter", lambda value: int(value or 0) + 1)

    threads = [threading.Thread(target=count) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(r.get("counter"), str(THREADS * ROUNDS))


@test("redis-py, versions: waiting for changes")
def waiting():
    r.flushall()
    seen = changes(redis.Redis(port=server.port, decode_responses=True), "k")
    for i in range(20):
        later = threading.Timer(0.005, r.set, ("k", i))
        later.start()
        equal(next(seen), str(i))
        later.join()
    r.delete("k")
    equal(next(seen), None)


@test("redis-py, versions: fencing")
def fencing():
    r.flushall()
    token = r.execute_command("LOCK.ACQUIRE", "report", "LEASE", 60000, "DETACHED")
    version = r.execute_command("SET", "report:1", "v", "GETVERSION", get=True)
    for held in (True, False):
        with r.pipeline() as p:
            p.watch("LOCK", "report", token)
            p.watch("report:1", "VERSION", version)
            p.multi()
            p.incr("reports")
            try:
                equal((p.execute(), held), ([1], True))
            except redis.WatchError:
                equal(held, False)
        r.execute_command("LOCK.BREAK", "report")
    equal(r.get("reports"), "1")


run()
