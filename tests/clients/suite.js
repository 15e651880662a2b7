// What the Node programs of this folder share: tests that print TAP, a server in a temporary
// folder that can be killed and started again on its port, and waiting for what comes by itself.
"use strict"

const { spawn } = require("child_process")
const fs = require("fs")
const net = require("net")
const os = require("os")
const path = require("path")

const TEST_TIMEOUT_MS = 60000
const cases = []
const running = new Set()

function test(name, body) {
    cases.push({ name, body })
}

function withTimeout(promise, what) {
    let timer
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${what}: nothing after ${TEST_TIMEOUT_MS} ms`)),
            TEST_TIMEOUT_MS)
    })
    return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

async function run() {
    let failed = 0
    console.log(`1..${cases.length}`)
    for (const [i, { name, body }] of cases.entries()) {
        try {
            await withTimeout(body(), name)
            console.log(`ok ${i + 1} - ${name}`)
        } catch (error) {
            failed++
            console.log(`not ok ${i + 1} - ${name}`)
            console.log(String(error && error.stack || error).replace(/^/gm, "# "))
        }
    }
    process.exit(failed ? 1 : 0)
}

// A client that throws out of an event is a finding too, and must not take the report with it.
process.on("uncaughtException", (error) => {
    console.log(`not ok - uncaught\n${String(error.stack).replace(/^/gm, "# ")}`)
    process.exit(1)
})
process.on("exit", () => running.forEach((server) => server.discard()))

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function until(condition, what = "condition") {
    const end = Date.now() + TEST_TIMEOUT_MS / 2
    while (!await condition()) {
        if (Date.now() > end)
            throw new Error(`${what}: did not come`)
        await sleep(10)
    }
}

function freePort() {
    return new Promise((resolve, reject) => {
        const listener = net.createServer()
        listener.on("error", reject)
        listener.listen(0, "127.0.0.1", () => {
            const { port } = listener.address()
            listener.close(() => resolve(port))
        })
    })
}

function answersPing(port) {
    return new Promise((resolve) => {
        const socket = net.connect(port, "127.0.0.1", () => socket.write("PING\r\n"))
        socket.on("data", () => {
            socket.destroy()
            resolve(true)
        })
        socket.on("error", () => resolve(false))
        socket.on("close", () => resolve(false))
    })
}

class Server {
    static async start(...options) {
        const server = new Server()
        server.options = options
        server.port = await freePort()
        server.dir = fs.mkdtempSync(path.join(os.tmpdir(), "latchkey-clients-"))
        server.socket = path.join(server.dir, "socket")
        running.add(server)
        await server.up()
        return server
    }

    async up() {
        const log = fs.openSync(path.join(this.dir, "log"), "a")
        this.child = spawn(process.env.LATCHKEY || "build/latchkey",
            ["--port", this.port, "--unixsocket", this.socket, "--save", "", "--appendonly", "no",
                "--dir", this.dir, ...this.options].map(String),
            { stdio: ["ignore", log, log] })
        fs.closeSync(log)
        this.ended = new Promise((resolve) => this.child.on("close", resolve))
        await until(() => {
            if (this.child.exitCode !== null)
                throw new Error(fs.readFileSync(path.join(this.dir, "log"), "utf8"))
            return answersPing(this.port)
        }, "the server")
    }

    async kill() {
        this.child.kill("SIGKILL")
        await this.ended
    }

    async stop() {
        await this.kill()
        this.discard()
    }

    discard() {
        this.child.kill("SIGKILL")
        fs.rmSync(this.dir, { recursive: true, force: true })
        running.delete(this)
    }
}

module.exports = { Server, run, sleep, test, until }
