// ipc-keyval as it is on npm: its whole interface by each form of its rpm+redis:// URL, and two
// processes that contend for its lock.
"use strict"

const assert = require("assert")
const { fork } = require("child_process")
const KeyVal = require("ipc-keyval")
const { Server, run, sleep, test, until } = require("./suite")

const ROUNDS = 50

async function clear(store) {
    for (const key of await store.keys())
        await store.del(key)
    assert.deepStrictEqual(await store.keys("*"), [])
}

async function wholeInterface(url) {
    const store = new KeyVal(url)
    await assert.rejects(store.get("k"), /still not opened/)
    await store.open()
    await assert.rejects(store.open(), /already opened/)
    await clear(store)

    const value = { list: [1, "zwei", null, 3.5], text: "grüße\r\n\u0000", yes: true }
    await store.put("foo.bar", value)
    await store.put("foo.baz", "text")
    await store.put("quux", 42)
    assert.deepStrictEqual((await store.keys()).sort(), ["foo.bar", "foo.baz", "quux"])
    assert.deepStrictEqual((await store.keys("foo.*")).sort(), ["foo.bar", "foo.baz"])
    assert.deepStrictEqual(await store.keys("nothing*"), [])
    assert.deepStrictEqual(await store.get("foo.bar"), value)
    assert.strictEqual(await store.get("quux"), 42)
    assert.strictEqual(await store.get("missing"), undefined)
    await store.put("quux", "another")
    assert.strictEqual(await store.get("quux"), "another")
    await store.del("quux")
    await store.del("missing")
    assert.strictEqual(await store.get("quux"), undefined)

    await assert.rejects(store.release(), /still not acquired/)
    await store.acquire()
    await store.release()
    await clear(store)
    await store.acquire()
    await store.close() // gives the lock back
    await assert.rejects(store.get("k"), /still not opened/)
}

async function scopesAreApart(base) {
    const [one, two] = [new KeyVal(`${base}/one`), new KeyVal(`${base}/two`)]
    await one.open()
    await two.open()
    await one.put("key", 1)
    await two.put("key", 2)
    assert.strictEqual(await one.get("key"), 1)
    assert.deepStrictEqual(await two.keys(), ["key"])
    await two.del("key")
    assert.strictEqual(await one.get("key"), 1)
    await clear(one)
    await one.close()
    await two.close()
}

async function lockIsHandedOver(url) {
    const [holder, other] = [new KeyVal(url), new KeyVal(url)]
    await holder.open()
    await other.open()
    await holder.acquire()
    const order = []
    const waiting = other.acquire().then(() => order.push("other"))
    await sleep(120) // the other one tries every 50 ms
    await holder.put("while-held", 1)
    order.push("holder")
    await holder.release()
    await waiting
    assert.deepStrictEqual(order, ["holder", "other"])
    await holder.del("while-held")
    await other.close()
    await holder.close()
}

// The child: reads, waits a moment and writes back, which loses counts wherever the lock leaks.
async function count(url) {
    const store = new KeyVal(url)
    await store.open()
    process.send("open")
    await new Promise((resolve) => process.once("message", resolve))
    for (let i = 0; i < ROUNDS; i++) {
        await store.acquire()
        const before = await store.get("counter")
        await new Promise((resolve) => setImmediate(resolve))
        await store.put("counter", before + 1)
        await store.release()
    }
    await store.close()
    process.disconnect()
}

async function twoProcesses(url) {
    const store = new KeyVal(url)
    await store.open()
    await store.put("counter", 0)
    const children = [1, 2].map(() => fork(__filename, [url]))
    const exits = children.map((child) => new Promise((resolve) => child.on("exit", resolve)))
    let open = 0
    children.forEach((child) => child.once("message", () => open++))
    await until(() => open === children.length, "both children")
    children.forEach((child) => child.send("go"))
    assert.deepStrictEqual(await Promise.all(exits), [0, 0])
    assert.strictEqual(await store.get("counter"), 2 * ROUNDS)
    await store.del("counter")
    await store.close()
}

async function main() {
    const plain = await Server.start()
    const secret = await Server.start("--requirepass", "s3cret")
    const bases = {
        "no password": `rpm+redis://127.0.0.1:${plain.port}`,
        "a password": `rpm+redis://x:s3cret@127.0.0.1:${secret.port}`,
    }
    for (const [name, base] of Object.entries(bases)) {
        test(`ipc-keyval, ${name}, no scope: the whole interface`, () => wholeInterface(base))
        test(`ipc-keyval, ${name}, a scope: the whole interface`,
            () => wholeInterface(`${base}/scope`))
        test(`ipc-keyval, ${name}: scopes are apart`, () => scopesAreApart(base))
        test(`ipc-keyval, ${name}: a lock is handed over`, () => lockIsHandedOver(base))
        test(`ipc-keyval, ${name}: two processes contend for acquire()`,
            () => twoProcesses(`${base}/scope`))
    }
    await run()
}

if (process.send)
    count(process.argv[2])
else
    main()
