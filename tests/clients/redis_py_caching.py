"""Debian's python3-redis (redis-py): a cache whose keys are told to a subscribed connection."""

import redis

from tap import Server, equal, run, test, until

server = Server()
writer = redis.Redis(port=server.port, decode_responses=True)


class Cache:
    """Keeps what it has read until it is told that it has changed."""

    def __init__(self, **mode):
        self.listener = writer.pubsub()
        self.listener.execute_command("CLIENT ID")
        listener_id = self.listener.parse_response()
        self.listener.subscribe("__redis__:invalidate")
        self.client = redis.Redis(port=server.port, decode_responses=True,
                                  single_connection_client=True)
        equal(self.client.client_tracking_on(clientid=listener_id, **mode), "OK")
        equal(self.client.client_getredir(), listener_id)
        self.values = {}
        self.told = []

    def listen(self, timeout=0.01):
        message = self.listener.get_message(timeout=timeout)
        while message:
            if message["type"] == "message":
                self.told.append(message["data"])
                for key in message["data"] or list(self.values):
                    self.values.pop(key, None)
            message = self.listener.get_message(timeout=timeout)

    def get(self, key):
        if key not in self.values:
            self.values[key] = self.client.get(key)
        return self.values[key]

    def close(self):
        self.listener.close()
        self.client.close()


def soon(cache, condition, what):
    def check():
        cache.listen()
        return condition()
    until(check, what)


@test("redis-py, caching: keys that were read")
def read():
    writer.flushall()
    cache = Cache()
    writer.mset({f"k:{i}": i for i in range(20)})
    for i in range(20):
        equal(cache.get(f"k:{i}"), str(i))
    writer.mset({f"k:{i}": "new" for i in range(0, 20, 2)})
    soon(cache, lambda: len(cache.values) == 10, "half of them changed")
    for i in range(20):
        equal(cache.get(f"k:{i}"), str(i) if i % 2 else "new")
    equal(sorted(cache.told), sorted([f"k:{i}"] for i in range(0, 20, 2)))
    cache.close()


@test("redis-py, caching: FLUSHALL, expiry")
def gone():
    cache = Cache()
    writer.set("short", 1, px=150)
    equal(cache.get("short"), "1")
    soon(cache, lambda: not cache.values, "the end of its time")
    equal(cache.get("short"), None)
    writer.flushall()
    soon(cache, lambda: None in cache.told, "FLUSHALL")
    equal(cache.values, {})
    cache.close()


@test("redis-py, caching: never older than what was told")
def never_older():
    cache = Cache()
    for i in range(300):
        writer.set(f"k:{i % 3}", i)
        soon(cache, lambda: f"k:{i % 3}" not in cache.values, "the change")
        equal(cache.get(f"k:{i % 3}"), str(i))
    cache.close()


@test("redis-py, caching: prefixes, without its own changes")
def prefixes():
    cache = Cache(bcast=True, prefix=["a:", "b:"], noloop=True)
    cache.client.set("a:own", 1)
    writer.mset({"b:1": 1, "a:2": 1, "c:3": 1, "a:1": 1})
    soon(cache, lambda: len(cache.told) == 2, "two prefixes")
    equal(cache.told, [["a:1", "a:2"], ["b:1"]])
    equal(cache.client.client_trackinginfo(),
          ["flags", ["on", "bcast", "noloop"], "redirect", cache.client.client_getredir(),
           "prefixes", ["a:", "b:"]])
    equal(cache.client.client_tracking_off(), "OK")
    equal(cache.client.client_getredir(), -1)
    cache.close()


@test("redis-py, caching: mistakes")
def mistakes():
    client = redis.Redis(port=server.port, single_connection_client=True)
    for mode in ({"optin": True, "optout": True}, {"bcast": True, "optin": True},
                 {"clientid": 99999999}):
        try:
            client.client_tracking_on(**mode)
        except redis.ResponseError:
            continue
        raise AssertionError(f"{mode} is allowed")
    client.close()


run()
