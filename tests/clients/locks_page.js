// The JavaScript of docs/locks.md, all of it in one program, against the server.
"use strict"

const assert = require("assert")
const { spawn } = require("child_process")
const fs = require("fs")
const path = require("path")
const { Server, run, test } = require("./suite")

const PAGE = path.join(__dirname, "../../docs/locks.md")
const SHOWN = [/alone, with token \d+/, /the second turn: \d+/, /LOCKED /, /\["apple"\]/,
    /both, with tokens \d+ \d+/, /^1$/m]

function examples(port) {
    const blocks = fs.readFileSync(PAGE, "utf8").matchAll(/^```js\n(.*?)^```/gms)
    const text = Array.from(blocks, (block) => block[1]).join("\n")
        .replace("new Redis()", `new Redis(${port}, "127.0.0.1")`)
    return `(async () => {\n${text}\nprocess.exit(0)\n})().catch((error) => {
        console.log(error)\nprocess.exit(1)\n})`
}

async function execute(port) {
    const child = spawn(process.execPath, ["-e", examples(port)])
    let said = ""
    child.stdout.on("data", (data) => said += data)
    child.stderr.on("data", (data) => said += data)
    const status = await new Promise((resolve) => child.on("close", resolve))
    assert.strictEqual(status, 0, said)
    for (const wanted of SHOWN)
        assert.match(said, wanted)
}

async function main() {
    const server = await Server.start()
    test("docs/locks.md: its JavaScript runs", () => execute(server.port))
    await run()
}

main()
