// What the programs of shared stores have in common: locks with tickets over ioredis, and processes
// that do what their parent tells them.
"use strict"

const { fork } = require("child_process")
const { EventEmitter } = require("events")
const Redis = require("ioredis")

// Locks of a process that has one connection for everything: nothing waits on it, a ticket is taken
// and its turn comes as a message on a second connection.
class Tickets {
    constructor(redis, listener) {
        this.redis = redis
        this.listener = listener
        this.turns = new EventEmitter().setMaxListeners(0)
        listener.on("message", (channel, message) => {
            const [event, ticket, token] = message.split(" ")
            if (event === "granted")
                this.turns.emit(`${channel} ${ticket}`, Number(token))
        })
    }

    // A message may be sooner than the reply with the ticket, on another connection.
    async acquire(name, ...options) {
        const channel = `__lock__:${name}`
        const early = new Map()
        const remember = (to, message) => {
            const [event, ticket, token] = message.split(" ")
            if (to === channel && event === "granted")
                early.set(Number(ticket), Number(token))
        }
        this.listener.on("message", remember)
        try {
            await this.listener.subscribe(channel)
            const reply = await this.redis.call("LOCK.ACQUIRE", name, "QUEUE", ...options)
            if (!Array.isArray(reply))
                return Number(reply)
            const ticket = Number(reply[1])
            return early.get(ticket) ||
                await new Promise((resolve) => this.turns.once(`${channel} ${ticket}`, resolve))
        } finally {
            this.listener.off("message", remember)
        }
    }
}

function connect(protocol = 3) {
    const options = { port: Number(process.env.PORT), host: "127.0.0.1", protocol }
    return { redis: new Redis(options), listener: new Redis({ ...options, protocol: 2 }) }
}

// How many wait for a lock; of clients that wait for anything there is another count.
async function waiters(redis, name) {
    const info = await redis.call("LOCK.INFO", name)
    const found = Array.isArray(info) ? info[info.indexOf("waiters") + 1] : info.waiters
    return found.length
}

async function blocked(redis) {
    return Number(/blocked_clients:(\d+)/.exec(await redis.info("clients"))[1])
}

// In a process of its own: does what `tasks` has under the name that the parent asks for.
function serve(tasks) {
    process.on("message", async ({ id, task, args }) => {
        try {
            process.send({ id, result: await tasks[task](...args) })
        } catch (error) {
            process.send({ id, error: error.message })
        }
    })
    process.on("disconnect", () => process.exit(0))
}

// Another process of the same program, and what it is asked to do.
class Worker {
    constructor(program, port, protocol) {
        this.waiting = new Map()
        this.heard = []
        this.last = 0
        this.process = fork(program, ["worker", String(protocol)],
            { env: { ...process.env, PORT: String(port) }, serialization: "advanced" })
        this.ended = new Promise((resolve) => this.process.on("exit", resolve))
        this.process.on("message", ({ id, result, error, heard }) => {
            if (heard !== undefined) {
                this.heard.push(heard)
                return
            }
            const { resolve, reject } = this.waiting.get(id)
            this.waiting.delete(id)
            error === undefined ? resolve(result) : reject(new Error(error))
        })
    }

    ask(task, ...args) {
        const id = ++this.last
        return new Promise((resolve, reject) => {
            this.waiting.set(id, { resolve, reject })
            this.process.send({ id, task, args })
        })
    }

    async end(signal = "SIGTERM") {
        this.process.kill(signal)
        await this.ended
    }
}

module.exports = { Tickets, Worker, blocked, connect, serve, waiters }
