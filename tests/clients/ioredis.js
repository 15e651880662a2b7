// ioredis with its default options, in both protocols.
"use strict"

const assert = require("assert")
const Redis = require("ioredis")
const { Server, run, test, until } = require("./suite")

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
const RETRY = { retryStrategy: () => 50 }

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

const isReady = (client) => until(() => client.status === "ready", "ready")

async function handshake(r, options) {
    await isReady(r)
    assert.strictEqual(await r.ping(), "PONG")
    assert.deepStrictEqual(await r.pingBuffer("x\0y"), Buffer.from("x\0y"))
    assert.strictEqual(await r.echo("hello"), "hello")
    const info = await r.client("INFO")
    assert.match(info, new RegExp(`resp=${options.protocol || 3}`))
    if (info.includes("lib-name=")) // newer than Redis 7.0
        assert.match(info, /lib-name=ioredis lib-ver=\d+/)
    assert.strictEqual(await r.client("SETNAME", "tester"), "OK")
    assert.strictEqual(await r.client("GETNAME"), "tester")
    assert.match(await r.client("LIST"), /name=tester/)
    assert.ok(Number.isInteger(await r.client("ID")))
    assert.match(await r.info("server"), /redis_version:\d+\.\d+/)
    assert.strictEqual((await r.time()).length, 2)
}

async function strings(r) {
    await r.flushall()
    assert.strictEqual(await r.set("s", "v"), "OK")
    assert.strictEqual(await r.get("s"), "v")
    assert.strictEqual(await r.get("missing"), null)
    assert.strictEqual(await r.set("s", "w", "NX"), null)
    assert.strictEqual(await r.set("s", "w", "XX", "GET"), "v")
    assert.strictEqual(await r.setnx("s", "x"), 0)
    assert.strictEqual(await r.getset("s", "x"), "w")
    assert.strictEqual(await r.append("s", "yz"), 3)
    assert.strictEqual(await r.strlen("s"), 3)
    assert.strictEqual(await r.getrange("s", 1, -1), "yz")
    assert.strictEqual(await r.setrange("s", 5, "!"), 6)
    assert.deepStrictEqual(await r.getBuffer("s"), Buffer.from("xyz\0\0!"))
    assert.strictEqual(await r.getdel("s"), "xyz\0\0!")
    assert.strictEqual(await r.mset("a", 1, "b", 2), "OK")
    assert.strictEqual(await r.mset({ c: 3 }), "OK")
    assert.strictEqual(await r.msetnx("a", 1, "z", 2), 0)
    assert.deepStrictEqual(await r.mget("a", "missing", "b", "c"), ["1", null, "2", "3"])
    assert.strictEqual(await r.incr("a"), 2)
    assert.strictEqual(await r.incrby("a", 40), 42)
    assert.strictEqual(await r.decr("a"), 41)
    assert.strictEqual(await r.decrby("a", 41), 0)
    assert.strictEqual(await r.incrbyfloat("a", "0.5"), "0.5")
    assert.strictEqual(await r.setbit("bits", 7, 1), 0)
    assert.strictEqual(await r.getbit("bits", 7), 1)
    assert.strictEqual(await r.bitcount("bits"), 1)
    assert.strictEqual(await r.bitpos("bits", 1), 7)
    assert.deepStrictEqual(await r.bitfield("bits", "GET", "u8", 0, "INCRBY", "u8", 8, 5), [1, 5])
    assert.strictEqual(await r.lcs("b", "c"), "")
}

async function keys(r) {
    await r.flushall()
    await r.mset("k", 1, "l", "text", "m", 3)
    assert.strictEqual(await r.expire("k", 100), 1)
    assert.ok(await r.ttl("k") > 90)
    assert.ok(await r.pttl("k") > 90000)
    assert.strictEqual(await r.persist("k"), 1)
    assert.strictEqual(await r.ttl("k"), -1)
    assert.strictEqual(await r.pexpireat("k", Date.now() + 50000), 1)
    assert.ok(await r.pexpiretime("k") > Date.now())
    assert.strictEqual(await r.getex("k", "PERSIST"), "1")
    assert.strictEqual(await r.exists("k", "l", "missing"), 2)
    assert.strictEqual(await r.type("k"), "string")
    assert.strictEqual(await r.type("missing"), "none")
    assert.strictEqual(await r.object("ENCODING", "k"), "int")
    assert.strictEqual(await r.object("ENCODING", "l"), "embstr")
    assert.strictEqual(await r.rename("k", "n"), "OK")
    await assert.rejects(r.rename("k", "n"), { message: "ERR no such key" })
    assert.strictEqual(await r.renamenx("n", "l"), 0)
    assert.strictEqual(await r.copy("l", "o"), 1)
    assert.strictEqual(await r.touch("l", "o"), 2)
    assert.deepStrictEqual((await r.keys("*")).sort(), ["l", "m", "n", "o"])
    assert.ok(["l", "m", "n", "o"].includes(await r.randomkey()))
    assert.strictEqual(await r.dbsize(), 4)
    assert.strictEqual(await r.del("l", "m"), 2)
    assert.strictEqual(await r.unlink("n", "missing"), 1)
    assert.strictEqual(await r.psetex("p", 30, "gone soon"), "OK")
    await until(async () => await r.get("p") === null, "the end of a key")
}

async function pipelines(r) {
    await r.flushall()
    const pipeline = r.pipeline()
    for (let i = 0; i < 5000; i++)
        pipeline.set(`p:${i}`, `v${i}`).get(`p:${i}`)
    pipeline.set("p:0", "x", "WRONG").incr("n")
    const replies = await pipeline.exec()
    assert.strictEqual(replies.length, 10002)
    for (let i = 0; i < 5000; i++)
        assert.deepStrictEqual(replies[2 * i + 1], [null, `v${i}`])
    assert.strictEqual(replies[10000][0].message, "ERR syntax error")
    assert.deepStrictEqual(replies[10001], [null, 1])
    const unordered = Array.from({ length: 20000 }, () => r.incr("n"))
    assert.deepStrictEqual(await Promise.all(unordered), Array.from(unordered, (_, i) => i + 2))
}

async function autoPipelining(options) {
    await withClient({ ...options, enableAutoPipelining: true }, async (r) => {
        await Promise.all(Array.from({ length: 3000 }, (_, i) => r.set(`a:${i}`, i)))
        const values = await Promise.all(Array.from({ length: 3000 }, (_, i) => r.get(`a:${i}`)))
        values.forEach((value, i) => assert.strictEqual(value, String(i)))
    })
}

async function binary(r) {
    await r.flushall()
    const long = Buffer.alloc(5000000, ALL_BYTES)
    for (const value of [ALL_BYTES, Buffer.from("\r\n"), Buffer.alloc(0), long]) {
        await r.set(ALL_BYTES, value)
        assert.ok(value.equals(await r.getBuffer(ALL_BYTES)))
    }
    assert.ok(ALL_BYTES.equals((await r.keysBuffer("*"))[0]))
    assert.ok(long.equals((await r.mgetBuffer(ALL_BYTES, "missing"))[0]))
}

async function pubsub(r, options) {
    await withClient(options, async (subscriber) => {
        const got = []
        subscriber.on("message", (channel, message) => got.push([channel, message]))
        subscriber.on("pmessage", (...all) => got.push(all))
        assert.strictEqual(await subscriber.subscribe("news", "other"), 2)
        assert.strictEqual(await subscriber.psubscribe("n?w*"), 3)
        assert.strictEqual(await r.publish("news", "1"), 2)
        assert.strictEqual(await r.publish("nobody", "1"), 0)
        await until(() => got.length === 2, "the messages")
        assert.deepStrictEqual(got.sort((a, b) => a.length - b.length),
            [["news", "1"], ["n?w*", "news", "1"]])
        assert.deepStrictEqual((await r.pubsub("CHANNELS", "*e*")).sort(), ["news", "other"])
        assert.deepStrictEqual(await r.pubsub("NUMSUB", "news", "x"), ["news", 1, "x", 0])
        assert.strictEqual(await r.pubsub("NUMPAT"), 1)
        await subscriber.punsubscribe("n?w*")
        await subscriber.unsubscribe("news")
        await manyMessagesInOrder(r, got, "other")
        await subscriber.unsubscribe()
        assert.strictEqual(await subscriber.ping(), "PONG")
        assert.strictEqual(await r.publish("other", "x"), 0)
    })
}

async function manyMessagesInOrder(r, got, channel) {
    got.length = 0
    const pipeline = r.pipeline()
    for (let i = 0; i < 2000; i++)
        pipeline.publish(channel, i)
    await pipeline.exec()
    await until(() => got.length === 2000, "2,000 messages")
    got.forEach(([, message], i) => assert.strictEqual(message, String(i)))
}

async function shardedPubsub(r, options) {
    await withClient(options, async (subscriber) => {
        const got = []
        subscriber.on("smessageBuffer", (...all) => got.push(all))
        assert.strictEqual(await subscriber.ssubscribe("shard"), 1)
        assert.strictEqual(await r.spublish("shard", ALL_BYTES), 1)
        assert.strictEqual(await r.publish("shard", "x"), 0)
        await until(() => got.length === 1, "the message")
        assert.deepStrictEqual(got, [[Buffer.from("shard"), ALL_BYTES]])
        assert.deepStrictEqual(await r.pubsub("SHARDCHANNELS"), ["shard"])
        await subscriber.sunsubscribe("shard")
        assert.strictEqual(await r.spublish("shard", "x"), 0)
    })
}

async function keyspaceEvents(r, options) {
    await r.flushall()
    assert.strictEqual(await r.config("SET", "notify-keyspace-events", "KEA"), "OK")
    await withClient(options, async (subscriber) => {
        const got = []
        subscriber.on("pmessage", (_, channel, message) => got.push(`${channel} ${message}`))
        await subscriber.psubscribe("__key*@0__:*")
        await r.set("k", 1, "PX", 40)
        await r.set("l", 1)
        await r.del("l")
        await until(() => got.some((g) => g.endsWith("expired k")), "the event expired")
        for (const event of ["__keyspace@0__:k set", "__keyevent@0__:set k",
            "__keyspace@0__:k expire", "__keyevent@0__:expired k", "__keyevent@0__:del l"])
            assert.ok(got.includes(event), `${event}: not in ${got}`)
    })
    await r.config("SET", "notify-keyspace-events", "")
}

async function scanStream(r) {
    await r.flushall()
    const pipeline = r.pipeline()
    for (let i = 0; i < 5000; i++)
        pipeline.set(`scan:${i}`, i).set(`else:${i}`, i)
    await pipeline.exec()
    const seen = new Set()
    for await (const found of r.scanStream({ match: "scan:*", count: 100 }))
        found.forEach((key) => seen.add(key))
    assert.strictEqual(seen.size, 5000)
    for await (const found of r.scanStream({ type: "hash" }))
        assert.deepStrictEqual(found, [])
}

async function databases(r, options) {
    await r.flushall()
    await withClient({ ...options, db: 3, keyPrefix: "pre:" }, async (other) => {
        await other.set("k", "three")
        assert.strictEqual(await r.get("pre:k"), null)
        assert.strictEqual(await r.select(3), "OK")
        assert.strictEqual(await r.get("pre:k"), "three")
        assert.strictEqual(await r.move("pre:k", 4), 1)
        assert.strictEqual(await other.exists("k"), 0)
        assert.strictEqual(await r.swapdb(3, 4), "OK")
        assert.strictEqual(await other.get("k"), "three")
        await assert.rejects(r.select(99), { message: "ERR DB index is out of range" })
    })
    assert.strictEqual(await r.select(0), "OK")
}

async function errors(r) {
    await r.set("text", "t")
    const notAnInteger = { message: "ERR value is not an integer or out of range" }
    await assert.rejects(r.incr("text"), notAnInteger)
    await assert.rejects(r.call("NOSUCH", "a"), /ERR unknown command 'NOSUCH', with args/)
    await assert.rejects(r.call("GET"), /ERR wrong number of arguments for 'get' command/)
    await assert.rejects(r.config("SET", "nosuch", 1), /ERR Unknown option or number of arg/)
}

async function authentication(options) {
    const guarded = await Server.start("--requirepass", "s3cret")
    const at = { ...options, port: guarded.port }
    try {
        await withClient({ ...at, password: "s3cret" }, async (r) => {
            assert.strictEqual(await r.set("k", "v"), "OK")
        })
        await withClient({ ...at, username: "default", password: "s3cret" }, async (r) => {
            assert.strictEqual(await r.get("k"), "v")
        })
        const once = { ...at, retryStrategy: null }
        await withClient(once, (r) => assert.rejects(r.get("k"), /NOAUTH/))
        await withClient({ ...once, password: "wrong" }, async (r) => {
            const told = new Promise((resolve) => r.on("error", resolve))
            await assert.rejects(r.get("k"))
            assert.match(String(await told), /WRONGPASS/)
        })
    } finally {
        await guarded.stop()
    }
}

async function offlineQueue(options) {
    await withClient({ ...options, lazyConnect: true }, async (r) => {
        const early = [r.set("early", 1), r.incr("early"), r.get("early")]
        assert.deepStrictEqual(await Promise.all(early), ["OK", 2, "2"])
    })
    await withClient({ ...options, enableOfflineQueue: false }, async (r) => {
        await assert.rejects(r.get("early"), /Stream isn't writeable/)
        await isReady(r)
        assert.strictEqual(await r.get("early"), "2")
    })
}

async function restart(options) {
    const own = await Server.start()
    const at = { ...options, ...RETRY, port: own.port }
    try {
        await withClient({ ...at, db: 2 }, (r) => withClient(at, async (subscriber) => {
            const got = []
            subscriber.on("message", (channel, message) => got.push(message))
            subscriber.on("pmessage", (pattern, channel, message) => got.push(message))
            await subscriber.subscribe("back")
            await subscriber.psubscribe("b*k")
            assert.strictEqual(await r.set("k", "before"), "OK")
            await own.kill()
            await until(() => r.status === "reconnecting", "the loss")
            const queued = r.set("k", "after")
            await own.up()
            assert.strictEqual(await queued, "OK")
            await until(async () => await r.publish("back", "hello") === 2, "subscriptions")
            await until(() => got.length >= 2, "messages")
            await withClient({ ...at, db: 2 }, async (third) => {
                assert.strictEqual(await third.get("k"), "after")
            })
        }))
    } finally {
        await own.stop()
    }
}

async function transactions(r, options) {
    await r.del("n", "s")
    assert.deepStrictEqual(await r.multi().set("s", "v").incr("n").get("s").exec(),
        [[null, "OK"], [null, 1], [null, "v"]])
    const failed = await r.multi().incr("s").incr("n").exec()
    assert.match(failed[0][0].message, /not an integer/)
    assert.deepStrictEqual(failed[1], [null, 2])
    await assert.rejects(r.multi().incr("n").call("GET").exec(), /EXECABORT/)
    await r.multi({ pipeline: false })
    assert.strictEqual(await r.incr("n"), "QUEUED")
    assert.strictEqual(await r.discard(), "OK")
    await withClient(options, async (other) => {
        assert.strictEqual(await r.watch("n"), "OK")
        await other.incr("n")
        assert.strictEqual(await r.multi().incr("n").exec(), null)
        assert.strictEqual(await r.watch("n"), "OK")
        await other.incr("n")
        assert.strictEqual(await r.unwatch(), "OK")
        assert.deepStrictEqual(await r.multi().incr("n").exec(), [[null, 5]])
    })
}

async function killedClient(r, options) {
    await withClient({ ...options, ...RETRY }, async (victim) => {
        const before = await victim.client("ID")
        assert.strictEqual(await r.client("KILL", "ID", before), 1)
        await until(async () => await victim.client("ID") !== before, "another connection")
    })
}

async function monitor(r) {
    // The library stumbles over a line that comes together with MONITOR's own reply, as its INFO
    // at the start of this client might.
    await r.ping()
    const watcher = await r.monitor()
    const seen = []
    watcher.on("monitor", (time, args) => seen.push(args))
    await r.set("watched", "a b")
    await until(() => seen.some((args) => args[1] === "watched"), "the command")
    assert.deepStrictEqual(seen.find((args) => args[1] === "watched").slice(1), ["watched", "a b"])
    watcher.disconnect()
}

async function unixSocket(options) {
    const local = new Redis({ ...options, path: server.socket })
    assert.strictEqual(await local.set("by", "unix"), "OK")
    assert.strictEqual(await local.get("by"), "unix")
    assert.strictEqual(await local.quit(), "OK")
    await until(() => local.status === "end", "the end")
}

async function main() {
    server = await Server.start()
    const shared = { handshake, strings, keys, pipelines, binary, pubsub, shardedPubsub,
        keyspaceEvents, scanStream, databases, errors, transactions, killedClient, monitor }
    const alone = { autoPipelining, authentication, offlineQueue, restart, unixSocket }
    for (const [protocol, options] of [["RESP3, the default", {}], ["RESP2", { protocol: 2 }]]) {
        for (const [name, body] of Object.entries(shared))
            test(`ioredis, ${protocol}: ${name}`,
                () => withClient(options, (r) => body(r, options)))
        for (const [name, body] of Object.entries(alone))
            test(`ioredis, ${protocol}: ${name}`, () => body(options))
    }
    await run()
}

main()
