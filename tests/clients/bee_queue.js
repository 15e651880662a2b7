// bee-queue: jobs that workers wait for with BRPOPLPUSH, and finish in transactions. The library
// makes jobs with scripts; where it would run one, the commands of that script are sent instead.
"use strict"

const assert = require("assert")
const Queue = require("bee-queue")
const { Server, run, sleep, test, until } = require("./suite")

const SETTINGS = { ensureScripts: false, stallInterval: 60000 }

let server

const call = (client, command, ...args) => new Promise((resolve, reject) =>
    client.send_command(command, args.map(String),
        (error, reply) => error ? reject(error) : resolve(reply)))

// What the scripts do that are used here, but not at once.
const scripts = {
    async addJob(client, [idKey, jobs, waiting, id, data]) {
        const number = id || await call(client, "incr", idKey)
        if (await call(client, "hexists", jobs, number))
            return null
        await call(client, "hset", jobs, number, data)
        await call(client, "lpush", waiting, number)
        return String(number)
    },
    async checkStalledJobs() {
        return []
    },
}

async function open(name, settings = {}) {
    const queue = new Queue(name, {
        ...SETTINGS, redis: { host: "127.0.0.1", port: server.port }, ...settings })
    queue._evalScript = async (script, keys, ...args) => scripts[script](queue.client, args)
    queue.on("error", (error) => queue.failure = error)
    await queue.ready()
    return queue
}

async function close(...queues) {
    for (const queue of queues) {
        await queue.close()
        assert.strictEqual(queue.failure, undefined)
    }
}

const info = async (client, section) => call(client, "info", section)

const outcome = (job) => new Promise((resolve) => {
    job.on("succeeded", (result) => resolve(["succeeded", result]))
    job.on("failed", (error) => resolve(["failed", error.message]))
})

async function jobsAreDoneOnce() {
    const COUNT = 400
    const maker = await open("sums", { isWorker: false })
    const workers = await Promise.all([1, 2, 3].map(() => open("sums", { getEvents: false })))
    const done = new Map()
    for (const worker of workers)
        worker.process(5, async (job) => {
            done.set(job.id, (done.get(job.id) || 0) + 1)
            if (job.data.x % 7 === 0)
                await sleep(1)
            return job.data.x + job.data.y
        })
    const outcomes = []
    for (let x = 0; x < COUNT; x++) {
        const job = maker.createJob({ x, y: 1 })
        outcomes.push(outcome(job))
        await job.save()
    }
    assert.deepStrictEqual(await Promise.all(outcomes),
        Array.from({ length: COUNT }, (_, x) => ["succeeded", x + 1]))
    assert.strictEqual(done.size, COUNT)
    assert.ok([...done.values()].every((times) => times === 1))
    const health = await maker.checkHealth()
    assert.deepStrictEqual(health, { waiting: 0, active: 0, succeeded: COUNT, failed: 0,
        delayed: 0, newestJob: COUNT })
    assert.strictEqual((await maker.getJobs("succeeded", { size: 1000 })).length, COUNT)
    await close(...workers, maker)
}

async function firstJobFirst() {
    const maker = await open("order", { isWorker: false })
    for (let i = 0; i < 50; i++)
        await maker.createJob({ i }).save()
    assert.strictEqual((await maker.checkHealth()).waiting, 50)
    assert.deepStrictEqual((await maker.getJobs("waiting", { start: 0, end: 2 }))
        .map((job) => job.data.i), [49, 48, 47])
    const worker = await open("order")
    const seen = []
    worker.process(async (job) => void seen.push(job.data.i))
    await until(() => seen.length === 50, "all jobs")
    assert.deepStrictEqual(seen, Array.from({ length: 50 }, (_, i) => i))
    await close(worker, maker)
}

async function retriesAndFailures() {
    const queue = await open("retries")
    const tries = {}
    const events = []
    queue.on("job retrying", (id) => events.push(["retrying", id]))
    queue.process(2, async (job) => {
        tries[job.id] = (tries[job.id] || 0) + 1
        if (tries[job.id] < job.data.needs)
            throw new Error(`try ${tries[job.id]}`)
        return tries[job.id]
    })
    const often = queue.createJob({ needs: 3 }).retries(5)
    const never = queue.createJob({ needs: 100 }).retries(1)
    const outcomes = Promise.all([outcome(often), outcome(never)])
    await often.save()
    await never.save()
    assert.deepStrictEqual(await outcomes, [["succeeded", 3], ["failed", "try 2"]])
    await until(() => events.length === 3, "an event for each retry")
    const { succeeded, failed, active } = await queue.checkHealth()
    assert.deepStrictEqual([succeeded, failed, active], [1, 1, 0])
    const [kept] = await queue.getJobs("failed")
    assert.match(kept.options.stacktraces[0], /try 2/)
    await close(queue)
}

async function progress() {
    const queue = await open("progress")
    queue.process(async (job) => {
        for (const part of [1, 2, 3])
            job.reportProgress({ part })
        return "all"
    })
    const job = queue.createJob({})
    const parts = []
    job.on("progress", ({ part }) => parts.push(part))
    const end = outcome(job)
    await job.save()
    assert.deepStrictEqual(await end, ["succeeded", "all"])
    assert.deepStrictEqual(parts, [1, 2, 3])
    await close(queue)
}

// A worker that is closed waits no more: the next job is another's.
async function closedWorkers() {
    const maker = await open("closed", { isWorker: false })
    const waits = async (n) => until(async () =>
        (await info(maker.client, "clients")).includes(`blocked_clients:${n}\r`), `${n} that wait`)
    const [first, second] = await Promise.all([open("closed"), open("closed")])
    const seen = []
    first.process(async () => void seen.push("first"))
    await waits(1)
    second.process(async () => void seen.push("second"))
    await waits(2)
    await close(first)
    await maker.createJob({}).save()
    await until(() => seen.length === 1, "the job")
    assert.deepStrictEqual(seen, ["second"])
    await waits(1)
    await close(second)
    await waits(0)
    await maker.createJob({}).save()
    assert.strictEqual((await maker.checkHealth()).waiting, 1)
    await close(maker)
}

async function main() {
    server = await Server.start()
    for (const [name, body] of Object.entries({ jobsAreDoneOnce, firstJobFirst,
        retriesAndFailures, progress, closedWorkers }))
        test(`bee-queue: ${name}`, body)
    await run()
}

main()
