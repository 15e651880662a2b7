// ioredis: collections, transactions with them, and waiting, in both protocols.
"use strict"

const assert = require("assert")
const Redis = require("ioredis")
const { Server, run, test, until } = require("./suite")

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
const MANY = 5000

let server

async function withClient(options, body) {
    const client = new Redis({ port: server.port, host: "127.0.0.1", ...options })
    client.on("error", () => {}) // told to whoever waits for the command
    try {
        return await body(client)
    } finally {
        client.disconnect()
    }
}

const same = assert.deepStrictEqual
const numbers = (n) => Array.from({ length: n }, (_, i) => i)

async function collect(stream) {
    const all = []
    for await (const part of stream)
        all.push(...part)
    return all
}

// What the library makes of doubles and pairs is not the same with both protocols.
const score = (reply) => Number(reply)
const flat = (reply) => reply.flat().map(String)

async function hashes(r) {
    await r.flushall()
    same(await r.hset("h", { a: 1, b: "two" }), 2)
    same(await r.hset("h", "c", 3.5), 1)
    same(await r.hsetnx("h", "a", 9), 0)
    same(await r.hgetall("h"), { a: "1", b: "two", c: "3.5" })
    same(await r.hgetall("missing"), {})
    same(await r.hmget("h", "a", "missing"), ["1", null])
    same(await r.hincrby("h", "a", 41), 42)
    same(await r.hincrbyfloat("h", "c", 0.25), "3.75")
    same((await r.hkeys("h")).sort(), ["a", "b", "c"])
    same(await r.hexists("h", "b"), 1)
    same(await r.hdel("h", "a", "x"), 1)
    same(await r.hlen("h"), 2)
    await r.hset(ALL_BYTES, new Map([["f", ALL_BYTES]]))
    same(await r.hgetBuffer(ALL_BYTES, "f"), ALL_BYTES)
    await r.hset("large", Object.fromEntries(numbers(MANY).map((i) => [`field:${i}`, i])))
    const fields = new Map()
    const found = await collect(r.hscanStream("large", { count: 100 }))
    for (let i = 0; i < found.length; i += 2)
        fields.set(found[i], found[i + 1])
    same(fields.size, MANY)
    same(fields.get("field:77"), "77")
}

async function lists(r) {
    await r.flushall()
    same(await r.rpush("l", "b", "c", "d"), 3)
    same(await r.lpush("l", "a"), 4)
    same(await r.lrange("l", 0, -1), ["a", "b", "c", "d"])
    same(await r.linsert("l", "BEFORE", "c", "x"), 5)
    same(await r.lset("l", 0, "A"), "OK")
    same(await r.lpos("l", "x"), 2)
    same(await r.lrem("l", 0, "x"), 1)
    same(await r.ltrim("l", 0, 2), "OK")
    same(await r.lmove("l", "m", "LEFT", "RIGHT"), "A")
    same(await r.lmpop(2, "none", "l", "RIGHT", "COUNT", 9), ["l", ["c", "b"]])
    same(await r.lpop("m", 2), ["A"])
    same(await r.lpop("m"), null)
    await r.rpush("large", numbers(MANY))
    same(await r.lrange("large", 0, -1), numbers(MANY).map(String))
    same(await r.lindex("large", -1), String(MANY - 1))
}

async function sets(r) {
    await r.flushall()
    same(await r.sadd("s", 1, 2, 3), 3)
    same(await r.object("ENCODING", "s"), "intset")
    same(await r.sadd("s", "a", 1), 1)
    same((await r.smembers("s")).sort(), ["1", "2", "3", "a"])
    same(await r.smismember("s", "a", "b"), [1, 0])
    await r.sadd("t", 2, 3, 4)
    same((await r.sinter("s", "t")).sort(), ["2", "3"])
    same((await r.sdiff("s", "t")).sort(), ["1", "a"])
    same(await r.sunionstore("d", "s", "t"), 5)
    same(await r.sintercard(2, "s", "t"), 2)
    same((await r.spop("t", 9)).sort(), ["2", "3", "4"])
    await r.sadd("large", numbers(MANY).map((i) => `member:${i}`))
    same(new Set(await collect(r.sscanStream("large"))).size, MANY)
}

async function sortedSets(r) {
    await r.flushall()
    same(await r.zadd("z", 1, "a", 2, "b", 3.5, "c"), 3)
    same(await r.zadd("z", "XX", "CH", 0.5, "a"), 1)
    same(score(await r.zadd("z", "INCR", 1, "a")), 1.5)
    same(flat(await r.zrange("z", 0, -1, "WITHSCORES")), ["a", "1.5", "b", "2", "c", "3.5"])
    same(await r.zrange("z", 0, 0, "REV"), ["c"])
    same(await r.zrangebyscore("z", 2, "+inf", "LIMIT", 0, 1), ["b"])
    same([await r.zrank("z", "c"), await r.zcard("z"), await r.zcount("z", 2, 3)], [2, 3, 1])
    same(score(await r.zscore("z", "a")), 1.5)
    await r.zadd("w", 10, "b", 20, "d")
    same(flat(await r.zunion(2, "z", "w", "WITHSCORES")),
        ["a", "1.5", "c", "3.5", "b", "12", "d", "20"])
    same(await r.zinterstore("d", 2, "z", "w", "WEIGHTS", 2, 1, "AGGREGATE", "MAX"), 1)
    same(await r.zdiff(2, "z", "w"), ["a", "c"])
    same(await r.zrangestore("d", "z", 0, 1), 2)
    same(flat(await r.zpopmin("z")), ["a", "1.5"])
    same(flat(await r.zpopmax("z", 5)), ["c", "3.5", "b", "2"])
    await r.zadd("large", ...numbers(MANY).flatMap((i) => [i, `member:${i}`]))
    same(await r.zrank("large", "member:4321"), 4321)
    same(new Set(await collect(r.zscanStream("large"))).size >= MANY, true)
}

async function others(r) {
    await r.flushall()
    same(await r.pfadd("p", numbers(1000)), 1)
    assert.ok(Math.abs(await r.pfcount("p") - 1000) < 30)
    same(await r.pfmerge("q", "p"), "OK")
    same(await r.geoadd("g", 13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"), 2)
    same(await r.geodist("g", "Palermo", "Catania", "km"), "166.2742")
    same(await r.geosearch("g", "FROMLONLAT", 15, 37, "BYRADIUS", 200, "km", "ASC"),
        ["Catania", "Palermo"])
    same(flat(await r.geopos("g", "Palermo")).map(Number), [13.361389338970184, 38.1155563954963])
    await r.rpush("l", 3, 1, 2)
    await r.mset({ "weight:1": 9, "weight:2": 8, "weight:3": 7 })
    same(await r.sort("l"), ["1", "2", "3"])
    same(await r.sort("l", "BY", "weight:*", "GET", "#", "GET", "weight:*", "LIMIT", 0, 2),
        ["3", "7", "2", "8"])
    same(await r.sort("l", "DESC", "STORE", "d"), 3)
    same(await r.sort_ro("d", "BY", "nosort"), ["3", "2", "1"])
}

async function transactions(r, options) {
    await r.flushall()
    const replies = await r.multi().rpush("l", 2, 1).sadd("s", "a").zadd("z", 1, "m")
        .hset("h", { f: "v" }).hgetall("h").sort("l").lpush("s", 1).llen("l").exec()
    same(replies.map(([error, reply]) => error ? error.message.split(" ")[0] : reply),
        [2, 1, 1, 1, { f: "v" }, ["1", "2"], "WRONGTYPE", 2])
    await withClient(options, async (other) => {
        for (const [key, change] of [["l", () => other.lpush("l", 0)],
            ["s", () => other.srem("s", "a")], ["z", () => other.zincrby("z", 1, "m")],
            ["h", () => other.hincrby("h", "n", 1)]]) {
            await r.watch(key)
            await change()
            same(await r.multi().del("l", "s", "z", "h").exec(), null)
        }
        await r.watch("l", "h")
        await other.lrange("l", 0, -1)
        await other.hset("untouched", "f", 1)
        same(await r.multi().del("l").hgetall("h").exec(), [[null, 1], [null, { f: "v", n: "1" }]])
    })
}

async function waiting(r, options) {
    await r.flushall()
    await withClient(options, (waiter) => withClient(options, async (second) => {
        const waits = async (n) => until(async () =>
            (await r.info("clients")).includes(`blocked_clients:${n}\r`), `${n} that wait`)
        const first = waiter.blpop("a", "b", 30)
        await waits(1)
        const later = second.brpop("a", "b", 30)
        await waits(2)
        same(await r.rpush("b", 1, 2), 2)
        same(await first, ["b", "1"])
        same(await later, ["b", "2"])
        const popped = waiter.bzpopmin("z", 30)
        const moved = second.blmove("l", "m", "LEFT", "LEFT", 30)
        await waits(2)
        same(await r.multi().zadd("z", 1.5, "m").rpush("l", "x").exec(), [[null, 1], [null, 1]])
        same((await popped).map(String), ["z", "m", "1.5"])
        same(await moved, "x")
        same(await waiter.blpop("none", 0.02), null)
    }))
}

async function main() {
    server = await Server.start()
    const bodies = { hashes, lists, sets, sortedSets, others, transactions, waiting }
    for (const [protocol, options] of [["RESP3, the default", {}], ["RESP2", { protocol: 2 }]]) {
        for (const [name, body] of Object.entries(bodies))
            test(`ioredis, ${protocol}: ${name}`,
                () => withClient(options, (r) => body(r, options)))
    }
    await run()
}

main()
