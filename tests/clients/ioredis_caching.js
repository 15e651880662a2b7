// ioredis: what one connection has read is told to another, which is subscribed with RESP2.
"use strict"

const assert = require("assert")
const Redis = require("ioredis")
const { Server, run, test, until } = require("./suite")

const numbers = (n) => Array.from({ length: n }, (_, i) => i)

let server

// A client that reads, one that is told, what it is told, and one that writes.
async function withClients(protocol, mode, body) {
    const options = { port: server.port, host: "127.0.0.1" }
    const reader = new Redis({ ...options, protocol })
    const listener = new Redis({ ...options, protocol: 2 })
    const writer = new Redis({ ...options, protocol })
    const told = []
    try {
        await writer.flushall()
        const id = await listener.client("ID")
        listener.on("message", (channel, message) => told.push([channel, message]))
        await listener.subscribe("__redis__:invalidate")
        assert.strictEqual(await reader.client("TRACKING", "ON", "REDIRECT", id, ...mode), "OK")
        assert.strictEqual(await reader.client("GETREDIR"), id)
        await body({ reader, listener, writer, told })
    } finally {
        for (const client of [reader, listener, writer])
            client.disconnect()
    }
}

const CHANNEL = "__redis__:invalidate"

async function readKeys({ reader, writer, told }) {
    await writer.set("k", "1")
    await reader.get("k")
    await reader.mget("l", "m")
    await writer.set("other", "1")
    await writer.set("k", "2")
    await writer.set("k", "3")
    await writer.hset("m", "field", "1")
    await until(() => told.length === 2, "two keys")
    assert.deepStrictEqual(told, [[CHANNEL, "k"], [CHANNEL, "m"]])
    await reader.get("k")
    await reader.incr("k")
    await until(() => told.length === 3, "its own change")
}

async function optIn({ reader, writer, told }) {
    await reader.get("k")
    await reader.client("CACHING", "YES")
    await reader.get("l")
    await reader.multi().get("m").client("CACHING", "YES").get("n").exec()
    await writer.mset("k", 1, "l", 1, "m", 1, "n", 1)
    await until(() => told.length === 2, "the keys it asked for")
    assert.deepStrictEqual(told, [[CHANNEL, "l"], [CHANNEL, "n"]])
}

async function prefixes({ reader, writer, told }) {
    await writer.mset("user:2", 1, "user:1", 1, "other", 1)
    await until(() => told.length === 1, "a prefix")
    assert.deepStrictEqual(told, [[CHANNEL, "user:1,user:2"]])
    await reader.set("user:1", 1)
    await writer.pipeline(numbers(50).map((i) => ["set", `user:${i}`, i])).exec()
    await until(() => new Set(told.flatMap(([, keys]) => keys.split(","))).size === 50, "all keys")
}

async function lostListener({ reader, listener, writer }) {
    await reader.get("k")
    listener.disconnect()
    await until(async () => {
        await writer.incr("k")
        await reader.get("k")
        return (await reader.client("INFO")).includes(" flags=tR ")
    }, "the end of the redirection")
    assert.strictEqual(await reader.client("TRACKING", "OFF"), "OK")
    assert.match(await reader.client("INFO"), / flags=N .* redir=-1 /)
}

async function main() {
    server = await Server.start()
    for (const protocol of [3, 2]) {
        const scenes = [[readKeys, []], [optIn, ["OPTIN"]],
            [prefixes, ["BCAST", "NOLOOP", "PREFIX", "user:"]], [lostListener, []]]
        for (const [body, mode] of scenes)
            test(`ioredis, caching, RESP${protocol}: ${body.name}`,
                () => withClients(protocol, mode, body))
    }
    await run()
}

main()
