"""Debian's python3-redis (redis-py): hashes, lists, sets, sorted sets, HyperLogLogs, places, SORT,
transactions, and waiting."""

import threading

import redis

from tap import Server, equal, run, test, until

ALL_BYTES = bytes(range(256))
MANY = 5000
server = Server()
raw = redis.Redis(port=server.port)
r = redis.Redis(port=server.port, decode_responses=True)


def raises(error, body):
    try:
        body()
    except error as e:
        return str(e)
    raise AssertionError(f"no {error.__name__}")


@test("redis-py: hashes")
def hashes():
    r.flushall()
    equal(r.hset("h", "a", 1), 1)
    equal(r.hset("h", mapping={"a": 2, "b": "two", "c": 3.5}), 2)
    equal(r.hsetnx("h", "a", 9), 0)
    equal(r.hget("h", "a"), "2")
    equal(r.hget("h", "missing"), None)
    equal(r.hmget("h", "a", "missing", "c"), ["2", None, "3.5"])
    equal(r.hgetall("h"), {"a": "2", "b": "two", "c": "3.5"})
    equal(r.hgetall("missing"), {})
    equal(r.hincrby("h", "a", 40), 42)
    equal(r.hincrbyfloat("h", "c", 0.25), 3.75)
    equal(sorted(r.hkeys("h")), ["a", "b", "c"])
    equal(sorted(r.hvals("h")), ["3.75", "42", "two"])
    equal([r.hlen("h"), r.hexists("h", "b"), r.hstrlen("h", "b")], [3, True, 3])
    equal(r.hrandfield("h") in ("a", "b", "c"), True)
    equal(len(r.hrandfield("h", -10, withvalues=True)), 20)
    equal(r.hdel("h", "a", "missing"), 1)
    raw.hset("bin", ALL_BYTES, ALL_BYTES)
    equal(raw.hgetall("bin"), {ALL_BYTES: ALL_BYTES})
    r.hset("large", mapping={f"field:{i}": i for i in range(MANY)})
    equal(r.object("encoding", "large"), "hashtable")
    equal(dict(r.hscan_iter("large", count=100)), {f"field:{i}": str(i) for i in range(MANY)})
    equal(len(dict(r.hscan_iter("large", match="field:1*"))), 1111)
    equal(r.hincrby("large", "field:7", 1), 8)


@test("redis-py: lists")
def lists():
    r.flushall()
    equal(r.rpush("l", "b", "c", "d"), 3)
    equal(r.lpush("l", "a"), 4)
    equal(r.lrange("l", 0, -1), ["a", "b", "c", "d"])
    equal([r.llen("l"), r.lindex("l", -1), r.lindex("l", 9)], [4, "d", None])
    equal(r.linsert("l", "BEFORE", "c", "x"), 5)
    equal(r.lset("l", 0, "A"), True)
    equal(r.lpos("l", "x"), 2)
    equal(r.lpos("l", "x", count=0), [2])
    equal(r.lrem("l", 0, "x"), 1)
    equal(r.ltrim("l", 0, 2), True)
    equal(r.lmove("l", "m", "LEFT", "RIGHT"), "A")
    equal(r.rpoplpush("l", "m"), "c")
    equal(r.lrange("m", 0, -1), ["c", "A"])
    equal(r.lpop("m"), "c")
    equal(r.rpop("m", 5), ["A"])
    equal(r.exists("m"), 0)
    equal(r.lpop("m"), None)
    equal([r.lpushx("m", 1), r.rpushx("m", 1)], [0, 0])
    equal(r.lmpop(2, "m", "l", direction="LEFT", count=3), ["l", ["b"]])
    equal("no such key" in raises(redis.ResponseError, lambda: r.lset("m", 0, 1)), True)
    r.rpush("large", *range(MANY))
    equal(r.lrange("large", 0, -1), [str(i) for i in range(MANY)])
    equal(r.lrange("large", -3, -1), [str(i) for i in range(MANY - 3, MANY)])
    equal(r.lindex("large", 2500), "2500")
    raw.rpush("bin", ALL_BYTES)
    equal(raw.lpop("bin"), ALL_BYTES)


@test("redis-py: sets")
def sets():
    r.flushall()
    equal(r.sadd("s", 1, 2, 3), 3)
    equal(r.object("encoding", "s"), "intset")
    equal(r.sadd("s", "a", 1), 1)
    equal(r.smembers("s"), {"1", "2", "3", "a"})
    equal(r.sismember("s", "a"), True)
    equal(r.smismember("s", "a", "b"), [1, 0])
    equal(r.scard("s"), 4)
    r.sadd("t", 2, 3, 4)
    equal(r.sinter("s", "t"), {"2", "3"})
    equal(r.sunion("s", "t"), {"1", "2", "3", "4", "a"})
    equal(r.sdiff("s", "t"), {"1", "a"})
    equal(r.sintercard(2, ["s", "t"], limit=1), 1)
    equal([r.sinterstore("d", "s", "t"), r.sunionstore("d", "s", "t"), r.sdiffstore("d", "s", "t")],
          [2, 5, 2])
    equal(r.smove("s", "t", "a"), True)
    equal(r.srem("t", "a", "b"), 1)
    equal(r.srandmember("t") in ("2", "3", "4"), True)
    equal(len(r.srandmember("t", -10)), 10)
    equal(set(r.spop("t", 10)), {"2", "3", "4"})
    equal(r.spop("t"), None)
    r.sadd("large", *(f"member:{i}" for i in range(MANY)))
    equal(set(r.sscan_iter("large", count=100)), {f"member:{i}" for i in range(MANY)})


@test("redis-py: sorted sets")
def sorted_sets():
    r.flushall()
    equal(r.zadd("z", {"a": 1, "b": 2, "c": 3.5}), 3)
    equal(r.zadd("z", {"a": 5}, nx=True), 0)
    equal(r.zadd("z", {"a": 0.5}, xx=True, ch=True), 1)
    equal(r.zadd("z", {"a": 1}, incr=True), 1.5)
    equal(r.zadd("z", {"b": 1}, gt=True, ch=True), 0)
    equal(r.zrange("z", 0, -1, withscores=True), [("a", 1.5), ("b", 2.0), ("c", 3.5)])
    equal(r.zrange("z", 0, 0, desc=True), ["c"])
    equal(r.zrange("z", "-inf", "(3.5", byscore=True, offset=1, num=5), ["b"])
    equal(r.zrevrange("z", 0, 1), ["c", "b"])
    equal(r.zrangebyscore("z", 2, "+inf", withscores=True), [("b", 2.0), ("c", 3.5)])
    equal(r.zrevrangebyscore("z", "+inf", 2, start=0, num=1), ["c"])
    equal([r.zcard("z"), r.zcount("z", 2, 3), r.zrank("z", "c"), r.zrevrank("z", "c")], [3, 1, 2, 0])
    equal([r.zscore("z", "a"), r.zscore("z", "x")], [1.5, None])
    equal(r.zmscore("z", ["a", "x"]), [1.5, None])
    equal(r.zincrby("z", 0.25, "a"), 1.75)
    r.zadd("w", {"b": 10, "d": 20})
    equal(r.zunion(["z", "w"], withscores=True),
          [("a", 1.75), ("c", 3.5), ("b", 12.0), ("d", 20.0)])
    equal(r.zinter({"z": 2, "w": 1}, aggregate="MAX", withscores=True), [("b", 10.0)])
    equal(r.zdiff(["z", "w"]), ["a", "c"])
    equal([r.zunionstore("d", ["z", "w"]), r.zinterstore("d", ["z", "w"]),
           r.zdiffstore("d", ["z", "w"]), r.zrangestore("d", "z", 0, 1)], [4, 1, 2, 2])
    equal(r.zintercard(2, ["z", "w"]), 1)
    equal(r.zrandmember("z") in ("a", "b", "c"), True)
    equal(r.zpopmin("z"), [("a", 1.75)])
    equal(r.zpopmax("z", 5), [("c", 3.5), ("b", 2.0)])
    equal(r.zmpop(2, ["z", "w"], min=True, count=1), ["w", [["b", "10"]]])
    r.zadd("x", {m: 0 for m in "abcdef"})
    equal(r.zrangebylex("x", "[b", "(d"), ["b", "c"])
    equal(r.zrevrangebylex("x", "+", "[e"), ["f", "e"])
    equal(r.zlexcount("x", "-", "+"), 6)
    equal(r.zremrangebylex("x", "[a", "[b"), 2)
    equal([r.zremrangebyrank("x", 0, 0), r.zremrangebyscore("x", 0, 0)], [1, 3])
    r.zadd("large", {f"member:{i}": i for i in range(MANY)})
    equal(dict(r.zscan_iter("large", count=100)), {f"member:{i}": i for i in range(MANY)})
    equal(r.zrange("large", 2500, 2501), ["member:2500", "member:2501"])
    equal(r.zrank("large", "member:4321"), 4321)


@test("redis-py: HyperLogLogs")
def sketches():
    r.flushall()
    equal(r.pfadd("p", *range(1000)), True)
    equal(r.pfadd("p", 1, 2, 3), False)
    equal(abs(r.pfcount("p") - 1000) < 30, True)
    r.pfadd("q", *range(500, 1500))
    equal(abs(r.pfcount("p", "q") - 1500) < 45, True)
    equal(r.pfmerge("m", "p", "q"), True)
    equal(r.pfcount("m"), r.pfcount("p", "q"))


@test("redis-py: places")
def places():
    r.flushall()
    equal(r.geoadd("g", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")), 2)
    equal(r.geoadd("g", (13.361389, 38.115556, "Palermo"), nx=True), 0)
    equal(r.geodist("g", "Palermo", "Catania", "km"), 166.2742)
    equal(r.geodist("g", "Palermo", "missing"), None)
    equal(r.geohash("g", "Palermo", "missing"), ["sqc8b49rny0", None])
    equal(r.geopos("g", "Palermo", "missing"), [(13.361389338970184, 38.1155563954963), None])
    equal(r.geosearch("g", longitude=15, latitude=37, radius=200, unit="km", sort="ASC"),
          ["Catania", "Palermo"])
    equal(r.geosearch("g", member="Palermo", width=400, height=400, unit="km", sort="DESC",
                      withdist=True), [["Catania", 166.2742], ["Palermo", 0.0]])
    equal(r.geosearch("g", longitude=15, latitude=37, radius=200, unit="km", count=1,
                      withcoord=True, withhash=True),
          [["Catania", 3479447370796909, (15.087267458438873, 37.50266842333162)]])
    equal(r.geosearchstore("d", "g", longitude=15, latitude=37, radius=200, unit="km",
                           storedist=True), 2)
    equal(r.zrange("d", 0, -1), ["Catania", "Palermo"])
    equal(r.georadius("g", 15, 37, 200, unit="km", sort="ASC"), ["Catania", "Palermo"])
    equal(r.georadiusbymember("g", "Palermo", 10, unit="km", store="e"), 1)


@test("redis-py: SORT")
def sorting():
    r.flushall()
    r.rpush("l", 3, 1, 2)
    equal(r.sort("l"), ["1", "2", "3"])
    equal(r.sort("l", desc=True, start=0, num=2), ["3", "2"])
    r.mset({"weight:1": 9, "weight:2": 8, "weight:3": 7})
    r.hset("object:1", "name", "one")
    equal(r.sort("l", by="weight:*"), ["3", "2", "1"])
    equal(r.sort("l", get=["#", "object:*->name"], groups=True),
          [("1", "one"), ("2", None), ("3", None)])
    equal(r.sort("l", get="weight:*", store="d"), 3)
    equal(r.lrange("d", 0, -1), ["9", "8", "7"])
    r.sadd("s", "b", "a")
    equal(r.sort("s", alpha=True), ["a", "b"])
    equal(r.sort_ro("l", by="nosort"), ["3", "1", "2"])


@test("redis-py: transactions of all types")
def transactions():
    r.flushall()
    with r.pipeline() as p:
        p.rpush("l", 1, 2).sadd("s", "a").zadd("z", {"m": 1}).hset("h", "f", "v")
        p.lrange("l", 0, -1).smembers("s").zrange("z", 0, -1, withscores=True).hgetall("h")
        p.sort("l", desc=True).pfadd("p", 1).geoadd("g", (1, 2, "m"))
        equal(p.execute(), [2, 1, 1, 1, ["1", "2"], {"a"}, [("m", 1.0)], {"f": "v"},
                            ["2", "1"], 1, 1])
        p.lpush("s", 1).hset("h", "g", "w")
        equal("WRONGTYPE" in raises(redis.ResponseError, p.execute), True)
    equal(r.hget("h", "g"), "w")
    with r.pipeline() as p:
        p.watch("l")
        r.rpush("l", 3)
        p.multi()
        p.delete("l")
        raises(redis.WatchError, p.execute)

    def move(p):
        n = p.llen("l")
        p.multi()
        p.hset("h", "length", n)
        p.delete("l")
    equal(r.transaction(move, "l"), [1, 1])
    equal(r.hget("h", "length"), "3")


@test("redis-py: transactions of many clients lose nothing")
def counters():
    r.flushall()

    def work():
        mine = redis.Redis(port=server.port)
        for _ in range(100):
            def add(p):
                n = int(p.hget("h", "n") or 0)
                p.multi()
                p.hset("h", "n", n + 1).rpush("l", n)
            mine.transaction(add, "h")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal(r.hget("h", "n"), "400")
    equal(r.lrange("l", 0, -1), [str(i) for i in range(400)])


@test("redis-py: waiting for lists and sorted sets")
def waiting():
    r.flushall()
    got = []

    def wait():
        mine = redis.Redis(port=server.port, decode_responses=True)
        got.append(mine.blpop(["a", "b"], timeout=30))
        got.append(mine.brpoplpush("a", "c", timeout=30))
        got.append(mine.blmove("a", "c", timeout=30, src="LEFT", dest="LEFT"))
        got.append(mine.bzpopmin(["z"], timeout=30))
        got.append(mine.blmpop(30, 1, "a", direction="RIGHT"))
        got.append(mine.bzmpop(30, 1, ["z"], max=True))
        got.append(mine.brpop("nothing", timeout=0.05))

    t = threading.Thread(target=wait)
    t.start()
    acts = (lambda: r.rpush("b", 1), lambda: r.lpush("a", 2), lambda: r.lpush("a", 3),
            lambda: r.zadd("z", {"m": 4}), lambda: r.sort("c", store="a"),
            lambda: r.zunionstore("z", {"y": 1}))
    r.zadd("y", {"n": 5})
    for i, act in enumerate(acts):
        until(lambda: r.info("clients")["blocked_clients"] == 1, "a client that waits")
        act()
        until(lambda i=i: len(got) > i, "its element")
    t.join()
    equal(got, [("b", "1"), "2", "3", ("z", "m", 4.0), ["a", ["3"]], ["z", [["n", "5"]]], None])


run()
