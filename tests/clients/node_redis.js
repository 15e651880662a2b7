// node-redis (`redis` on npm) with its default options, in both protocols.
"use strict"

const assert = require("assert")
const { createClient, createClientPool, RESP_TYPES, WatchError } = require("redis")
const { Server, run, test, until } = require("./suite")

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
const AS_BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer }

// The client gives up on a command after five seconds by itself, which says more about how busy the
// machine is than about the server.
const PATIENT = { commandOptions: { timeout: 60000 } }

let server

async function withClient(options, body) {
    const url = `redis://127.0.0.1:${server.port}`
    const client = createClient({ url, ...PATIENT, ...options })
    client.on("error", () => {}) // told to whoever waits for the command
    await client.connect()
    try {
        return await body(client)
    } finally {
        client.destroy()
    }
}

async function handshake(r, options) {
    assert.strictEqual(await r.ping(), "PONG")
    assert.strictEqual(await r.ping("x\0y"), "x\0y")
    assert.strictEqual(await r.echo("hello"), "hello")
    const info = await r.sendCommand(["CLIENT", "INFO"])
    assert.match(info, new RegExp(`resp=${options.RESP || 3}`))
    if (info.includes("lib-name=")) // newer than Redis 7.0
        assert.match(info, /lib-name=node-redis lib-ver=\d+/)
    await r.clientSetName("tester")
    assert.strictEqual(await r.clientGetName(), "tester")
    assert.ok((await r.clientList()).some((c) => c.name === "tester"))
    assert.strictEqual((await r.clientInfo()).id, await r.clientId())
    assert.match(await r.info("server"), /redis_version:\d+\.\d+/)
    assert.ok((await r.commandList()).includes("get"))
    assert.deepStrictEqual(await r.commandGetKeys(["MSET", "a", "1", "b", "2"]), ["a", "b"])
    const commands = (await r.commandList()).filter((name) => !name.includes("|"))
    assert.strictEqual(await r.commandCount(), commands.length)
}

async function strings(r) {
    await r.flushAll()
    assert.strictEqual(await r.set("s", "v"), "OK")
    assert.strictEqual(await r.get("s"), "v")
    assert.strictEqual(await r.get("missing"), null)
    assert.strictEqual(await r.set("s", "w", { condition: "NX" }), null)
    assert.strictEqual(await r.set("s", "w", { condition: "XX", GET: true }), "v")
    assert.strictEqual(await r.setNX("s", "x"), 0)
    assert.strictEqual(await r.getSet("s", "x"), "w")
    assert.strictEqual(await r.append("s", "yz"), 3)
    assert.strictEqual(await r.strLen("s"), 3)
    assert.strictEqual(await r.getRange("s", 1, -1), "yz")
    assert.strictEqual(await r.setRange("s", 5, "!"), 6)
    assert.strictEqual(await r.getDel("s"), "xyz\0\0!")
    assert.strictEqual(await r.mSet({ a: "1", b: "2" }), "OK")
    assert.strictEqual(await r.mSetNX({ a: "1", z: "2" }), 0)
    assert.deepStrictEqual(await r.mGet(["a", "missing", "b"]), ["1", null, "2"])
    assert.strictEqual(await r.incr("a"), 2)
    assert.strictEqual(await r.incrBy("a", 40), 42)
    assert.strictEqual(await r.decr("a"), 41)
    assert.strictEqual(await r.decrBy("a", 41), 0)
    assert.strictEqual(String(await r.incrByFloat("a", 0.5)), "0.5")
    assert.strictEqual(await r.setBit("bits", 7, 1), 0)
    assert.strictEqual(await r.getBit("bits", 7), 1)
    assert.strictEqual(await r.bitCount("bits"), 1)
    assert.strictEqual(await r.bitPos("bits", 1), 7)
    await r.mSet({ one: "ohmytext", two: "mynewtext" })
    assert.strictEqual(await r.lcs("one", "two"), "mytext")
    assert.strictEqual(await r.lcsLen("one", "two"), 6)
    const { matches, len } = await r.lcsIdx("one", "two")
    assert.deepStrictEqual([matches.length, len], [2, 6])
}

async function keys(r) {
    await r.flushAll()
    await r.mSet({ k: "1", l: "text", m: "3" })
    assert.strictEqual(await r.expire("k", 100), 1)
    assert.strictEqual(await r.expire("k", 50, "GT"), 0)
    assert.ok(await r.ttl("k") > 90)
    assert.ok(await r.pTTL("k") > 90000)
    assert.strictEqual(await r.persist("k"), 1)
    assert.strictEqual(await r.ttl("k"), -1)
    assert.strictEqual(await r.pExpireAt("k", Date.now() + 50000), 1)
    assert.ok(await r.pExpireTime("k") > Date.now())
    assert.strictEqual(await r.getEx("k", { type: "PERSIST" }), "1")
    assert.strictEqual(await r.exists(["k", "l", "missing"]), 2)
    assert.strictEqual(await r.type("k"), "string")
    assert.strictEqual(await r.objectEncoding("l"), "embstr")
    assert.strictEqual(await r.rename("k", "n"), "OK")
    await assert.rejects(r.rename("k", "n"), { message: "ERR no such key" })
    assert.strictEqual(await r.renameNX("n", "l"), 0)
    assert.strictEqual(await r.copy("l", "o"), 1)
    assert.strictEqual(await r.touch(["l", "o"]), 2)
    assert.deepStrictEqual((await r.keys("*")).sort(), ["l", "m", "n", "o"])
    assert.ok(["l", "m", "n", "o"].includes(await r.randomKey()))
    assert.strictEqual(await r.dbSize(), 4)
    assert.ok(await r.memoryUsage("l") > 0)
    assert.strictEqual(await r.del(["l", "m"]), 2)
    assert.strictEqual(await r.unlink(["n", "missing"]), 1)
    assert.strictEqual(await r.set("p", "v", { expiration: { type: "PX", value: 30 } }), "OK")
    await until(async () => await r.get("p") === null, "the end of a key")
}

async function pipelines(r) {
    await r.flushAll()
    const writes = Array.from({ length: 10000 }, (_, i) => r.set(`p:${i}`, `v${i}`))
    const reads = Array.from({ length: 10000 }, (_, i) => r.get(`p:${i}`))
    const replies = await Promise.all([...writes, ...reads])
    replies.forEach((reply, i) => assert.strictEqual(reply, i < 10000 ? "OK" : `v${i - 10000}`))
    const multi = r.multi()
    for (let i = 0; i < 3000; i++)
        multi.incr("n")
    const counted = Array.from({ length: 3000 }, (_, i) => i + 1)
    assert.deepStrictEqual(await multi.execAsPipeline(), counted)
}

async function binary(r) {
    await r.flushAll()
    const raw = r.withTypeMapping(AS_BUFFERS)
    const long = Buffer.alloc(5000000, ALL_BYTES)
    for (const value of [ALL_BYTES, Buffer.from("\r\n"), Buffer.alloc(0), long]) {
        await raw.set(ALL_BYTES, value)
        assert.ok(value.equals(await raw.get(ALL_BYTES)))
    }
    assert.ok(ALL_BYTES.equals((await raw.keys("*"))[0]))
}

async function pubsub(r, options) {
    await withClient(options, async (subscriber) => {
        const got = []
        const listener = (message, channel) => got.push([channel, message])
        await subscriber.subscribe(["news", "other"], listener)
        await subscriber.pSubscribe("n?w*", (message, channel) => got.push(["p", channel, message]))
        assert.strictEqual(await r.publish("news", "1"), 2)
        assert.strictEqual(await r.publish("nobody", "1"), 0)
        await until(() => got.length === 2, "the messages")
        assert.deepStrictEqual(got.sort((a, b) => a.length - b.length),
            [["news", "1"], ["p", "news", "1"]])
        assert.deepStrictEqual((await r.pubSubChannels("*e*")).sort(), ["news", "other"])
        assert.deepStrictEqual({ ...await r.pubSubNumSub(["news", "x"]) }, { news: 1, x: 0 })
        assert.strictEqual(await r.pubSubNumPat(), 1)
        await subscriber.pUnsubscribe("n?w*")
        await subscriber.unsubscribe("news")
        await manyMessagesInOrder(r, got, "other")
        await subscriber.unsubscribe()
        assert.strictEqual(String(await subscriber.ping()), "PONG")
        assert.strictEqual(await r.publish("other", "x"), 0)
    })
}

async function manyMessagesInOrder(r, got, channel) {
    got.length = 0
    await Promise.all(Array.from({ length: 2000 }, (_, i) => r.publish(channel, String(i))))
    await until(() => got.length === 2000, "2,000 messages")
    got.forEach(([, message], i) => assert.strictEqual(message, String(i)))
}

async function pingWhileSubscribed(r, options) {
    await withClient(options, async (subscriber) => {
        await subscriber.subscribe("c", () => {})
        if (options.RESP === 2) {
            assert.strictEqual(await subscriber.ping(), "pong") // the client's own word for it
        } else { // RESP3 tells pushes from replies
            assert.strictEqual(await subscriber.ping(), "PONG")
            assert.strictEqual(await subscriber.get("missing"), null)
        }
    })
}

async function shardedPubsub(r, options) {
    await withClient(options, async (subscriber) => {
        const got = []
        await subscriber.sSubscribe("shard", (...all) => got.push(all), true)
        assert.strictEqual(await r.sPublish("shard", ALL_BYTES), 1)
        assert.strictEqual(await r.publish("shard", "x"), 0)
        await until(() => got.length === 1, "the message")
        assert.deepStrictEqual(got, [[ALL_BYTES, Buffer.from("shard")]])
        assert.deepStrictEqual(await r.pubSubShardChannels(), ["shard"])
        await subscriber.sUnsubscribe("shard")
        assert.strictEqual(await r.sPublish("shard", "x"), 0)
    })
}

async function keyspaceEvents(r, options) {
    await r.flushAll()
    await r.configSet("notify-keyspace-events", "KEA")
    assert.deepStrictEqual({ ...await r.configGet("notify-keyspace-events") },
        { "notify-keyspace-events": "AKE" })
    await withClient(options, async (subscriber) => {
        const got = []
        await subscriber.pSubscribe("__key*@0__:*", (m, channel) => got.push(`${channel} ${m}`))
        await r.set("k", "1", { expiration: { type: "PX", value: 40 } })
        await r.set("l", "1")
        await r.del("l")
        await until(() => got.some((g) => g.endsWith("expired k")), "the event expired")
        for (const event of ["__keyspace@0__:k set", "__keyevent@0__:set k",
            "__keyspace@0__:k expire", "__keyevent@0__:expired k", "__keyevent@0__:del l"])
            assert.ok(got.includes(event), `${event}: not in ${got}`)
    })
    await r.configSet({ "notify-keyspace-events": "" })
}

async function scanIterator(r) {
    await r.flushAll()
    await Promise.all(Array.from({ length: 5000 },
        (_, i) => r.mSet([`scan:${i}`, "1", `else:${i}`, "2"])))
    const seen = new Set()
    for await (const found of r.scanIterator({ MATCH: "scan:*", COUNT: 100 }))
        found.forEach((key) => seen.add(key))
    assert.strictEqual(seen.size, 5000)
    for await (const found of r.scanIterator({ TYPE: "hash" }))
        assert.deepStrictEqual(found, [])
}

async function databases(r, options) {
    await r.flushAll()
    await withClient({ ...options, database: 3 }, async (other) => {
        await other.set("k", "three")
        assert.strictEqual(await r.get("k"), null)
        await r.select(3)
        assert.strictEqual(await r.get("k"), "three")
        assert.strictEqual(await r.move("k", 4), 1)
        assert.strictEqual(await other.exists("k"), 0)
        assert.strictEqual(await r.swapDb(3, 4), "OK")
        assert.strictEqual(await other.get("k"), "three")
        await assert.rejects(r.select(99), { message: "ERR DB index is out of range" })
    })
    await r.select(0)
}

async function errors(r) {
    await r.set("text", "t")
    const notAnInteger = { message: "ERR value is not an integer or out of range" }
    await assert.rejects(r.incr("text"), notAnInteger)
    await assert.rejects(r.sendCommand(["NOSUCH", "a"]), /ERR unknown command 'NOSUCH', with args/)
    await assert.rejects(r.sendCommand(["GET"]), /ERR wrong number of arguments for 'get' command/)
}

async function authentication(options) {
    const guarded = await Server.start("--requirepass", "s3cret")
    const url = (user) => ({ ...options, url: `redis://${user}127.0.0.1:${guarded.port}` })
    try {
        await withClient({ ...url(""), password: "s3cret" }, async (r) => {
            assert.strictEqual(await r.set("k", "v"), "OK")
        })
        await withClient(url("default:s3cret@"), async (r) => {
            assert.strictEqual(await r.get("k"), "v")
        })
        const once = { socket: { reconnectStrategy: false } }
        const nothing = () => assert.fail("let in")
        await assert.rejects(withClient({ ...url("default:wrong@"), ...once }, nothing),
            /WRONGPASS/)
        await assert.rejects(withClient({ ...url(""), ...once }, (r) => r.get("k")), /NOAUTH/)
    } finally {
        await guarded.stop()
    }
}

async function offlineQueue(options) {
    const url = `redis://127.0.0.1:${server.port}`
    const r = createClient({ ...PATIENT, ...options, url })
    const connected = r.connect()
    const early = [r.set("early", "1"), r.incr("early"), r.get("early")]
    assert.deepStrictEqual(await Promise.all(early), ["OK", 2, "2"])
    await connected
    await r.close()
    const strict = createClient({ ...PATIENT, ...options, url, disableOfflineQueue: true })
    await assert.rejects(strict.get("early"))
    await strict.connect()
    assert.strictEqual(await strict.get("early"), "2")
    await strict.close()
}

async function restart(options) {
    const own = await Server.start()
    const at = { ...options, url: `redis://127.0.0.1:${own.port}/2` }
    try {
        await withClient(at, (r) => withClient(at, async (subscriber) => {
            const got = []
            await subscriber.subscribe("back", (message) => got.push(message))
            await subscriber.pSubscribe("b*k", (message) => got.push(message))
            await subscriber.sSubscribe("shard", (message) => got.push(message))
            assert.strictEqual(await r.set("k", "before"), "OK")
            await own.kill()
            await until(() => !r.isReady, "the loss")
            const queued = r.set("k", "after")
            await own.up()
            assert.strictEqual(await queued, "OK")
            await until(async () => await r.publish("back", "hello") === 2, "subscriptions")
            await until(async () => await r.sPublish("shard", "hello") === 1, "shard channel")
            await until(() => got.length >= 3, "messages")
            await withClient(at, async (third) => assert.strictEqual(await third.get("k"), "after"))
        }))
    } finally {
        await own.stop()
    }
}

async function transactions(r, options) {
    await r.del(["n", "s"])
    assert.deepStrictEqual(await r.multi().set("s", "v").incr("n").get("s").exec(),
        ["OK", 1, "v"])
    await assert.rejects(r.multi().incr("s").incr("n").exec(), /1 commands failed/)
    assert.strictEqual(await r.get("n"), "2")
    await assert.rejects(r.multi().incr("n").addCommand(["GET"]).exec(), /wrong number|EXECABORT/)
    await withClient(options, async (other) => {
        await r.watch("n")
        await other.incr("n")
        await assert.rejects(r.multi().incr("n").exec(), WatchError)
        await r.watch("n")
        await other.incr("n")
        await r.unwatch()
        assert.deepStrictEqual(await r.multi().incr("n").exec(), [5])
    })
}

async function killedClient(r, options) {
    await withClient(options, async (victim) => {
        const before = await victim.clientId()
        assert.strictEqual(await r.clientKill({ filter: "ID", id: before }), 1)
        await until(async () => {
            const id = await victim.clientId().catch(() => before)
            return id !== before
        }, "another connection")
    })
}

async function monitor(r, options) {
    await withClient(options, async (watcher) => {
        const seen = []
        await watcher.monitor((line) => seen.push(String(line)))
        await r.set("watched", "a b")
        await until(() => seen.some((line) => line.includes("watched")), "the command")
        assert.match(seen.find((line) => line.includes("watched")),
            /^\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "(SET|set)" "watched" "a b"$/)
    })
}

async function pool(options) {
    const url = `redis://127.0.0.1:${server.port}`
    const clients = createClientPool({ ...PATIENT, ...options, url },
        { minimum: 2, maximum: 5 })
    await clients.connect()
    await clients.del("pooled")
    await Promise.all(Array.from({ length: 500 }, () => clients.incr("pooled")))
    assert.strictEqual(await clients.get("pooled"), "500")
    await clients.close()
}

async function unixSocket(options) {
    await withClient({ ...options, url: undefined, socket: { path: server.socket } }, async (r) => {
        assert.strictEqual(await r.set("by", "unix"), "OK")
        assert.strictEqual(await r.get("by"), "unix")
    })
}

async function main() {
    server = await Server.start()
    const shared = { handshake, strings, keys, pipelines, binary, pubsub, pingWhileSubscribed,
        shardedPubsub, keyspaceEvents, scanIterator, databases, errors,
        transactions, killedClient, monitor }
    const alone = { authentication, offlineQueue, restart, pool, unixSocket }
    for (const [protocol, options] of [["RESP3, the default", {}], ["RESP2", { RESP: 2 }]]) {
        for (const [name, body] of Object.entries(shared))
            test(`node-redis, ${protocol}: ${name}`,
                () => withClient(options, (r) => body(r, options)))
        for (const [name, body] of Object.entries(alone))
            test(`node-redis, ${protocol}: ${name}`, () => body(options))
    }
    await run()
}

main()
