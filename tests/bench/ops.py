"""Operations per second of server CPU time, and by the clock: redis-benchmark on one core drives
each server in turn on the other."""

import os
import statistics
import subprocess

import harness
from harness import MEMORY, Server, row, title, verdict

KEYS = 1000000
WORKS = [
    # name, redis-benchmark's test, pipeline, requests, least ratio to Redis
    ("GET", "get", 1, 500000, 1.10),
    ("SET", "set", 1, 500000, 1.10),
    ("GET -P 16", "get", 16, 3000000, 2.0),
    ("SET -P 16", "set", 16, 2000000, 2.0),
    ("GET -P 100", "get", 100, 5000000, 4.5),
    ("MSET of 10", "mset", 1, 200000, 1.5),
]
WIDTHS = (12, 10, 10, 7, 7, 12, 12, 7)


def benchmark(server, test, pipeline, requests, core=harness.CLIENT_CORE):
    """Returns the CPU nanoseconds per request and the requests per second by the clock."""
    command = ["redis-benchmark", "-p", str(server.port), "-t", test, "-P", str(pipeline),
               "-n", str(requests), "-r", str(KEYS), "-d", "64", "-c", "50", "--csv"]
    before = server.cpu_ns()
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.DEVNULL,
                            preexec_fn=harness.measured_on(core)).stdout
    spent = server.cpu_ns() - before
    return spent / requests, float(output.splitlines()[-1].split(",")[1].strip('"'))


def measure(kinds, name, test, pipeline, requests, rounds):
    results = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            with Server(kind) as server:
                server.load(KEYS)
                results[kind].append(benchmark(server, test, pipeline, requests))
    return {kind: [statistics.median(r[i] for r in rounds_of) for i in (0, 1)]
            for kind, rounds_of in results.items()}


def chosen():
    """BENCH_OPS="GET -P 16,MSET of 10" narrows the list while one path is tuned."""
    only = os.environ.get("BENCH_OPS")
    return [w for w in WORKS if not only or w[0] in only.split(",")]


def on_two_threads():
    title("two workers, not pinned: requests per second by the clock")
    with Server("latchkey", threads=2, core=None) as server:
        server.load(KEYS, core=None)
        for name, test, pipeline, requests, _ in chosen():
            _, wall = benchmark(server, test, pipeline, requests, core=None)
            row(name, f"{wall:,.0f}", widths=(12, 12))


def run():
    title("requests per second of server CPU time, one worker, 1 M keys of 64 bytes, 50 clients")
    row("", "ns CPU", "redis", "ratio", "target", "wall/s", "redis", "ratio", widths=WIDTHS)
    for name, test, pipeline, requests, target in chosen():
        if harness.QUICK:
            requests //= 4
        kinds = MEMORY.kinds("ops", name)
        found = measure(kinds, name, test, pipeline, requests, 1 if harness.QUICK else 3)
        found = MEMORY.settle(("ops", name), found)
        (cpu, wall), (redis_cpu, redis_wall) = found["latchkey"], found["redis"]
        ratio = redis_cpu / cpu
        row(name, f"{cpu:.0f}", f"{redis_cpu:.0f}", f"{ratio:.2f}", f"{target:.2f}",
            f"{wall:,.0f}", f"{redis_wall:,.0f}", f"{wall / redis_wall:.2f}" +
            verdict(ratio >= target), widths=WIDTHS)
    on_two_threads()
