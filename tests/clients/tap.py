"""What the Python programs of this folder share: tests that print TAP, and a server in a temporary
folder. As a program, `tap.py COMMAND …` runs a command of any language with a server of its own,
whose port is in PORT and whose socket is in SOCKET."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback

_cases = []


def test(name):
    def add(body):
        _cases.append((name, body))
        return body
    return add


def cases():
    """Name and body of all tests, in their order."""
    return list(_cases)


def run():
    failed = 0
    print(f"1..{len(_cases)}")
    for number, (name, body) in enumerate(_cases, 1):
        try:
            body()
            print(f"ok {number} - {name}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok {number} - {name}")
            print("# " + traceback.format_exc().rstrip().replace("\n", "\n# "), flush=True)
    sys.exit(1 if failed else 0)


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r} instead of {expected!r}")


def until(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: did not come")
        time.sleep(0.01)


def free_port():
    """One that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, *options):
        self.port = free_port()
        self.dir = tempfile.mkdtemp(prefix="latchkey-clients-")
        self.socket = os.path.join(self.dir, "socket")
        self.args = [os.environ.get("LATCHKEY", "build/latchkey"), "--port", str(self.port),
                     "--unixsocket", self.socket, "--save", "", "--appendonly", "no",
                     "--dir", self.dir, *options]
        atexit.register(self.discard)
        self.up()

    def up(self):
        with open(os.path.join(self.dir, "log"), "ab") as log:
            self.process = subprocess.Popen(self.args, stdout=log, stderr=log)
        until(self._answers, "the server")

    def _answers(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.dir, "log"), errors="replace") as log:
                raise AssertionError(log.read())
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
                s.sendall(b"PING\r\n")
                return s.recv(16) != b""
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def discard(self):
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


if __name__ == "__main__":
    server = Server()
    sys.exit(subprocess.call(sys.argv[1:], env={**os.environ, "PORT": str(server.port),
                                                "SOCKET": server.socket}))
