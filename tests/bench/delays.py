"""Delays: a GET while the table grows to ten million keys, and the time to the first PONG."""

import signal
import statistics

import harness
from harness import MEMORY, Server, row, start_tool, title, verdict

PROBED_KEYS = 1000
LOADERS = 2


def probe_while_loading(kind, count):
    """Returns the GETs done, and their p50, p99, p99.9 and maximum in microseconds."""
    with Server(kind) as server:
        server.load(PROBED_KEYS)
        probe = start_tool("probe", server.port, PROBED_KEYS)
        part = count // LOADERS
        loaders = [start_tool("load", server.port, part, 64, "plain", i * part)
                   for i in range(LOADERS)]
        if any([loader.wait() for loader in loaders]):
            raise SystemExit("load failed")
        probe.send_signal(signal.SIGTERM)
        output = probe.communicate()[0]
        if probe.returncode != 0:
            raise SystemExit("probe failed")
        return [float(field) for field in output.split()]


def run_latency():
    count, rounds = (2000000, 1) if harness.QUICK else (10000000, 3)
    title(f"GET on another connection while {count:,} keys are inserted: microseconds, "
          f"median of {rounds}")
    widths = (10, 10, 9, 9, 9, 11)
    row("", "GETs", "p50", "p99", "p99.9", "max", widths=widths)
    kinds = MEMORY.kinds("latency")
    rounds_of = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            rounds_of[kind].append(probe_while_loading(kind, count))
    found = {kind: [statistics.median(column) for column in zip(*r)]
             for kind, r in rounds_of.items()}
    found = MEMORY.settle(("latency",), found)
    for kind in ("latchkey", "redis"):
        gets, *delays = found[kind]
        missed = kind == "latchkey" and delays[-1] > found["redis"][-1]
        row(kind, f"{gets:,.0f}", *(f"{d:,.0f}" for d in delays[:-1]),
            f"{delays[-1]:,.0f}" + verdict(not missed), widths=widths)


def run_growth():
    count = 1000000 if harness.QUICK else 4000000
    title("one insertion into a table while it grows: microseconds of processor time")
    widths = (34, 9, 9, 9, 14)
    row("", "mean", "p99.99", "max", "target (max)", widths=widths)
    found = harness.run_tool("growth", count).split()
    mean, high, worst = (float(field) for field in found[1:])
    # A keyspace has 1024 tables: this one is as large as those of so many keys.
    row(f"{count:,} items ({count * 1024:,} keys)", f"{mean:.2f}", f"{high:.1f}", f"{worst:.0f}",
        "1,000" + verdict(worst < 1000), widths=widths)


def start_ms(kind):
    times = []
    for _ in range(5):
        with Server(kind, threads=2, core=None) as server:
            times.append(server.pong_ms)
    return statistics.median(times)


def run_start():
    title("milliseconds from start to the first PONG, median of 5")
    found = {kind: start_ms(kind) for kind in MEMORY.kinds("start")}
    found = MEMORY.settle(("start",), found)
    row("", f"latchkey {found['latchkey']:.1f}", f"redis {found['redis']:.1f}",
        "target 50" + verdict(found["latchkey"] < 50), widths=(0, 14, 12, 10))
