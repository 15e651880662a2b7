// ipc-keyval as it is on npm, by its rpm+sqlite://, rpm+pgsql:// and rpm+mysql:// URLs, and the server
// with the same table as its backend, at the same time: what one writes the other reads.
"use strict"

const assert = require("assert")
const { spawn } = require("child_process")
const fs = require("fs")
const os = require("os")
const path = require("path")
const readline = require("readline")
const Redis = require("ioredis")
const KeyVal = require("ipc-keyval")
const { Server, run, test, until } = require("./suite")

const top = path.join(__dirname, "..", "..")
const value = { list: [1, "zwei", null, 3.5], text: "grüße \"'\\%_", yes: true, no: {} }

// The address of an empty database, and how to get rid of it. Servers end with their helper's input.
async function database(kind) {
    if (kind === "sqlite") {
        const dir = fs.mkdtempSync(path.join(os.tmpdir(), "latchkey-tables-"))
        const remove = () => fs.rmSync(dir, { recursive: true, force: true })
        return { url: `sqlite:///${dir}/test.db`, stop: remove }
    }
    const env = { ...process.env }
    delete env.LATCHKEY_SUITE
    const helper = spawn(path.join(top, "tests/lib/databases"), [kind],
        { stdio: ["pipe", "pipe", "inherit"], detached: true, env })
    const ended = new Promise((resolve) => helper.on("close", resolve))
    const lines = readline.createInterface({ input: helper.stdout })
    const first = await Promise.race([new Promise((resolve) => lines.once("line", resolve)), ended])
    assert.ok(typeof first === "string", "the database does not start")
    const stop = async () => {
        helper.stdin.end()
        await ended
    }
    return { url: first.split(" ")[1], stop }
}

async function both(kind, body) {
    const { url, stop } = await database(kind)
    const store = new KeyVal("rpm+" + url)
    let server, client
    try {
        await store.open()
        await store.put("before", value)
        server = await Server.start("--backend", url, "--backend-mode", "write-through",
            "--backend-watch", "yes", "--backend-poll", 10)
        client = new Redis(server.port, "127.0.0.1")
        await until(() => client.get("before").then(() => true, () => false), "the backend")
        await body(store, client)
    } finally {
        if (client)
            client.disconnect()
        if (server)
            await server.stop()
        await store.close().catch(() => 0)
        await stop()
    }
}

async function readsAndWrites(store, client) {
    assert.deepStrictEqual(JSON.parse(await client.get("before")), value)
    await client.set("ours", JSON.stringify(value))
    assert.deepStrictEqual(await store.get("ours"), value)
    await client.set("ours", "42")
    assert.strictEqual(await store.get("ours"), 42)
    await client.incr("ours")
    assert.strictEqual(await store.get("ours"), 43)
    await client.hset("user", "name", "Anna", "town", "Ulm")
    assert.deepStrictEqual(await store.get("user"), { name: "Anna", town: "Ulm" })
    await client.rpush("list", "a", "b")
    assert.deepStrictEqual(await store.get("list"), ["a", "b"])
    assert.deepStrictEqual((await store.keys()).sort(), ["before", "list", "ours", "user"])
    await client.del("ours", "list")
    assert.strictEqual(await store.get("ours"), undefined)
    assert.deepStrictEqual((await client.keys("*")).sort(), ["before", "user"])
}

// What has been read is in memory by then.
async function hearsOfChanges(store, client) {
    assert.deepStrictEqual(JSON.parse(await client.get("before")), value)
    await store.put("before", "changed")
    await until(async () => await client.get("before") === "\"changed\"", "the changed value")
    assert.strictEqual(await client.get("new"), null)
    await store.put("new", 1)
    await until(async () => await client.get("new") === "1", "the new value")
    await client.incr("new")
    assert.strictEqual(await store.get("new"), 2)
    await store.del("new")
    await until(async () => await client.get("new") === null, "the deletion")
    await client.psetex("short", 50, "1")
    await until(async () => await store.get("short") === undefined, "the end of its time")
}

for (const kind of ["sqlite", "pgsql", "mysql"]) {
    test(`${kind}: each reads what the other writes`, () => both(kind, readsAndWrites))
    test(`${kind}: the server hears of what ipc-keyval changes`, () => both(kind, hearsOfChanges))
}

run()
