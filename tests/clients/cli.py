"""redis-cli and redis-benchmark as Debian has them, the interactive mode on a terminal too."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from tap import Server, equal, run, test, until

MILLION = 1000000
server = Server()


def cli(*args, stdin=None, seconds=120):
    command = ["redis-cli", "-p", str(server.port), *map(str, args)]
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=seconds, check=True)
    return done.stdout.decode(errors="replace").rstrip("\n")


def contains(text, *patterns):
    for pattern in patterns:
        if not re.search(pattern, text):
            raise AssertionError(f"no {pattern!r} in:\n{text}")


class Terminal:
    """redis-cli on a pseudo-terminal."""

    def __init__(self, *args):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", REDISCLI_HISTFILE="/dev/null")
            time.sleep(0.1)  # the window gets its size from the other side
            os.execvp("redis-cli", ["redis-cli", "-p", str(server.port), *args])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
        self.seen = ""

    def expect(self, pattern, seconds=30):
        end = time.monotonic() + seconds
        while not (match := re.search(pattern, self.seen)):
            if time.monotonic() > end:
                raise AssertionError(f"no {pattern!r} in {self.seen!r}")
            if select.select([self.fd], [], [], 0.1)[0]:
                self.seen += os.read(self.fd, 65536).decode(errors="replace")
        self.seen = self.seen[match.end():]

    def type(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@test("redis-cli: one command, its formats, standard input")
def commands():
    equal(cli("flushall"), "OK")
    equal(cli("set", "k", "v"), "OK")
    equal(cli("get", "k"), "v")
    equal(cli("--no-raw", "get", "k"), '"v"')
    equal(cli("-x", "set", "k", stdin=b"from\0stdin"), "OK")
    equal(cli("--no-raw", "get", "k"), '"from\\x00stdin"')
    equal(cli("-n", 3, "dbsize"), "0")
    equal(cli("--csv", "mget", "k", "missing"), '"from\\x00stdin",NULL')
    equal(cli("--json", "config", "get", "port"), '{"port":"%d"}' % server.port)
    equal(cli("-3", "--no-raw", "hello").count("=>"), 7)
    equal(cli("-r", 3, "incr", "n").split(), ["1", "2", "3"])
    equal(cli(stdin=b"set a 1\nincr a\nnosuch\n").split("\n")[:2], ["OK", "2"])
    equal(cli("-s", server.socket, "ping"), "PONG")


@test("redis-cli --pipe: a million commands")
def pipe():
    cli("flushall")
    requests = b"".join(b"*3\r\n$3\r\nSET\r\n$11\r\nkey:%07d\r\n$7\r\n%07d\r\n" % (i, i)
                        for i in range(MILLION))
    contains(cli("--pipe", stdin=requests), r"errors: 0, replies: 1000000\b")
    equal(cli("dbsize"), str(MILLION))
    equal(cli("get", "key:0765432"), "0765432")


@test("redis-cli --pipe: inline commands and errors are counted")
def pipe_errors():
    cli("flushall")
    lines = b"SET a 1\r\nINCR a\r\nNOSUCH\r\nGET\r\nINCR a\r\n"
    try:
        cli("--pipe", stdin=lines)
        raise AssertionError("redis-cli did not notice")
    except subprocess.CalledProcessError as error:
        contains(error.output.decode(), "errors: 2, replies: 5")
    equal(cli("get", "a"), "3")


@test("redis-cli --scan, --bigkeys, --memkeys")
def scans():
    cli("flushall")
    lines = b"".join(b"SET small:%d %d\r\n" % (i, i) for i in range(3000))
    cli("--pipe", stdin=lines + b"SET the-biggest " + b"x" * 5000 + b"\r\n")
    equal(len(set(cli("--scan").split())), 3001)
    equal(len(set(cli("--scan", "--pattern", "small:1*").split())), 1111)
    big = cli("--bigkeys")
    contains(big, "Sampled 3001 keys", r"Biggest string found.*the-biggest.* has 5000 bytes",
             r"\b3001 strings with")
    contains(cli("--memkeys"), "Sampled 3001 keys",
             r"Biggest string found.*the-biggest.* has [5-9]\d\d\d bytes")


@test("redis-cli --bigkeys and --memkeys: lists")
def scans_of_lists():
    cli("rpush", "the-list", *"abcdef")
    contains(cli("--bigkeys"), r"Biggest +list found.*the-list.* has 6 items", r"\b1 lists with 6")
    contains(cli("--memkeys"), r"Biggest +list found.*the-list.* has \d\d bytes")
    cli("del", "the-list")


@test("redis-cli --bigkeys and --memkeys: hashes")
def scans_of_hashes():
    fields = [word for i in range(600) for word in ("field:%d" % i, "value")]
    cli("hset", "the-hash", *fields)
    cli("hset", "small-hash", "f", "v")
    contains(cli("--bigkeys"), r"Biggest +hash found.*the-hash.* has 600 fields",
             r"\b2 hashs with 601")
    contains(cli("--memkeys"), r"Biggest +hash found.*the-hash.* has \d{5} bytes")
    cli("del", "the-hash", "small-hash")


@test("redis-cli --latency and --stat")
def figures():
    contains(cli("--latency"), r"^\d+ \d+ \d+\.\d\d [1-9]\d*$")
    terminal = Terminal("--stat", "-i", "0.1")
    for _ in range(3):
        terminal.expect(r"\n3001 +[\d.]+[KMG]? +\d+ +0 +\d+ \(\+\d+\) +\d+")
    terminal.close()


@test("redis-cli: interactive, with hints, help and completion")
def interactive():
    prompt = re.escape(f"127.0.0.1:{server.port}> ")
    terminal = Terminal()
    terminal.expect(prompt)
    terminal.type("set foo ")
    terminal.expect(r"value.*\[.*NX")
    # What is typed ahead of a prompt is lost: the line editor flushes it.
    for line, answer in (('"b a\\x01r"\r', r"OK\r\n"), ("get foo\r", r'"b a\\x01r"\r\n'),
                         ("help getex\r", r"(?s)GETEX.*key.*summary:.*6\.2\.0.*group:.*string"),
                         ("getra\t foo 0 0\r", r'(?i)getrange.*foo 0 0[^"]*"b"\r\n')):
        terminal.type(line)
        terminal.expect(answer)
        terminal.expect(prompt)
    terminal.type("select 5\r")
    terminal.expect(r"OK\r\n")
    terminal.expect(re.escape(f"127.0.0.1:{server.port}[5]> "))
    terminal.type("subscribe news\r")
    terminal.expect(r'"subscribe"')
    until(lambda: cli("publish", "news", "hello") == "1", "the subscriber")
    terminal.expect(r'"message"\r\n2\) "news"\r\n3\) "hello"')
    terminal.close()


@test("redis-cli: MONITOR and SUBSCRIBE into a pipe")
def streams():
    for command, act, pattern in (
            (["monitor"], ["set", "watched", "a b"], rb'"watched" "a b"'),
            (["psubscribe", "n*"], ["publish", "news", "hello"], rb"hello")):
        with subprocess.Popen(["redis-cli", "-p", str(server.port), *command],
                              stdout=subprocess.PIPE) as child:
            seen = child.stdout.readline()
            cli(*act)
            while not re.search(pattern, seen):
                line = child.stdout.readline()
                if not line:
                    raise AssertionError(f"no {pattern} in {seen}")
                seen += line
            child.kill()


@test("redis-cli: passwords")
def passwords():
    guarded = Server("--requirepass", "s3cret")

    def ask(*args, **environment):
        command = ["redis-cli", "-p", str(guarded.port), *args, "set", "k", "v"]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, **environment}).stdout.decode().strip()

    contains(ask(), "^NOAUTH Authentication required")
    equal(ask("--no-auth-warning", "-a", "s3cret"), "OK")
    equal(ask("--user", "default", "--pass", "s3cret", "--no-auth-warning"), "OK")
    equal(ask(REDISCLI_AUTH="s3cret"), "OK")
    contains(ask("--no-auth-warning", "-a", "wrong"), "WRONGPASS")
    guarded.discard()


def benchmark(*args):
    command = ["redis-benchmark", "-p", str(server.port), "--csv", *map(str, args)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                          check=True)
    found = re.findall(r'^"([^"]+)","([\d.]+)"', done.stdout.decode(), re.M)
    return [name for name, rate in found if float(rate) > 0]


@test("redis-benchmark: ping_inline, ping_mbulk, set, get, incr, mset")
def benchmarks():
    names = ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"]
    tests = "ping_inline,ping_mbulk,set,get,incr,mset"
    equal(benchmark("-t", tests, "-n", 20000), names)
    cli("flushall")
    equal(benchmark("-t", tests, "-n", 50000, "-P", 16, "-r", 1000, "-d", 64, "--threads", 2),
          names)
    equal(int(cli("dbsize")) > 900, True)
    equal(benchmark("-n", 1000, "-3", "-t", "set,get"), ["SET", "GET"])


DEFAULT_LIST = [
    "PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP", "SADD",
    "HSET", "SPOP", "ZADD", "ZPOPMIN", "LPUSH (needed to benchmark LRANGE)",
    *(f"LRANGE_{n} (first {n} elements)" for n in (100, 300, 500, 600)), "MSET (10 keys)"]


@test("redis-benchmark: its default list")
def whole_benchmark():
    for more in ([], ["-P", 16], ["-P", 16, "-r", 1000, "--threads", 2], ["-3", "-r", 100000]):
        cli("flushall")
        equal(benchmark("-n", 2000, *more), DEFAULT_LIST)
    quiet = subprocess.run(["redis-benchmark", "-p", str(server.port), "-q", "-n", "2000"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    text = quiet.stdout.decode()
    equal([quiet.returncode, "rror" in text, text.count("requests per second")],
          [0, False, len(DEFAULT_LIST)])


run()
