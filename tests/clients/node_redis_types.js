// node-redis: collections, transactions with them, and waiting, in both protocols.
"use strict"

const assert = require("assert")
const { createClient, WatchError } = require("redis")
const { Server, run, test, until } = require("./suite")

const MANY = 5000
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

const same = assert.deepStrictEqual
const numbers = (n) => Array.from({ length: n }, (_, i) => i)
const plain = (reply) => ({ ...reply }) // objects of replies have no prototype

async function collect(iterator) {
    const all = []
    for await (const part of iterator)
        all.push(...part)
    return all
}

async function hashes(r) {
    await r.flushAll()
    same(await r.hSet("h", { a: 1, b: "two" }), 2)
    same(await r.hSetNX("h", "a", "9"), 0)
    same(plain(await r.hGetAll("h")), { a: "1", b: "two" })
    same(plain(await r.hGetAll("missing")), {})
    same(await r.hmGet("h", ["a", "missing"]), ["1", null])
    same(await r.hIncrBy("h", "a", 41), 42)
    same(await r.hIncrByFloat("h", "c", 0.25), "0.25")
    same((await r.hKeys("h")).sort(), ["a", "b", "c"])
    same(await r.hDel("h", ["a", "x"]), 1)
    same([await r.hLen("h"), await r.hExists("h", "b")], [2, 1])
    same((await r.hRandFieldCountWithValues("h", 5)).length, 2)
    await r.hSet("large", Object.fromEntries(numbers(MANY).map((i) => [`field:${i}`, i])))
    same(new Set((await collect(r.hScanIterator("large"))).map((e) => e.field)).size, MANY)
}

async function lists(r) {
    await r.flushAll()
    same(await r.rPush("l", ["b", "c", "d"]), 3)
    same(await r.lPush("l", "a"), 4)
    same(await r.lRange("l", 0, -1), ["a", "b", "c", "d"])
    same(await r.lInsert("l", "BEFORE", "c", "x"), 5)
    same(await r.lPos("l", "x"), 2)
    same(await r.lRem("l", 0, "x"), 1)
    same(await r.lMove("l", "m", "LEFT", "RIGHT"), "a")
    same(plain(await r.lmPop(["none", "l"], "RIGHT", { COUNT: 9 })),
        { 0: "l", 1: ["d", "c", "b"] })
    same(await r.lPopCount("m", 2), ["a"])
    same(await r.lPop("m"), null)
    await r.rPush("large", numbers(MANY).map(String))
    same(await r.lRange("large", 0, -1), numbers(MANY).map(String))
}

async function sets(r) {
    await r.flushAll()
    same(await r.sAdd("s", ["1", "2", "3", "a"]), 4)
    same([...await r.sMembers("s")].sort(), ["1", "2", "3", "a"])
    same(await r.smIsMember("s", ["a", "b"]), [1, 0])
    await r.sAdd("t", ["2", "3", "4"])
    same([...await r.sInter(["s", "t"])].sort(), ["2", "3"])
    same([...await r.sDiff(["s", "t"])].sort(), ["1", "a"])
    same(await r.sUnionStore("d", ["s", "t"]), 5)
    same(await r.sInterCard(["s", "t"]), 2)
    same(await r.sMove("s", "t", "a"), 1)
    await r.sAdd("large", numbers(MANY).map((i) => `member:${i}`))
    same(new Set(await collect(r.sScanIterator("large"))).size, MANY)
}

async function sortedSets(r) {
    await r.flushAll()
    const members = [{ score: 1, value: "a" }, { score: 2, value: "b" }, { score: 3.5, value: "c" }]
    same(await r.zAdd("z", members), 3)
    same((await r.zRangeWithScores("z", 0, -1)).map(plain),
        members.map(({ score, value }) => ({ value, score })))
    same(await r.zRange("z", 0, 0, { REV: true }), ["c"])
    same(await r.zRangeByScore("z", 2, "+inf", { LIMIT: { offset: 0, count: 1 } }), ["b"])
    same([await r.zRank("z", "c"), await r.zCard("z"), await r.zScore("z", "c")], [2, 3, 3.5])
    same(await r.zmScore("z", ["a", "x"]), [1, null])
    same(await r.zIncrBy("z", 0.25, "a"), 1.25)
    await r.zAdd("w", { score: 10, value: "b" })
    same((await r.zUnionWithScores(["z", "w"])).map((e) => [e.value, e.score]),
        [["a", 1.25], ["c", 3.5], ["b", 12]])
    same(await r.zInterStore("d", ["z", "w"]), 1)
    same(await r.zDiff(["z", "w"]), ["a", "c"])
    same(plain(await r.zPopMin("z")), { value: "a", score: 1.25 })
    same((await r.zPopMaxCount("z", 5)).map(plain),
        [{ value: "c", score: 3.5 }, { value: "b", score: 2 }])
    await r.zAdd("large", numbers(MANY).map((i) => ({ score: i, value: `member:${i}` })))
    same(await r.zRank("large", "member:4321"), 4321)
    same(new Set((await collect(r.zScanIterator("large"))).map((e) => e.value)).size, MANY)
}

async function others(r) {
    await r.flushAll()
    same(await r.pfAdd("p", numbers(1000).map(String)), 1)
    assert.ok(Math.abs(await r.pfCount("p") - 1000) < 30)
    await r.pfMerge("q", "p")
    same(await r.geoAdd("g", [{ longitude: 13.361389, latitude: 38.115556, member: "Palermo" },
        { longitude: 15.087269, latitude: 37.502669, member: "Catania" }]), 2)
    same(await r.geoDist("g", "Palermo", "Catania", "km"), 166.2742)
    same(await r.geoHash("g", "Palermo"), ["sqc8b49rny0"])
    same(await r.geoSearch("g", { longitude: 15, latitude: 37 }, { radius: 200, unit: "km" },
        { SORT: "ASC" }), ["Catania", "Palermo"])
    const [near] = await r.geoSearchWith("g", "Palermo", { width: 9, height: 9, unit: "km" },
        ["WITHDIST", "WITHCOORD"])
    same([near.member, Number(near.distance)], ["Palermo", 0])
    same(Number(near.coordinates.longitude), 13.361389338970184)
    await r.rPush("l", ["3", "1", "2"])
    await r.mSet({ "weight:1": "9", "weight:2": "8", "weight:3": "7" })
    same(await r.sort("l"), ["1", "2", "3"])
    same(await r.sort("l", { BY: "weight:*", GET: ["#", "weight:*"],
        LIMIT: { offset: 0, count: 2 } }), ["3", "7", "2", "8"])
    same(await r.sortStore("l", "d", { DIRECTION: "DESC" }), 3)
    same(await r.sortRo("d", { BY: "nosort" }), ["3", "2", "1"])
}

async function transactions(r, options) {
    await r.flushAll()
    const replies = await r.multi().rPush("l", ["2", "1"]).sAdd("s", "a")
        .zAdd("z", { score: 1, value: "m" }).hSet("h", "f", "v").hGetAll("h").sort("l")
        .lLen("l").exec()
    same(plain(replies[4]), { f: "v" })
    same([...replies.slice(0, 4), ...replies.slice(5)], [2, 1, 1, 1, ["1", "2"], 2])
    await assert.rejects(r.multi().lPush("s", "1").hIncrBy("h", "n", 1).exec(), /1 commands failed/)
    same(await r.hGet("h", "n"), "1")
    await withClient(options, async (other) => {
        for (const [key, change] of [["l", () => other.lPush("l", "0")],
            ["s", () => other.sRem("s", "a")], ["z", () => other.zIncrBy("z", 1, "m")],
            ["h", () => other.hIncrBy("h", "n", 1)]]) {
            await r.watch(key)
            await change()
            await assert.rejects(r.multi().del(["l", "s", "z", "h"]).exec(), WatchError)
        }
        await r.watch(["l", "h"])
        await other.lRange("l", 0, -1)
        same(await r.multi().del("l").hGet("h", "n").exec(), [1, "2"])
    })
}

async function waiting(r, options) {
    await r.flushAll()
    await withClient(options, (waiter) => withClient(options, async (second) => {
        const waits = async (n) => until(async () =>
            (await r.info("clients")).includes(`blocked_clients:${n}\r`), `${n} that wait`)
        const first = waiter.blPop(["a", "b"], 30)
        await waits(1)
        const later = second.brPop(["a", "b"], 30)
        await waits(2)
        same(await r.rPush("b", ["1", "2"]), 2)
        same(plain(await first), { key: "b", element: "1" })
        same(plain(await later), { key: "b", element: "2" })
        const popped = waiter.bzPopMin("z", 30)
        const moved = second.blMove("l", "m", "LEFT", "LEFT", 30)
        await waits(2)
        same(await r.multi().zAdd("z", { score: 1.5, value: "m" }).rPush("l", "x").exec(), [1, 1])
        same(plain(await popped), { key: "z", value: "m", score: 1.5 })
        same(await moved, "x")
        same(await waiter.blPop("none", 0.02), null)
    }))
}

async function main() {
    server = await Server.start()
    const bodies = { hashes, lists, sets, sortedSets, others, transactions, waiting }
    for (const [protocol, options] of [["RESP3, the default", {}], ["RESP2", { RESP: 2 }]]) {
        for (const [name, body] of Object.entries(bodies))
            test(`node-redis, ${protocol}: ${name}`,
                () => withClient(options, (r) => body(r, options)))
    }
    await run()
}

main()
