"""Durability: writes that wait for the disk and readers beside them, what the log costs, loading,
and what snapshots cost others.

Each takes some seconds as it is; with --full the numbers are those of the targets: 5 M keys, values
and elements by the million. The servers have all processors, since a disk is waited for on one
while another serves."""

import os
import shutil
import signal
import statistics
import subprocess
import threading
import time

import families
import harness
import ops
from harness import Server, row, title, verdict

KINDS = ("latchkey", "redis")


def full(at_full, else_this):
    return at_full if harness.FULL else else_this


def start(kind, *options):
    return Server(kind, threads=2, core=None, options=options)


def facts(server, section):
    lines = server.call("INFO", section).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def commands_done(server):
    return int(facts(server, "stats")["total_commands_processed"])


def steady(server, connections, rate, batch, keys, value_len, prefix="key:"):
    return harness.start_tool("steady", server.port, connections, rate, batch, keys, value_len,
                              prefix, core=None)


def ended(tool):
    """Requests, and p50, p99, p99.9, p99.99 and the maximum in microseconds."""
    tool.send_signal(signal.SIGTERM)
    output = tool.communicate()[0]
    if tool.returncode != 0:
        raise SystemExit("a load generator failed")
    return [float(field) for field in output.split()]


class Writers:
    """redis-benchmark for as long as the block lasts."""

    def __init__(self, server, *command, clients=50, pipeline=1, keys=1000000):
        self.args = ["redis-benchmark", "-p", str(server.port), "-c", str(clients), "-P",
                     str(pipeline), "-n", "2000000000", "-r", str(keys), "-q", *command]

    def __enter__(self):
        self.process = subprocess.Popen(self.args, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL,
                                        preexec_fn=harness.ends_with_us)
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


# ---- writes that wait for the disk --------------------------------------------------------------


def always_round(kind, pipeline, seconds):
    """SETs a second; their CPU; the delays of GET by one other client."""
    options = ("--appendonly", "yes", "--appendfsync", "always")
    with start(kind, *options) as server:
        server.load(1000)
        with Writers(server, "SET", "written:__rand_int__", "x" * 64, pipeline=pipeline,
                     keys=100000):
            reader = steady(server, 10, 1000, 1, 1000, 0)
            done, cpu, since = commands_done(server), server.cpu_ns(), time.monotonic()
            time.sleep(seconds)
            done, cpu = commands_done(server) - done, server.cpu_ns() - cpu
            rate = done / (time.monotonic() - since)
            delays = ended(reader)
        return rate, cpu / done, delays[1], delays[2]


def run_always():
    seconds, rounds = full(10, 4), full(3, 1)
    title(f"appendfsync always, 50 clients SET, others GET other keys 1,000 times a second; "
          f"median of {rounds} of {seconds} s")
    widths = (22, 12, 12, 14, 14)
    row("", "SET/s", "ns CPU", "GET p50 µs", "GET p99 µs", widths=widths)
    for pipeline in (1, 16):
        rounds_of = {kind: [] for kind in KINDS}
        for _ in range(rounds):
            for kind in KINDS:
                rounds_of[kind].append(always_round(kind, pipeline, seconds))
        found = {kind: [statistics.median(c) for c in zip(*r)] for kind, r in rounds_of.items()}
        for kind in KINDS:
            rate, cpu, p50, p99 = found[kind]
            row(f"{kind} -P {pipeline}", f"{rate:,.0f}", f"{cpu:,.0f}", f"{p50:,.0f}",
                f"{p99:,.0f}", widths=widths)
        ours, theirs = found["latchkey"], found["redis"]
        row("  ratio", f"{ours[0] / theirs[0]:.2f}", f"{theirs[1] / ours[1]:.2f}",
            f"{theirs[2] / ours[2]:.1f}", f"{theirs[3] / ours[3]:.1f} of 5" +
            verdict(theirs[3] >= 5 * ours[3]), widths=widths)


# ---- what the log costs -------------------------------------------------------------------------


def set_ns(kind, log, pipeline, requests):
    options = ("--appendonly", log, "--appendfsync", "everysec", "--auto-aof-rewrite-percentage",
               "0")
    with Server(kind, options=options) as server:
        server.load(ops.KEYS // 10)
        return ops.benchmark(server, "set", pipeline, requests)[0]


def run_everysec():
    rounds = full(5, 3)
    title(f"appendfsync everysec: CPU of a SET of 64 bytes with the log and without, one worker, "
          f"median of {rounds}")
    widths = (16, 12, 12, 20)
    row("", "ns without", "ns with", "more", widths=widths)
    for pipeline, requests in ((1, full(500000, 150000)), (16, full(3000000, 800000))):
        for kind in KINDS:
            pairs = [[set_ns(kind, log, pipeline, requests) for log in ("no", "yes")]
                     for _ in range(rounds)]
            without, with_log = (statistics.median(column) for column in zip(*pairs))
            more = statistics.median(b / a for a, b in pairs) - 1
            target = " of 25 %" + verdict(more <= 0.25) if kind == "latchkey" else ""
            row(f"{kind} -P {pipeline}", f"{without:,.0f}", f"{with_log:,.0f}",
                f"{more * 100:.0f} %{target}", widths=widths)


# ---- loading ------------------------------------------------------------------------------------


def make_snapshot(folder, keys):
    with start("redis") as server:
        server.load(keys)
        server.call("SAVE")
        shutil.copy(os.path.join(server.dir, "dump.rdb"), folder)


def make_log(folder, commands):
    """A log of requests, as it is when no base has been written yet."""
    with start("redis", "--appendonly", "yes", "--appendfsync", "no",
               "--auto-aof-rewrite-percentage", "0") as server:
        for test in ("set", "incr", "rpush", "hset", "zadd"):
            subprocess.run(["redis-benchmark", "-p", str(server.port), "-t", test, "-n",
                            str(commands // 5), "-P", "32", "-r", "100000", "-d", "32", "-q"],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server.call("DEL", "mylist")
        server.process.send_signal(signal.SIGTERM)
        server.process.wait()
        shutil.copytree(os.path.join(server.dir, "appendonlydir"),
                        os.path.join(folder, "appendonlydir"))


def load_once(kind, source, name, *options):
    """Seconds by the clock from the start to the first reply, of CPU, and the keys."""
    server = start(kind, *options)
    path = os.path.join(source, name)
    (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, os.path.join(server.dir, name))
    server.patience_s = 600
    with server:
        return server.pong_ms / 1000, server.cpu_of_all_s(), server.call("DBSIZE")


def load_row(name, least, source, *args):
    rounds = full(3, 1)
    found = {}
    for kind in KINDS:
        times = [load_once(kind, source, *args) for _ in range(rounds)]
        found[kind] = [statistics.median(t[i] for t in times) for i in (0, 1)] + [times[0][2]]
    if found["latchkey"][2] != found["redis"][2]:
        raise SystemExit(f"{found['latchkey'][2]} keys loaded, {found['redis'][2]} by Redis")
    ratio = found["redis"][0] / found["latchkey"][0]
    row(name, *(f"{found[k][i]:.2f}" for k in KINDS for i in (0, 1)),
        f"{ratio:.2f}" + (f" of {least:.1f}" + verdict(ratio >= least) if least else ""),
        widths=(32, 9, 9, 9, 9, 14))


def run_loading():
    keys, commands = full(5000000, 1000000), full(5000000, 1000000)
    title("loading, two workers: seconds by the clock until the first reply, and of CPU")
    row("", "latchkey", "CPU", "redis", "CPU", "ratio", widths=(32, 9, 9, 9, 9, 14))
    with start("redis") as scratch:
        source = scratch.dir
        make_snapshot(source, keys)
        load_row(f"a snapshot of {keys:,} keys", 2, source, "dump.rdb")
        make_log(source, commands)
        load_row(f"a log of {commands:,} commands", None, source, "appendonlydir", "--appendonly",
                 "yes")


# ---- snapshots: delays --------------------------------------------------------------------------


def wait_saved(server, seconds=0):
    """Until it is over, and until so many seconds have passed."""
    end = time.monotonic() + seconds
    while facts(server, "persistence")["rdb_bgsave_in_progress"] != "0":
        time.sleep(0.05)
    time.sleep(max(0, end - time.monotonic()))


def delays_of_writer(kind, keys, rate, seconds):
    """Without a snapshot, and with one after the other."""
    with start(kind) as server:
        server.load(keys)
        found = []
        for saving in (False, True):
            tool = steady(server, 10, rate, 1, keys, 64)
            end = time.monotonic() + seconds
            time.sleep(0.2)
            while time.monotonic() < end:
                if saving:
                    server.call("BGSAVE")
                    wait_saved(server)
                else:
                    time.sleep(0.1)
            found.append(ended(tool))
        return found


def run_stalls():
    keys, rate, seconds = full((5000000, 10000, 30), (1000000, 10000, 6))
    title(f"SET at a constant rate of {rate:,} a second, {keys:,} keys, without and with snapshots: "
          "microseconds")
    widths = (24, 10, 10, 10, 10, 24)
    row("", "p50", "p99", "p99.9", "p99.99", "max", widths=widths)
    for kind in KINDS:
        without, with_one = delays_of_writer(kind, keys, rate, seconds)
        more = with_one[4] - without[4]
        row(f"{kind}, without", *(f"{d:,.0f}" for d in without[1:]), widths=widths)
        row(f"{kind}, with", *(f"{d:,.0f}" for d in with_one[1:5]), f"{with_one[5]:,.0f}" +
            (verdict(more < 5000) if kind == "latchkey" else ""), widths=widths)


# ---- snapshots: how long a shard is kept --------------------------------------------------------


def load_elements(command, *element):
    """A key of many elements; @ is the number of one."""
    def fill(server):
        n, step = full(1000000, 200000), 100
        families.load(server, (
            [command, "it", *(w.replace("@", f"{i:012d}") for i in range(first, first + step)
                              for w in element)] for first in range(0, n, step)))
    return fill


def load_text(server):
    server.call("SETRANGE", "it", full(512, 64) * (1 << 20) - 1, "x")


def load_values(server):
    families.load(server, (["SET", f"key:{i:012d}", str(i) * (200000 if i % 10 == 0 else 2500)]
                           for i in range(full(5000, 1000))))


def elements():
    return full(1000000, 200000)


def shapes():
    """What there is, how it is loaded, and what is written to it meanwhile."""
    number = "__rand_int__"
    keys = full(5000000, 500000)
    return (
        (f"{keys:,} keys of 64 bytes", lambda s: s.load(keys),
         ("SET", f"key:{number}", "y" * 64), keys),
        (f"hash of {elements():,}", load_elements("HSET", "f:@", "value-01"),
         ("HSET", "it", f"f:{number}", "another"), elements()),
        (f"set of {elements():,}", load_elements("SADD", "member:@"),
         ("SREM", "it", f"member:{number}"), elements()),
        (f"sorted set of {elements():,}", load_elements("ZADD", "1", "member:@"),
         ("ZADD", "it", number, f"member:{number}"), elements()),
        (f"list of {elements():,}", load_elements("RPUSH", "element:@"),
         ("LMOVE", "it", "it", "LEFT", "RIGHT"), elements()),
        (f"string of {full(512, 64)} MB", load_text,
         ("SETRANGE", "it", str(full(500, 60) << 20), "other"), 1),
        ("keys of 10 KB to 1 MB", load_values, ("SETRANGE", f"key:{number}", "100", "other"),
         full(5000, 1000)),
    )


def saved_once(server, name, command, keys):
    with Writers(server, *command, clients=20, pipeline=16, keys=keys):
        server.call("BGSAVE")
        wait_saved(server)
    found = facts(server, "persistence")
    if found["rdb_last_bgsave_status"] != "ok":
        raise SystemExit(f"no snapshot of {name}")
    return [int(found[f"snapshot_{what}"]) for what in (
        "moment_us", "hold_max_us", "hold_max_bytes", "first_max_us", "first_max_bytes")]


def run_holds():
    title("snapshots under full write load: the longest that a shard is kept from others, in µs of "
          "processor time and in bytes; the least of 3, since others on the machine only add")
    widths = (28, 10, 10, 12, 12, 22)
    row("", "moment", "thread µs", "bytes", "writer µs", "bytes", widths=widths)
    for name, fill, command, keys in shapes():
        with start("latchkey", "--enable-debug-command", "yes") as server:
            fill(server)
            server.call("DEBUG", "SNAPSHOT-CLOCK", "1")
            rounds = [saved_once(server, name, command, keys) for _ in range(3)]
            worst = [min(column) for column in zip(*rounds)]
            row(name, *(f"{n:,}" for n in worst[:-1]), f"{worst[-1]:,}" +
                verdict(max(worst[0], worst[1], worst[3]) < 5000), widths=widths)


# ---- snapshots: memory --------------------------------------------------------------------------


class Watch(threading.Thread):
    """The most of two kinds of memory, until it is asked."""

    def __init__(self, server):
        super().__init__()
        self.server, self.over = server, threading.Event()
        self.resident = self.used = 0
        self.start()

    def run(self):
        while not self.over.is_set():
            self.resident = max(self.resident, self.server.resident())
            self.used = max(self.used, self.server.info("used_memory"))
            time.sleep(0.02)

    def most(self):
        self.over.set()
        self.join()
        return self.resident, self.used


def memory_with(kind, keys):
    """Memory with writers alone, and what it is at most while a snapshot is written too."""
    with start(kind) as server:
        server.load(keys)
        command = ("SET", "key:__rand_int__", "y" * 64)
        with Writers(server, *command, clients=20, pipeline=16, keys=keys):
            watch = Watch(server)
            time.sleep(2)
            before = watch.most()
            server.call("BGSAVE")
            watch = Watch(server)
            wait_saved(server)
            return before, watch.most(), fork_memory(server, kind)


def fork_memory(server, kind):
    """What Redis' child had copied, which is its own and not the server's."""
    return int(facts(server, "persistence")["rdb_last_cow_size"]) if kind == "redis" else 0


def run_growth_of_memory():
    keys = full(5000000, 1000000)
    title(f"memory while a snapshot of {keys:,} keys is written under full write load: MB")
    widths = (12, 12, 12, 12, 12, 20)
    row("", "resident", "at most", "in use", "at most", "more", widths=widths)
    for kind in KINDS:
        before, most, copied = memory_with(kind, keys)
        more = max(most[0] + copied - before[0], 0) / before[0]
        row(kind, *(f"{n / 1e6:,.0f}" for pair in zip(before, most) for n in pair),
            f"{more * 100:.1f} %" + (" of 10 %" + verdict(more < 0.1) if kind == "latchkey" else ""),
            widths=widths)


def run():
    for section in (run_always, run_everysec, run_loading, run_stalls, run_holds,
                    run_growth_of_memory):
        section()
