// Objects that the processes of an application share, with locks, listeners and an LRU cache: what
// cluster-shared-memory offers, as commands of the server.
"use strict"

const assert = require("assert")
const { Server, run, sleep, test, until } = require("./suite")
const { Tickets, Worker, connect, serve, waiters } = require("./shared_worker")

const same = assert.deepStrictEqual
const decode = (text) => text === null ? undefined : JSON.parse(text)
const CACHE = "lru:"
const CHANNEL = "__keyvalue@0__:"

// ---- the memory ----------------------------------------------------------------------------------

class SharedMemory {
    constructor({ redis, listener }) {
        this.redis = redis
        this.tickets = new Tickets(redis, listener)
        this.callbacks = new Map()
        this.listener = listener
        listener.on("message", (channel, message) => this.hear(channel, message))
    }

    set(key, value) {
        return this.redis.set(key, JSON.stringify(value))
    }

    async get(key) {
        return decode(await this.redis.get(key))
    }

    async remove(key) {
        await this.redis.del(key)
        return "OK"
    }

    getLock(key) {
        return this.tickets.acquire(key)
    }

    async releaseLock(key, id) {
        await this.redis.call("LOCK.RELEASE", key, id)
        return "OK"
    }

    async mutex(key, body) {
        const id = await this.getLock(key)
        try {
            return await body()
        } finally {
            await this.releaseLock(key, id)
        }
    }

    async listen(key, callback) {
        this.callbacks.set(CHANNEL + key, callback)
        await this.listener.subscribe(CHANNEL + key)
    }

    // The first line says whether the key is there; what is behind it is the value.
    hear(channel, message) {
        const callback = this.callbacks.get(channel)
        const end = message.indexOf("\n")
        const [, , state] = message.slice(0, end).split(" ")
        if (callback)
            callback(state === "gone" ? undefined : decode(message.slice(end + 1)))
    }

    setLRUOptions({ max, maxAge }) {
        return this.redis.call("POLICY", "SET", CACHE, "MAXKEYS", max, "MAXAGE", maxAge)
    }

    setLRU(key, value) {
        return this.set(CACHE + key, value)
    }

    getLRU(key) {
        return this.get(CACHE + key)
    }

    removeLRU(key) {
        return this.remove(CACHE + key)
    }
}

// ---- what a worker does --------------------------------------------------------------------------

function work(protocol) {
    const link = connect(protocol)
    const memory = new SharedMemory(link)
    const direct = ["set", "get", "remove", "getLock", "releaseLock", "setLRUOptions", "setLRU",
        "getLRU", "removeLRU"]
    const tasks = Object.fromEntries(direct.map((name) => [name, (...args) => memory[name](...args)]))
    serve({
        ...tasks,
        waiters: (key) => waiters(link.redis, key),
        listen: (key) => memory.listen(key, (value) => process.send({ heard: { key, value } })),
        async grow(key, times) {
            for (let i = 0; i < times; i++)
                await memory.mutex(key, async () => {
                    const object = await memory.get(key)
                    object.age++
                    await memory.set(key, object)
                })
            return "done"
        },
        fail: (key) => memory.mutex(key, () => Promise.reject(new Error("of the body"))),
    })
}

// ---- the tests -----------------------------------------------------------------------------------

let server

async function withWorkers(count, protocol, body) {
    const workers = Array.from({ length: count }, () => new Worker(__filename, server.port, protocol))
    try {
        await workers[0].ask("remove", "obj")
        await body(...workers)
    } finally {
        await Promise.all(workers.map((worker) => worker.end()))
    }
}

async function objects(a, b) {
    const tom = { name: "Tom", age: 10 }
    same(await a.ask("get", "obj"), undefined)
    same(await a.ask("set", "obj", tom), "OK")
    same(await b.ask("get", "obj"), tom)
    same(await b.ask("remove", "obj"), "OK")
    same(await a.ask("get", "obj"), undefined)
}

async function lockIds(a, b, c) {
    const id = await a.ask("getLock", "obj")
    const order = []
    const second = b.ask("getLock", "obj").then((next) => (order.push("second"), next))
    await until(async () => await a.ask("waiters", "obj") === 1, "the second")
    const third = c.ask("getLock", "obj").then((next) => (order.push("third"), next))
    await until(async () => await a.ask("waiters", "obj") === 2, "the third")
    same(order, [])
    await assert.rejects(b.ask("releaseLock", "obj", id - 1), /NOTHELD|FENCED/)
    same(await a.ask("releaseLock", "obj", id), "OK")
    const next = await second
    assert(next > id, "the id is a token, and grows")
    same(order, ["second"])
    same(await b.ask("releaseLock", "obj", next), "OK")
    same(await c.ask("releaseLock", "obj", await third), "OK")
    await assert.rejects(a.ask("releaseLock", "obj", id), /NOTHELD|FENCED/)
}

async function mutex(...workers) {
    const times = 50
    await workers[0].ask("set", "obj", { name: "Tom", age: 10 })
    same(await Promise.all(workers.map((worker) => worker.ask("grow", "obj", times))),
        workers.map(() => "done"))
    same(await workers[0].ask("get", "obj"), { name: "Tom", age: 10 + workers.length * times })
    await assert.rejects(workers[0].ask("fail", "obj"), /of the body/)
    same(await workers[1].ask("grow", "obj", 1), "done")
}

async function listeners(a, b, c) {
    const values = [1, "two", { three: 3 }, null, [4]]
    await a.ask("listen", "obj")
    await b.ask("listen", "obj")
    for (const value of values)
        await c.ask("set", "obj", value)
    await c.ask("set", "another", 1)
    await c.ask("remove", "obj")
    const wanted = [...values.map((value) => ({ key: "obj", value })), { key: "obj", value: undefined }]
    for (const listener of [a, b]) {
        await until(() => listener.heard.length === wanted.length, "all changes")
        same(listener.heard, wanted)
    }
}

async function cache(a, b) {
    const max = 10
    same(await a.ask("setLRUOptions", { max, maxAge: 60000 }), "OK")
    for (let i = 0; i < max; i++)
        same(await a.ask("setLRU", `k${i}`, i), "OK")
    same(await b.ask("getLRU", "k0"), 0)
    await sleep(20)
    await b.ask("set", "outside", "stays")
    await b.ask("setLRU", "k10", 10)
    const there = await Promise.all(Array.from({ length: max + 1 }, (_, i) => a.ask("getLRU", `k${i}`)))
    same(there.filter((value) => value !== undefined).length, max)
    same(there[0], 0)
    same(there[max], max)
    same(await a.ask("get", "outside"), "stays")
    same(await a.ask("removeLRU", "k10"), "OK")
    same(await b.ask("getLRU", "k10"), undefined)
    await a.ask("setLRUOptions", { max, maxAge: 100 })
    await a.ask("setLRU", "aged", 1)
    await until(async () => await b.ask("getLRU", "aged") === undefined, "its age")
    same(await a.ask("get", "outside"), "stays")
}

async function main() {
    server = await Server.start()
    for (const protocol of [3, 2]) {
        const scenes = [[2, objects], [3, lockIds], [4, mutex], [3, listeners], [2, cache]]
        for (const [count, body] of scenes)
            test(`shared memory, RESP${protocol}: ${body.name}`,
                () => withWorkers(count, protocol, body))
    }
    await run()
}

if (process.argv[2] === "worker")
    work(Number(process.argv[3]))
else
    main()
