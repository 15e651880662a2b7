// node-redis with its client-side cache, which needs RESP3.
"use strict"

const assert = require("assert")
const { BasicClientSideCache, BasicPooledClientSideCache, createClient,
    createClientPool } = require("redis")
const { Server, run, test, until } = require("./suite")

const PATIENT = { commandOptions: { timeout: 60000 } }
const url = () => `redis://127.0.0.1:${server.port}`
const numbers = (n) => Array.from({ length: n }, (_, i) => i)

let server

async function withClient(options, body) {
    const client = createClient({ url: url(), ...PATIENT, ...options })
    client.on("error", () => {}) // told to whoever waits for the command
    await client.connect()
    try {
        return await body(client)
    } finally {
        client.destroy()
    }
}

// A client that caches, and one that writes.
function caching(body) {
    return () => withClient({}, async (writer) => {
        const cache = new BasicClientSideCache()
        await writer.flushAll()
        await withClient({ clientSideCache: cache }, (r) => body(r, writer, cache))
    })
}

const keeps = caching(async (r, writer, cache) => {
    await writer.set("k", "1")
    assert.strictEqual(await r.get("k"), "1")
    for (let i = 0; i < 9; i++)
        assert.strictEqual(await r.get("k"), "1")
    assert.strictEqual(cache.stats().hitCount, 9)
    assert.strictEqual(cache.stats().missCount, 1)
    await writer.set("k", "2")
    await until(() => cache.size() === 0, "the key's change")
    assert.strictEqual(await r.get("k"), "2")
    await r.set("k", "3") // told of its own changes too
    await r.ping()
    assert.strictEqual(await r.get("k"), "3")
})

// Whatever was acknowledged to others is seen after any reply that is asked for then.
const isNeverStale = caching(async (r, writer) => {
    for (const i of numbers(300)) {
        await writer.set(`k:${i % 7}`, i)
        await r.ping()
        assert.strictEqual(await r.get(`k:${i % 7}`), `${i}`)
        await r.mGet(numbers(7).map((n) => `k:${n}`))
    }
})

const families = caching(async (r, writer, cache) => {
    await writer.hSet("h", { a: "1" })
    await writer.rPush("l", ["a", "b"])
    await writer.sAdd("s", "a")
    await writer.zAdd("z", { value: "a", score: 1 })
    const all = async () => JSON.stringify([await r.hGetAll("h"), await r.lRange("l", 0, -1),
        await r.sMembers("s"), await r.zRangeWithScores("z", 0, -1), await r.exists("h")])
    const before = await all()
    const hits = cache.stats().hitCount
    assert.strictEqual(await all(), before)
    assert.strictEqual(cache.stats().hitCount, hits + 5)
    await writer.multi().hSet("h", "a", "2").rPush("l", "c").sAdd("s", "b").zIncrBy("z", 1, "a")
        .exec()
    await r.ping()
    const after = JSON.parse(await all())
    assert.deepStrictEqual(after[0], { a: "2" })
    assert.deepStrictEqual(after[1], ["a", "b", "c"])
    assert.deepStrictEqual(after[2].sort(), ["a", "b"])
    assert.deepStrictEqual(after[3], [{ value: "a", score: 2 }])
})

const emptied = caching(async (r, writer, cache) => {
    await r.mSet(numbers(100).flatMap((i) => [`k:${i}`, `${i}`]))
    await Promise.all(numbers(100).map((i) => r.get(`k:${i}`)))
    assert.strictEqual(cache.size(), 100)
    await writer.flushAll()
    await until(() => cache.size() === 0, "FLUSHALL")
    assert.strictEqual(await r.get("k:1"), null)
})

const expired = caching(async (r, writer, cache) => {
    await writer.set("short", "1", { expiration: { type: "PX", value: 200 } })
    assert.strictEqual(await r.get("short"), "1")
    await until(() => cache.size() === 0, "the end of its time")
    assert.strictEqual(await r.get("short"), null)
})

const manyAtOnce = caching(async (r, writer, cache) => {
    const read = async (client) => {
        for (const i of numbers(200))
            await client.get(`counter:${i % 5}`)
    }
    await Promise.all([read(r), read(r), read(r),
        ...numbers(1000).map((i) => writer.incr(`counter:${i % 5}`))])
    await r.ping()
    for (const i of numbers(5))
        assert.strictEqual(await r.get(`counter:${i}`), "200")
    assert.ok(cache.stats().requestCount() >= 600)
})

// A connection that is lost takes the cache with it, and the next one is told again.
const reconnected = caching(async (r, writer, cache) => {
    await writer.set("k", "1")
    assert.strictEqual(await r.get("k"), "1")
    await writer.clientKill({ filter: "ID", id: await r.clientId() })
    await writer.set("k", "2")
    await until(async () => await r.get("k").catch(() => null) === "2", "the new value")
    assert.strictEqual(await r.get("k"), "2")
    await writer.set("k", "3")
    await until(() => cache.size() === 0, "the key's change")
    assert.strictEqual(await r.get("k"), "3")
})

async function pooled() {
    const cache = new BasicPooledClientSideCache()
    const pool = createClientPool({ url: url(), ...PATIENT },
        { minimum: 3, maximum: 3, clientSideCache: cache })
    await pool.connect()
    await withClient({}, async (writer) => {
        for (const i of numbers(100)) {
            await writer.set("p", `${i}`)
            await until(async () => await pool.get("p") === `${i}`, "the new value")
        }
    })
    await pool.close()
}

async function emitted() {
    await withClient({ emitInvalidate: true }, (r) => withClient({}, async (writer) => {
        const told = []
        r.on("invalidate", (key) => told.push(key && String(key)))
        await r.mGet(["a", "b", "c"])
        await writer.mSet(["b", "1", "a", "1"])
        await until(() => told.length === 2, "two keys")
        assert.deepStrictEqual(told, ["b", "a"])
        await writer.flushAll()
        await until(() => told.length === 3, "FLUSHALL")
        assert.strictEqual(told[2], null)
        const info = await r.clientTrackingInfo()
        assert.deepStrictEqual([...info.flags], ["on"])
        assert.strictEqual(await r.clientGetRedir(), 0)
        await r.clientTracking(false)
        assert.strictEqual(await r.clientGetRedir(), -1)
        await r.clientTracking(true, { BCAST: true, PREFIX: ["x:", "y:"], NOLOOP: true })
        await writer.mSet(["y:1", "1", "x:2", "1", "z:3", "1", "x:1", "1"])
        await until(() => told.length === 6, "keys with the prefixes")
        assert.deepStrictEqual(told.slice(3), ["x:1", "x:2", "y:1"])
    }))
}

async function main() {
    server = await Server.start()
    const all = { keeps, isNeverStale, families, emptied, expired, manyAtOnce, reconnected,
        pooled, emitted }
    for (const [name, body] of Object.entries(all))
        test(`node-redis, caching: ${name}`, body)
    await run()
}

main()
