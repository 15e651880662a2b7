// ioredis: what docs/versions.md shows, from several connections at once.
"use strict"

const assert = require("assert")
const Redis = require("ioredis")
const { Server, run, test, until } = require("./suite")

const PROCESSES = 4
const ROUNDS = 50

let server

const connect = () => new Redis({ port: server.port, host: "127.0.0.1" })

async function withClients(n, body) {
    const clients = Array.from({ length: n }, connect)
    try {
        await clients[0].flushall()
        await body(...clients)
    } finally {
        for (const client of clients)
            client.disconnect()
    }
}

async function update(redis, key, change) {
    for (;;) {
        const [version, value] = await redis.call("VGET", key)
        try {
            return await redis.call("WHEN", "VERSION", key, version, "DO", "SET", key, change(value))
        } catch (error) {
            if (!error.message.startsWith("VERSION "))
                throw error
        }
    }
}

async function* changes(redis, key) {
    let version = 0
    for (;;) {
        const found = await redis.call("VGET", key, "SINCE", version, "WAIT", 30000)
        if (found) {
            version = found[0]
            yield found[1]
        }
    }
}

test("ioredis, versions: compare and set", () => withClients(PROCESSES, async (...clients) => {
    await Promise.all(clients.map(async (client) => {
        for (let i = 0; i < ROUNDS; i++)
            assert.strictEqual(await update(client, "counter", (v) => Number(v) + 1), "OK")
    }))
    assert.strictEqual(await clients[0].get("counter"), String(PROCESSES * ROUNDS))
}))

test("ioredis, versions: waiting for changes", () => withClients(2, async (writer, waiter) => {
    const seen = []
    const follow = (async () => {
        for await (const value of changes(waiter, "k")) {
            seen.push(value)
            if (value === "end")
                return
        }
    })()
    for (const value of ["1", "2", null, "3"]) {
        await (value === null ? writer.del("k") : writer.set("k", value))
        await until(() => seen.at(-1) === value, "the change")
    }
    await writer.set("k", "short", "PX", 20)
    await until(() => seen.at(-1) === null, "the end of the key") // it may be all that is seen
    await writer.set("k", "end")
    await follow
    assert.deepStrictEqual(seen.filter((value) => value !== "short"),
        ["1", "2", null, "3", null, "end"])
}))

test("ioredis, versions: fencing", () => withClients(2, async (redis, other) => {
    const token = await redis.call("LOCK.ACQUIRE", "report", "LEASE", 60000)
    const write = (held) =>
        redis.call("WHEN", "HELD", "report", held, "DO", "HSET", "report:1", "state", held)
    assert.strictEqual(await write(token), 1)
    await other.call("LOCK.BREAK", "report")
    const next = await other.call("LOCK.ACQUIRE", "report", "WAIT", 5000)
    assert(next > token && Number.isSafeInteger(next))
    await assert.rejects(write(token), { message: /^FENCED / })
    assert.strictEqual(await write(next), 0)
    assert.strictEqual(await redis.hget("report:1", "state"), String(next))
    await redis.call("WATCH", "LOCK", "report", token)
    assert.strictEqual(await redis.multi().incr("reports").exec(), null)
    await redis.call("WATCH", "LOCK", "report", next)
    assert.deepStrictEqual(await redis.multi().incr("reports").exec(), [[null, 1]])
}))

test("ioredis, versions: as replies", () => withClients(1, async (redis) => {
    const version = await redis.call("SET", "k", "v", "GETVERSION")
    assert(Number.isSafeInteger(version) && version > 0)
    assert.deepStrictEqual(await redis.call("VGET", "k"), [version, "v"])
    assert.strictEqual(await redis.call("VGET", "k", "SINCE", version), null)
    assert.deepStrictEqual(await redis.call("MVERSION", "k", "none"), [version, 0])
    assert.strictEqual(await redis.call("SET", "k", "v", "NX", "GETVERSION"), null)
}))

async function main() {
    server = await Server.start()
    await run()
}

main()
