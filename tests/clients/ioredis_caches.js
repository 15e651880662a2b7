// ioredis: what docs/caches.md shows, from several connections at once.
"use strict"

const assert = require("assert")
const Redis = require("ioredis")
const { Server, run, sleep, test, until } = require("./suite")

const PROCESSES = 4

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

async function lru(redis, name, { max, maxAge }) {
    const rules = [...(max ? ["MAXKEYS", max] : []), ...(maxAge ? ["MAXAGE", maxAge] : [])]
    await redis.call("POLICY", "SET", name + ":", ...rules)
    return {
        set: (key, value) => redis.set(`${name}:${key}`, JSON.stringify(value)),
        get: async (key) => JSON.parse(await redis.get(`${name}:${key}`)) ?? undefined,
        remove: (key) => redis.del(`${name}:${key}`),
    }
}

async function collection(redis, name, { expireKeys }) {
    if (expireKeys)
        await redis.call("POLICY", "SET", `store:${name}:`, "IDLE", expireKeys)
    return {
        get: async (key) => JSON.parse(await redis.get(`store:${name}:${key}`)) ?? undefined,
        set: (key, value) => redis.set(`store:${name}:${key}`, JSON.stringify(value)),
        del: (key) => redis.del(`store:${name}:${key}`),
    }
}

test("ioredis, caches: the least recently used of several processes",
    () => withClients(PROCESSES, async (...clients) => {
        const caches = await Promise.all(clients.map((c) => lru(c, "cache", { max: 3 })))
        for (const [i, cache] of caches.entries()) {
            await cache.set("k" + i, { i })
            if (i === 2)
                assert.deepStrictEqual(await caches[3].get("k0"), { i: 0 })
        }
        assert.deepStrictEqual(await Promise.all([0, 1, 2, 3].map((i) => caches[i].get("k" + i))),
            [{ i: 0 }, undefined, { i: 2 }, { i: 3 }])
        await caches[0].remove("k3")
        assert.strictEqual(await caches[3].get("k3"), undefined)
        await clients[0].set("other", 1)
        assert.strictEqual(await clients[0].dbsize(), 3)
    }))

test("ioredis, caches: the age of what was set", () => withClients(2, async (redis, other) => {
    const cache = await lru(redis, "aging", { maxAge: 100 })
    const set = Date.now()
    await cache.set("k", 1)
    const mirror = await lru(other, "aging", { maxAge: 100 })
    await until(async () => await mirror.get("k") === undefined, "the end of the key")
    assert(Date.now() - set >= 99)
}))

test("ioredis, caches: a collection whose keys end when nobody uses them",
    () => withClients(1, async (redis) => {
        const users = await collection(redis, "users", { expireKeys: 300 })
        await users.set("ann", { name: "Ann" })
        await users.set("bob", { name: "Bob" })
        let used, last = Date.now()
        for (let i = 0; i < 10; i++) {
            used = last
            last = Date.now()
            const ann = await users.get("ann")
            assert(ann || Date.now() - used >= 300, "it went too soon")
            await sleep(50)
        }
        await until(async () => await redis.exists("store:users:bob") === 0, "Bob's end")
        await until(async () => await redis.dbsize() === 0, "Ann's end")
    }))

async function main() {
    server = await Server.start()
    await run()
}

main()
