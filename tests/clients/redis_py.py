"""Debian's python3-redis (redis-py)."""

import threading
import time

import redis

from tap import Server, equal, run, test, until

ALL_BYTES = bytes(range(256))
server = Server()
raw = redis.Redis(port=server.port)
r = redis.Redis(port=server.port, decode_responses=True)


@test("redis-py: strings")
def strings():
    r.flushall()
    equal(r.ping(), True)
    equal(r.set("s", "v", ex=100), True)
    equal(r.set("s", "w", nx=True), None)
    equal(r.set("s", "w", keepttl=True, get=True), "v")
    equal(r.ttl("s") > 90, True)
    equal(r.append("s", "xyz"), 4)
    equal(r.getrange("s", 1, -1), "xyz")
    equal(r.getex("s", persist=True), "wxyz")
    equal(r.getdel("s"), "wxyz")
    equal(r.mset({"a": 1, "b": 2}), True)
    equal(r.mget("a", "missing", "b"), ["1", None, "2"])
    equal(r.msetnx({"a": 1, "z": 2}), False)
    equal(r.incr("a", 41), 42)
    equal(r.incrbyfloat("a", 0.5), 42.5)
    equal(r.setbit("bits", 7, 1), 0)
    equal(r.bitcount("bits"), 1)
    equal(r.bitfield("bits").get("u8", 0).incrby("u8", 8, 5).execute(), [1, 5])
    raw.set(ALL_BYTES, ALL_BYTES)
    equal(raw.get(ALL_BYTES), ALL_BYTES)


@test("redis-py: keys")
def keys():
    r.flushall()
    r.mset({"k": 1, "l": "text", "m": 3})
    equal(r.expire("k", 100, nx=True), True)
    equal(r.expire("k", 50, gt=True), False)
    equal(r.expiretime("k") > time.time(), True)
    equal(r.persist("k"), True)
    equal(r.exists("k", "l", "missing"), 2)
    equal(r.type("k"), "string")
    equal(r.object("encoding", "k"), "int")
    equal(r.rename("k", "n"), True)
    equal(r.copy("l", "o"), True)
    equal(sorted(r.keys()), ["l", "m", "n", "o"])
    equal(r.delete("l", "m", "missing"), 2)
    equal(r.unlink("n"), 1)
    equal(r.dbsize(), 1)
    r.set("p", "v", px=30)
    until(lambda: r.get("p") is None, "the end of a key")
    r.mset({f"scan:{i}": i for i in range(3000)})
    equal(len(set(r.scan_iter(match="scan:*", count=100))), 3000)


@test("redis-py: pipeline of 10,000 commands")
def pipeline():
    r.flushall()
    with r.pipeline(transaction=False) as p:
        for i in range(5000):
            p.set(f"p:{i}", i).get(f"p:{i}")
        p.execute_command("NOSUCH")
        replies = p.execute(raise_on_error=False)
    equal(replies[1:10000:2], [str(i) for i in range(5000)])
    equal(isinstance(replies[10000], redis.ResponseError), True)


@test("redis-py: administration")
def administration():
    equal("redis_version" in r.info(), True)
    equal(r.config_set("maxmemory", 0), True)
    equal(r.config_get("maxmemory"), {"maxmemory": "0"})
    equal(r.client_setname("tester"), True)
    equal(any(c["name"] == "tester" for c in r.client_list()), True)
    equal(isinstance(r.client_id(), int), True)
    equal(r.command()["get"]["arity"], 2)
    equal(r.command_getkeys("MSET", "a", 1, "b", 2), ["a", "b"])
    equal(isinstance(r.slowlog_get(), list), True)
    r.set("k", "v")
    equal(r.memory_usage("k") > 0, True)
    equal(len(r.time()), 2)


@test("redis-py: publish and subscribe")
def pubsub():
    with r.pubsub() as p:
        p.subscribe("news")
        p.psubscribe("n*")
        until(lambda: r.publish("news", "start") == 2, "the subscriptions")
        for i in range(500):
            r.publish("news", i)
        got = {"message": [], "pmessage": []}

        def all_came():
            while message := p.get_message(ignore_subscribe_messages=True):
                if message["data"] != "start":
                    got[message["type"]].append(message["data"])
            return sum(map(len, got.values())) == 1000

        until(all_came, "1,000 messages")
        equal(got["message"], [str(i) for i in range(500)])
        equal(got["pmessage"], got["message"])


@test("redis-py: a listener thread is told of expired keys")
def events():
    r.config_set("notify-keyspace-events", "Ex")
    expired = threading.Event()
    with r.pubsub() as p:
        p.subscribe(**{"__keyevent@0__:expired": lambda m: m["data"] == "soon" and expired.set()})
        thread = p.run_in_thread(sleep_time=0.01)
        until(lambda: r.pubsub_numsub("__keyevent@0__:expired")[0][1] == 1, "the subscription")
        r.set("soon", 1, px=20)
        equal(expired.wait(30), True)
        thread.stop()
        thread.join()
    r.config_set("notify-keyspace-events", "")


@test("redis-py: MONITOR")
def monitor():
    with r.monitor() as m:
        r.set("watched", "a b")
        while True:
            command = m.next_command()["command"]
            if "watched" in command:
                break
    equal(command, "SET watched a b")


@test("redis-py: password, database, unix socket")
def connections():
    guarded = Server("--requirepass", "s3cret")
    try:
        redis.Redis(port=guarded.port).get("k")
        raise AssertionError("let in")
    except redis.AuthenticationError:
        pass
    url = f"redis://:s3cret@127.0.0.1:{guarded.port}/3"
    three = redis.Redis.from_url(url)
    equal(three.set("k", "three"), True)
    guarded.kill()
    guarded.up()
    equal(three.get("k"), None)
    guarded.discard()
    with redis.Redis(unix_socket_path=server.socket, decode_responses=True) as local:
        equal(local.set("by", "unix"), True)
        equal(r.get("by"), "unix")


run()
