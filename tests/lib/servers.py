"""Servers on folders that stay, for tests that hand files from one server to another: what they
hold, read through the wire, and what stands in the files of their logs."""

import concurrent.futures
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
import tap  # noqa: E402

LATCHKEY = os.path.realpath(os.environ.get("LATCHKEY", "build/latchkey"))
ORACLE = os.environ.get("REDIS_SERVER", "redis-server")
_folders = []


class Refused(Exception):
    """An error reply."""


def _encoded(words):
    parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


class Wire:
    """A connection, RESP2. Error replies come as Refused, for the caller to raise or to look at."""

    def __init__(self, port, db=0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb", 1 << 16)
        if db:
            self("SELECT", db)

    def close(self):
        self.stream.close()
        self.socket.close()

    def send(self, *words):
        self.socket.sendall(_encoded(words))

    def read(self):
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the connection was closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            return Refused(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest
        if kind == b"$":
            return None if rest == b"-1" else self.stream.read(int(rest) + 2)[:-2]
        return None if rest == b"-1" else self._read_many(int(rest))

    def _read_many(self, count):
        """As read() so many times; most of them are strings."""
        out, line_of, bytes_of = [], self.stream.readline, self.stream.read
        for _ in range(count):
            if self.stream.peek(1)[:1] == b"$":
                size = int(line_of()[1:])
                out.append(bytes_of(size + 2)[:-2] if size >= 0 else None)
            else:
                out.append(self.read())
        return out

    def __call__(self, *words):
        """The reply; error replies are raised."""
        reply = self.ask(*words)
        if isinstance(reply, Refused):
            raise reply
        return reply

    def ask(self, *words):
        """The reply, of whatever kind."""
        self.send(*words)
        return self.read()

    def many(self, requests):
        """The replies to all of them, which are sent at once."""
        out = []
        for at in range(0, len(requests), 200):
            some = requests[at:at + 200]
            self.socket.sendall(b"".join(map(_encoded, some)))
            out += [self.read() for _ in some]
        return out

    def say(self, line):
        """The reply to a line, split as a shell does."""
        return self.ask(*shlex.split(line))

    def info(self, section="everything"):
        lines = self("INFO", section).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)


class Server:
    """A server on the files of a folder. The options come last, so that they win."""

    def __init__(self, binary, folder, *options):
        self.folder, self.binary, self.options = folder, binary, options
        self.log = os.path.join(folder, "log")
        self._start()

    def _start(self):
        self.port = tap.free_port()
        with open(self.log, "ab") as log:
            self.from_here = log.tell()
            self.process = subprocess.Popen(
                [self.binary, "--port", str(self.port), "--dir", self.folder, "--save", "",
                 "--appendonly", "no", "--enable-debug-command", "yes", *self.options],
                stdout=log, stderr=log)

    def said(self):
        """What it has written to its log."""
        with open(self.log, errors="replace") as log:
            log.seek(self.from_here)
            return log.read()

    def ready(self):
        tap.until(self._answers, "the server", 120)
        return self

    def _answers(self):
        if self.process.poll() is not None:
            if "already in use" in self.said():
                self._start()
                return False
            raise AssertionError(f"{self.binary} ended:\n{self.said()[-3000:]}")
        try:
            self.wire = Wire(self.port)
        except OSError:
            return False
        return self.wire.ask("PING") == b"PONG"

    def connect(self, db=0):
        return Wire(self.port, db)

    def connect_as(self, password):
        wire = Wire(self.port)
        wire("AUTH", password)
        return wire

    def end(self):
        self.process.terminate()
        tap.equal(self.process.wait(120), 0)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def refuses(self, *words):
        """It ends by itself, and says so in these words."""
        tap.equal(self.process.wait(120), 1)
        text = self.said()
        if "already in use" in text:
            self._start()
            return self.refuses(*words)
        for word in words:
            if word not in text:
                raise AssertionError(f"{word!r} is not in {text[-2000:]}")


def new_folder():
    _folders.append(tempfile.mkdtemp(prefix="latchkey-files-"))
    return _folders[-1]


def run(at_once=4):
    """All tests of the program, some at a time, since they mostly wait; and no folder is left."""
    def outcome(body):
        try:
            body()
            return None
        except Exception:
            return traceback.format_exc().rstrip()
    cases, failed = tap.cases(), 0
    print(f"1..{len(cases)}")
    try:
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            outcomes = pool.map(outcome, [body for _, body in cases])
            for number, ((name, _), wrong) in enumerate(zip(cases, outcomes), 1):
                print(f"{'not ' if wrong else ''}ok {number} - {name}", flush=True)
                if wrong:
                    failed += 1
                    print("# " + wrong.replace("\n", "\n# "), flush=True)
    finally:
        for folder in _folders:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


# ---- what a server holds -------------------------------------------------------------------------

READ = {
    b"string": lambda key: ("GET", key),
    b"list": lambda key: ("LRANGE", key, 0, -1),
    b"set": lambda key: ("SMEMBERS", key),
    b"hash": lambda key: ("HGETALL", key),
    b"zset": lambda key: ("ZRANGE", key, 0, -1, "WITHSCORES"),
    b"stream": lambda key: ("XRANGE", key, "-", "+"),
}


def _value(kind, reply):
    if kind == b"set":
        return sorted(reply)
    if kind == b"hash":
        return sorted(zip(reply[::2], reply[1::2]))
    return reply


def contents(server, databases=range(16), times=True, encodings=True):
    """All keys: type, value, time, encoding."""
    all_of_it = {}
    for db in databases:
        wire = server.connect(db)
        keys = wire("KEYS", "*")
        kinds = wire.many([("TYPE", key) for key in keys])
        values = wire.many([READ[kind](key) for key, kind in zip(keys, kinds)])
        ends = wire.many([("PEXPIRETIME", key) for key in keys])
        names = wire.many([("OBJECT", "ENCODING", key) for key in keys])
        for key, kind, value, end, name in zip(keys, kinds, values, ends, names):
            all_of_it[db, key] = (kind, _value(kind, value), end if times else None,
                                  name if encodings else None)
        wire.close()
    return all_of_it


def same(was, now):
    for key in sorted(set(was) | set(now)):
        if was.get(key) != now.get(key):
            raise AssertionError(f"{key}: {str(was.get(key))[:300]} became {str(now.get(key))[:300]}")


# ---- the log of changes --------------------------------------------------------------------------


def log_folder(folder):
    return os.path.join(folder, "appendonlydir")


def manifest(folder):
    """The files of the log: name, number, kind."""
    with open(os.path.join(log_folder(folder), "appendonly.aof.manifest")) as f:
        lines = [line.split() for line in f]
    return [(words[1], int(words[3]), words[5]) for words in lines]


def requests_of(data, notes=False):
    """The requests of a file of the log; notes of what Redis does not know too, if wanted."""
    out, at = [], 0
    while at < len(data):
        end = data.index(b"\n", at)
        if data[at:at + 1] == b"#":
            if notes and data.startswith(b"#LK:cmd ", at):
                out.append([b"#"] + data[at + 8:end].split())
            at = end + 1
            continue
        assert data[at:at + 1] == b"*", data[at:at + 50]
        words, count, at = [], int(data[at + 1:end]), end + 1
        for _ in range(count):
            end = data.index(b"\n", at)
            size = int(data[at + 1:end])
            words.append(data[end + 1:end + 1 + size])
            at = end + 1 + size + 2
        out.append(words)
    return out


def increments(folder):
    """The bytes of all increments, one after the other."""
    data = b""
    for name, _, kind in manifest(folder):
        if kind == "i":
            with open(os.path.join(log_folder(folder), name), "rb") as f:
                data += f.read()
    return data
