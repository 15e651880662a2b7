"""Locks, beside what libraries make of SET NX PX and a script on Redis: processor time of acquiring
and releasing, the delay of handing over, what waiting costs, and bytes per held lock."""

import statistics
import subprocess
import time

import harness
from harness import MEMORY, Server, row, run_tool, start_tool, title, verdict

CLIENTS = 50
WAITERS = 1000
POLL_MS = 50
HELD = 100000
MOST_BYTES = 300
MOST_HANDOVER_US = 200
WIDTHS = (34, 12, 12, 8, 14)


def pair_ns(kind, pipeline, pairs):
    with Server(kind) as server:
        run_tool("lockload", server.port, "pairs", kind, CLIENTS, pipeline, pairs // 10)
        before = server.cpu_ns()
        run_tool("lockload", server.port, "pairs", kind, CLIENTS, pipeline, pairs)
        return (server.cpu_ns() - before) / pairs


def run_pairs():
    for pipeline, pairs in ((1, 200000), (16, 1000000)):
        if harness.QUICK:
            pairs //= 5
        key = ("lock pairs", pipeline)
        found = {kind: statistics.median(pair_ns(kind, pipeline, pairs)
                                         for _ in range(1 if harness.QUICK else 3))
                 for kind in MEMORY.kinds(*key)}
        found = MEMORY.settle(key, found)
        ratio = found["redis"] / found["latchkey"]
        row(f"acquire, release, {pipeline} at a time", f"{found['latchkey']:,.0f} ns",
            f"{found['redis']:,.0f} ns", f"{ratio:.2f}", "1.00" + verdict(ratio >= 1),
            widths=WIDTHS)


def handed_over(waiters):
    with Server("latchkey", options=("--maxclients", "10000")) as server:
        output = run_tool("lockload", server.port, "handover", waiters, 5000)
        return [float(field) for field in output.split()]


def polled():
    with Server("redis") as server:
        output = run_tool("lockload", server.port, "poll", POLL_MS, 20 if harness.QUICK else 60)
        return [float(field) for field in output.split()]


def run_handover():
    found = {"redis": polled()} if "redis" in MEMORY.kinds("lock poll") else {}
    found = MEMORY.settle(("lock poll",), {"latchkey": None, **found})
    for waiters in (1, WAITERS):
        median, high, _ = handed_over(waiters)
        row(f"handed over, {waiters:,} waiting", f"{median:,.0f} us", f"{found['redis'][0]:,.0f} us",
            f"{found['redis'][0] / median:,.0f}",
            f"{MOST_HANDOVER_US} us" + verdict(median < MOST_HANDOVER_US), widths=WIDTHS)
        row("  99 %", f"{high:,.0f} us", f"{found['redis'][1]:,.0f} us", widths=WIDTHS)


def waiting_cpu(kind):
    """Processor time of the server in each second in which so many wait."""
    ms = 3000
    with Server(kind, options=("--maxclients", "10000")) as server:
        waiters = start_tool("lockload", server.port, "wait", kind, WAITERS, ms)
        time.sleep(1)
        before, started = server.cpu_ns(), time.monotonic()
        time.sleep(1)
        spent = (server.cpu_ns() - before) / (time.monotonic() - started)
        if waiters.wait() != 0:
            raise SystemExit("lockload failed")
        return spent / 1e6


def run_waiting():
    found = {kind: waiting_cpu(kind) for kind in MEMORY.kinds("lock wait")}
    found = MEMORY.settle(("lock wait",), found)
    row(f"a second of {WAITERS:,} waiting", f"{found['latchkey']:,.1f} ms",
        f"{found['redis']:,.1f} ms", widths=WIDTHS)


def bytes_per_lock(kind):
    with Server(kind) as server:
        server.call("PING")
        before = server.resident()
        holder = subprocess.Popen([f"{harness.TOOLS}/lockload", str(server.port), "hold", kind,
                                   str(HELD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holder.stdout.readline()
        time.sleep(1)
        grown = server.resident() - before
        holder.stdin.close()
        holder.wait()
        return grown / HELD


def run_held():
    found = {kind: bytes_per_lock(kind) for kind in MEMORY.kinds("lock bytes")}
    found = MEMORY.settle(("lock bytes",), found)
    row(f"bytes of each of {HELD:,} held", f"{found['latchkey']:,.0f}", f"{found['redis']:,.0f}", "",
        f"{MOST_BYTES}" + verdict(found["latchkey"] < MOST_BYTES), widths=WIDTHS)


def run():
    title(f"locks; Redis with SET NX PX, EVALSHA, and looking again every {POLL_MS} ms")
    row("", "latchkey", "redis", "ratio", "target", widths=WIDTHS)
    run_pairs()
    run_handover()
    run_waiting()
    run_held()
