"""SQL backends: what one costs a GET from memory, how fast changes reach each database beside what
its own client does, and how many statements a thousand clients on one cold key make."""

import os
import socket
import statistics
import subprocess
import tempfile
import time

import harness
import ops
from harness import Server, row, title, verdict

KINDS = ("sqlite", "pgsql", "mysql")
CLIENTS = 1000
VALUE = "v" * 64
TABLE = "CREATE TABLE bulk ({key} VARCHAR(128) PRIMARY KEY, val TEXT)"


class Database:
    """An empty one: a file of SQLite, or a real server that ends with this."""

    def __init__(self, kind):
        self.kind = kind

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="latchkey-bench-")
        self.helper = None
        self.url = f"sqlite://{self.folder.name}/table.db"
        if self.kind != "sqlite":
            command = os.path.join(harness.TOP, "tests", "lib", "databases")
            self.helper = subprocess.Popen([command, self.kind], stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, text=True)
            self.url = self.helper.stdout.readline().split()[1]
        return self

    def __exit__(self, *_):
        if self.helper:
            self.helper.stdin.close()
            self.helper.wait()
        self.folder.cleanup()

    def client(self):
        """The database's own client, which takes statements from its standard input."""
        if self.kind == "sqlite":
            return ["sqlite3", "-batch", self.url[len("sqlite://"):]]
        if self.kind == "pgsql":
            return ["psql", "-q", "-v", "ON_ERROR_STOP=1", self.url.replace("pgsql", "postgres", 1)]
        access, place = self.url[len("mysql://"):].split("@")
        (user, password), (host, name) = access.split(":"), place.split("/")
        return ["mariadb", "--local-infile=1", "-h", host.split(":")[0], "-P", host.split(":")[1],
                "-u", user, "-p" + password, name]

    def seconds(self, text):
        start = time.monotonic()
        subprocess.run(self.client(), input=text, text=True, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - start

    def make_table(self):
        self.seconds("DROP TABLE IF EXISTS bulk; " + TABLE.format(
            key="name" if self.kind == "mysql" else "key") + ";")

    def one_by_one(self, n):
        """Rows a second, each a statement and a transaction."""
        self.make_table()
        return n / self.seconds("".join(f"INSERT INTO bulk VALUES ('key:{i}', '{VALUE}');\n"
                                        for i in range(n)))

    def in_bulk(self, n):
        """Rows a second by the way that the database has for many."""
        self.make_table()
        lines = "".join(f"key:{i}\t{VALUE}\n" for i in range(n))
        if self.kind == "pgsql":
            return n / self.seconds("COPY bulk FROM STDIN;\n" + lines + "\\.\n")
        path = os.path.join(self.folder.name, "rows")
        with open(path, "w") as f:
            f.write(lines)
        if self.kind == "sqlite":
            return n / self.seconds(f".mode tabs\n.import {path} bulk\n")
        return n / self.seconds(f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE bulk;")


def facts(server):
    lines = (line.partition(":") for line in server.call("INFO", "backend").splitlines())
    return {name: value for name, _, value in lines}


def at_home(database, *more):
    """A server whose data live in this database, when it is ready."""
    class AtHome(Server):
        def __enter__(self):
            super().__enter__()
            while facts(self)["backend_state"] != "ready":
                time.sleep(0.01)
            return self
    return AtHome("latchkey", options=("--backend", database.url, *more))


# ---- a GET from memory --------------------------------------------------------------------------


def get_ns(server, requests):
    server.load(ops.KEYS // 10)
    if server.call("INFO", "backend").find("backend_state") >= 0:
        server.call("BACKEND", "FLUSH")
    return ops.benchmark(server, "get", 16, requests)[0]


def run_get():
    requests, rounds = (200000, 1) if harness.QUICK else (2000000, 5)
    pairs = []
    for _ in range(rounds):
        with Server("latchkey") as server:
            plain = get_ns(server, requests)
        with Database("sqlite") as database, at_home(database) as server:
            pairs.append((plain, get_ns(server, requests)))
    more = statistics.median(b / a for a, b in pairs) - 1
    plain, backed = (statistics.median(column) for column in zip(*pairs))
    title("GET from memory, pipeline 16, CPU")
    row("without", "with", "more", widths=(14, 14, 24))
    row(f"{plain:,.0f} ns", f"{backed:,.0f} ns", f"{more * 100:.1f} % of 5 %{verdict(more <= 0.05)}",
        widths=(14, 14, 24))


# ---- rows that are written ----------------------------------------------------------------------


def written(database, keys):
    """SETs a second as they were answered, and rows a second until all were in the table."""
    with at_home(database) as server:
        start = time.monotonic()
        server.load(keys)
        answered = time.monotonic() - start
        server.call("BACKEND", "FLUSH")
        reached = time.monotonic() - start
        rows = int(facts(server)["backend_rows_written"])
        if rows < keys:
            raise SystemExit(f"{database.kind}: {rows} rows of {keys} keys")
        return keys / answered, rows / reached


def run_rows():
    keys, single = (20000, 1000) if harness.QUICK else (200000, 5000)
    widths = (10, 16, 16, 20, 18)
    title(f"write-behind: SET of {keys:,} new keys of 64 bytes, and their rows; rows a second")
    row("", "SET answered", "in the table", "client, one by one", "client, bulk path",
        widths=widths)
    for kind in KINDS:
        with Database(kind) as database:
            sets, rows = written(database, keys)
            ones, bulk = database.one_by_one(single), database.in_bulk(keys)
        row(kind, f"{sets:,.0f}", f"{rows:,.0f}", f"{ones:,.0f}", f"{bulk:,.0f}", widths=widths)


# ---- a stampede ---------------------------------------------------------------------------------


def stampede(database):
    with at_home(database) as server:
        server.call("SET", "cold", "value")
        server.call("BACKEND", "FLUSH")
    with at_home(database, "--maxclients", "2000") as server:
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(b"GET cold\r\n")
        good = sum(client.recv(64) == b"$5\r\nvalue\r\n" for client in clients)
        found = facts(server)
        for client in clients:
            client.close()
        return good, int(found["backend_selects"]), int(found["backend_keys_asked"])


def run_stampede():
    harness.raise_file_limit()
    title(f"{CLIENTS:,} clients on one cold key")
    row("", "answered", "SELECTs", "keys in them", widths=(10, 12, 12, 14))
    for kind in KINDS:
        with Database(kind) as database:
            good, selects, asked = stampede(database)
        row(kind, f"{good:,}", f"{selects}{verdict(good == CLIENTS and selects == 1)}", str(asked),
            widths=(10, 12, 12, 14))


def run():
    run_get()
    run_rows()
    run_stampede()
