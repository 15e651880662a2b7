"""What every section of the benchmark needs: servers that start and end with it, their CPU time
and memory out of /proc, the small C programs beside this file, and remembered figures."""

import ctypes
import json
import os
import platform
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TOOLS = os.path.join(TOP, "build", "release", "tests", "bench")
SERVER_CORE, CLIENT_CORE = 0, os.cpu_count() - 1
PR_SET_PDEATHSIG = 1
PRIORITY = -15

QUICK = FULL = False


def executable(variable, default):
    """A command from the environment; a path in it is meant from where the benchmark started."""
    command = os.environ.get(variable, default)
    return os.path.abspath(command) if os.path.exists(command) else command


LATCHKEY = executable("LATCHKEY", os.path.join(TOP, "build", "latchkey"))
REDIS = executable("REDIS_SERVER", "redis-server")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ends_with_us():
    """For what is not measured, and is not to keep the processor from what is."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def measured_on(core):
    def prepare():
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if core is not None:
            os.sched_setaffinity(0, {core})
        try:
            os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        except PermissionError:
            pass  # then whatever else runs on the machine disturbs more
    return prepare


class Server:
    """A server of its own folder and port: `with Server("latchkey") as s`."""

    def __init__(self, kind, threads=1, core=SERVER_CORE, options=()):
        self.kind = kind
        self.port = free_port()
        self.dir = tempfile.mkdtemp(prefix="latchkey-bench-")
        command = LATCHKEY if kind == "latchkey" else REDIS
        self.args = [command, "--port", str(self.port), "--save", "", "--appendonly", "no",
                     "--dir", self.dir, *options]
        if kind == "latchkey" and "redis-server" not in os.path.basename(command):
            self.args += ["--threads", str(threads)]
        self.core = core
        self.process = None
        self.patience_s = 10

    def __enter__(self):
        self.log = open(os.path.join(self.dir, "log"), "wb")
        self.spawned = time.monotonic()
        self.process = subprocess.Popen(self.args, stdout=self.log, stderr=subprocess.STDOUT,
                                        preexec_fn=measured_on(self.core))
        try:
            self.pong_ms = self._wait_for_pong()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _wait_for_pong(self):
        while time.monotonic() - self.spawned < self.patience_s:
            if self.process.poll() is not None:
                break
            try:
                if self.call("PING", loading="LOADING") == "PONG":
                    return (time.monotonic() - self.spawned) * 1000
            except OSError:
                pass
            time.sleep(0.0005)
        with open(os.path.join(self.dir, "log"), errors="replace") as log:
            raise SystemExit(f"{self.args[0]} does not answer:\n{log.read()}")

    def call(self, *words, loading=None):
        """One command on a connection of its own; a simple or a bulk string comes back. `loading`
        comes back while the server loads."""
        request = b"*%d\r\n" % len(words)
        for word in words:
            word = str(word).encode()
            request += b"$%d\r\n%s\r\n" % (len(word), word)
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as s:
            s.sendall(request)
            with s.makefile("rb") as replies:
                line = replies.readline().decode().rstrip()
                if loading and line.startswith("-LOADING"):
                    return loading
                if line.startswith("-") or not line:
                    raise SystemExit(f"{self.kind}: {' '.join(map(str, words))}: {line[1:]}")
                if line.startswith("$"):
                    return replies.read(int(line[1:])).decode()
                return line[1:]

    def info(self, field):
        for line in self.call("INFO", "memory").splitlines():
            if line.startswith(field + ":"):
                return int(line.split(":")[1])
        raise SystemExit(f"{self.kind}: INFO memory has no {field}")

    def cpu_ns(self):
        """User and system time of all threads, as the scheduler counts it."""
        total = 0
        tasks = f"/proc/{self.process.pid}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/schedstat") as f:
                total += int(f.read().split()[0])
        return total

    def cpu_of_all_s(self):
        """The same with threads that have ended, as coarse as the kernel's ticks."""
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            for line in f:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise SystemExit("no VmRSS")

    def load(self, count, value_len=64, ttl=False, core=CLIENT_CORE):
        run_tool("load", self.port, count, value_len, "ttl" if ttl else "plain", core=core)
        for key in (0, count - 1):
            if len(self.call("GET", f"key:{key:012d}")) != value_len:
                raise SystemExit(f"{self.kind} has lost keys")


def build_tools():
    os.makedirs(TOOLS, exist_ok=True)
    header = os.path.join(HERE, "wire.h")
    root = os.path.dirname(os.path.dirname(HERE))
    product = os.path.join(root, "build", "release", "liblatchkey.a")
    for name in ("load", "probe", "steady", "zipf", "growth", "groups", "lockload"):
        source, target = os.path.join(HERE, name + ".c"), os.path.join(TOOLS, name)
        # Only growth is about the server's own code, and linked with it.
        linked = [product, "-I" + root, "-l:libjemalloc.a", "-pthread"] if name == "growth" else []
        newest = max(os.path.getmtime(f) for f in [source, header, *linked[:1]])
        if not os.path.exists(target) or os.path.getmtime(target) < newest:
            subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall",
                            "-Wextra", "-pthread", "-o", target, source, *linked, "-lm"], check=True)


def start_tool(name, *args, core=CLIENT_CORE):
    path = os.path.join(TOOLS, name)
    return subprocess.Popen([path, *map(str, args)], stdout=subprocess.PIPE, text=True,
                            preexec_fn=measured_on(core))


def run_tool(name, *args, core=CLIENT_CORE):
    process = start_tool(name, *args, core=core)
    output = process.communicate()[0]
    if process.returncode != 0:
        raise SystemExit(f"{name} failed")
    return output


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (65536, max(hard, 65536)))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Memory:
    """Figures of Redis from an earlier run on this machine: they change only with the machine,
    and half of a benchmark's time goes into them."""

    def __init__(self):
        machine = f"{platform.node()}-{os.cpu_count()}-{os.getuid()}"
        self.path = os.path.join(tempfile.gettempdir(), f"latchkey-bench-{machine}.json")
        self.alone = os.environ.get("BENCH_ONLY") == "latchkey"
        try:
            with open(self.path) as f:
                self.figures = json.load(f)
        except (OSError, ValueError):
            self.figures = {}

    def kinds(self, *key):
        """The servers to measure for this figure."""
        remembered = self.alone and self._name(key) in self.figures
        return ["latchkey"] if remembered else ["latchkey", "redis"]

    def settle(self, key, figures):
        """Adds the remembered figure of Redis, or remembers the fresh one."""
        name = self._name(key)
        if "redis" in figures:
            self.figures[name] = figures["redis"]
            with open(self.path + ".new", "w") as f:
                json.dump(self.figures, f, indent=1)
            os.replace(self.path + ".new", self.path)
        else:
            figures["redis"] = self.figures[name]
        return figures

    @staticmethod
    def _name(key):
        return " ".join(map(str, key)) + (" quick" if QUICK else "")


MEMORY = Memory()


def title(text):
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def row(*columns, widths):
    cells = [str(c).ljust(w) if i == 0 else str(c).rjust(w)
             for i, (c, w) in enumerate(zip(columns, widths))]
    print("  ".join(cells).rstrip(), flush=True)


def verdict(good):
    return "" if good else "  <- missed"
