// Collections of JSON values that several processes share, with idle expiry and with exclusive locks
// of single keys whose writes are committed on release: what strong-store-cluster offers, as
// commands of the server.
"use strict"

const assert = require("assert")
const { Server, run, sleep, test, until } = require("./suite")
const { Tickets, Worker, blocked, connect, serve, waiters } = require("./shared_worker")

const same = assert.deepStrictEqual
const encode = (value) => JSON.stringify(value)
const decode = (text) => text === null ? undefined : JSON.parse(text)

// ---- the store -----------------------------------------------------------------------------------

class KeyLock {
    constructor(redis, name, token, text) {
        Object.assign(this, { redis, name, token, value: decode(text), write: [], held: true })
    }

    get() {
        return this.value
    }

    set(value) {
        assert(this.held, "released already")
        this.value = value
        this.write = value === undefined ? ["DEL"] : ["SET", encode(value)]
    }

    del() {
        this.set(undefined)
    }

    async release() {
        assert(this.held, "released already")
        this.held = false
        await this.redis.call("LOCK.RELEASE", this.name, this.token, ...this.write)
    }
}

class Collection {
    constructor(name, { redis, listener }) {
        this.prefix = name + ":"
        this.redis = redis
        this.tickets = new Tickets(redis, listener)
    }

    configure({ expireKeys }) {
        return expireKeys
            ? this.redis.call("POLICY", "SET", this.prefix, "IDLE", expireKeys * 1000)
            : this.redis.call("POLICY", "DEL", this.prefix)
    }

    async get(key) {
        return decode(await this.redis.get(this.prefix + key))
    }

    set(key, value) {
        return value === undefined ? this.del(key) : this.redis.set(this.prefix + key, encode(value))
    }

    del(key) {
        return this.redis.del(this.prefix + key)
    }

    async acquire(key) {
        const name = this.prefix + key
        const token = await this.tickets.acquire(name, "GUARD")
        return new KeyLock(this.redis, name, token, await this.redis.get(name))
    }
}

// ---- what a worker does --------------------------------------------------------------------------

function work(protocol) {
    const link = connect(protocol)
    const collections = new Map()
    const locks = new Map()
    const collection = (name) => {
        if (!collections.has(name))
            collections.set(name, new Collection(name, link))
        return collections.get(name)
    }
    serve({
        flush: () => link.redis.flushall(),
        waiters: (name, key) => waiters(link.redis, `${name}:${key}`),
        blocked: () => blocked(link.redis),
        configure: (name, options) => collection(name).configure(options),
        get: (name, key) => collection(name).get(key),
        set: (name, key, value) => collection(name).set(key, value),
        del: (name, key) => collection(name).del(key),
        async acquire(name, key) {
            locks.set(key, await collection(name).acquire(key))
            return locks.get(key).get()
        },
        lockGet: (key) => locks.get(key).get(),
        lockSet: (key, value) => locks.get(key).set(value),
        lockDel: (key) => locks.get(key).del(),
        release: (key) => locks.get(key).release(),
        async count(name, key, times) {
            for (let i = 0; i < times; i++) {
                const lock = await collection(name).acquire(key)
                lock.set((lock.get() || 0) + 1)
                await lock.release()
            }
        },
    })
}

// ---- the tests -----------------------------------------------------------------------------------

let server

async function withWorkers(count, protocol, body) {
    const workers = Array.from({ length: count }, () => new Worker(__filename, server.port, protocol))
    try {
        await workers[0].ask("flush")
        await body(...workers)
    } finally {
        await Promise.all(workers.map((worker) => worker.end()))
    }
}

async function pending(promise) {
    const late = Symbol("late")
    return await Promise.race([promise, sleep(60).then(() => late)]) === late
}

async function values(a, b) {
    same(await a.ask("get", "plain", "missing"), undefined)
    await a.ask("set", "plain", "key", { hello: "world", list: [1, 2, null] })
    same(await b.ask("get", "plain", "key"), { hello: "world", list: [1, 2, null] })
    await b.ask("set", "plain", "key", 42)
    same(await a.ask("get", "plain", "key"), 42)
    same(await a.ask("get", "other collection", "key"), undefined)
    await b.ask("del", "plain", "key")
    same(await a.ask("get", "plain", "key"), undefined)
    await a.ask("set", "plain", "key", "again")
    await a.ask("set", "plain", "key", undefined)
    same(await b.ask("get", "plain", "key"), undefined)
}

async function locks(a, b) {
    await a.ask("set", "locked", "k", { n: 1 })
    same(await a.ask("acquire", "locked", "k"), { n: 1 })
    await a.ask("lockSet", "k", { n: 2 })
    same(await a.ask("lockGet", "k"), { n: 2 })
    const read = b.ask("get", "locked", "k")
    assert(await pending(read), "nobody else reads a locked key")
    await a.ask("release", "k")
    same(await read, { n: 2 })
    await assert.rejects(a.ask("lockSet", "k", 3), /released already/)
    await assert.rejects(a.ask("release", "k"), /released already/)
    same(await a.ask("acquire", "locked", "k"), { n: 2 })
    await a.ask("lockDel", "k")
    same(await a.ask("lockGet", "k"), undefined)
    await a.ask("release", "k")
    same(await b.ask("get", "locked", "k"), undefined)
}

async function writersWait(a, b, c) {
    same(await a.ask("acquire", "busy", "k"), undefined)
    await a.ask("lockSet", "k", "first")
    const second = b.ask("acquire", "busy", "k")
    assert(await pending(second), "one holder at a time")
    await until(async () => await a.ask("waiters", "busy", "k") === 1, "the second")
    const write = c.ask("set", "busy", "k", "third")
    assert(await pending(write), "nobody else writes a locked key")
    await until(async () => await a.ask("blocked") === 1, "the third")
    await a.ask("release", "k")
    same(await second, "first")
    assert(await pending(write), "who has come first is first")
    await b.ask("lockSet", "k", "second")
    await b.ask("release", "k")
    await write
    same(await a.ask("get", "busy", "k"), "third")
}

async function counting(...workers) {
    const times = 50
    await Promise.all(workers.map((worker) => worker.ask("count", "counted", "n", times)))
    same(await workers[0].ask("get", "counted", "n"), workers.length * times)
}

async function deadHolder(a, b) {
    same(await a.ask("acquire", "dead", "k"), undefined)
    await a.ask("lockSet", "k", "never committed")
    const second = b.ask("acquire", "dead", "k")
    await until(async () => await b.ask("waiters", "dead", "k") === 1, "the second")
    await a.end("SIGKILL")
    same(await second, undefined)
    await b.ask("release", "k")
}

// Never sooner than it may be, and in the end.
async function idleExpiry(a, b) {
    await a.ask("configure", "idle", { expireKeys: 2 })
    await b.ask("configure", "idle", { expireKeys: 2 })
    await a.ask("set", "idle", "used", 1)
    await a.ask("set", "idle", "unused", 2)
    const started = Date.now()
    await until(async () => await a.ask("get", "idle", "used") === 1 && Date.now() - started > 2500)
    same(await b.ask("get", "idle", "unused"), undefined)
    same(await b.ask("get", "idle", "used"), 1)
    await a.ask("configure", "idle", {})
}

async function main() {
    server = await Server.start()
    for (const protocol of [3, 2]) {
        const scenes = [[2, values], [2, locks], [3, writersWait], [4, counting], [2, deadHolder],
            [2, idleExpiry]]
        for (const [count, body] of scenes)
            test(`strong store, RESP${protocol}: ${body.name}`, async () => {
                await withWorkers(count, protocol, body)
            })
    }
    await run()
}

if (process.argv[2] === "worker")
    work(Number(process.argv[3]))
else
    main()
