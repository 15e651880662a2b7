"""Resident memory: bytes per key and bytes per idle connection."""

import socket
import time

import harness
from harness import MEMORY, Server, row, title, verdict

SIZES = (1000000, 1500000, 2000000, 10000000)
QUICK_SIZES = (1000000, 1500000)
KINDS = [
    # name, value length, with a TTL, at most
    ("64-byte value", 64, False, 112),
    ("8-byte value", 8, False, 62),
    ("64 bytes, TTL", 64, True, 24),
]
CONNECTIONS = 9000


def bytes_per_key(kind, count, value_len, ttl):
    with Server(kind) as server:
        empty = server.resident()
        server.load(count, value_len, ttl)
        time.sleep(1.5)
        return (server.resident() - empty) / count


def run_memory():
    title("resident bytes per key (16-byte keys); with a TTL: what it adds")
    widths = (16, 11, 10, 8, 8)
    row("", "keys", "latchkey", "redis", "target", widths=widths)
    plain = {}
    for name, value_len, ttl, most in KINDS:
        for count in QUICK_SIZES if harness.QUICK else SIZES:
            key = ("memory", name, count)
            found = {kind: bytes_per_key(kind, count, value_len, ttl)
                     for kind in MEMORY.kinds(*key)}
            found = MEMORY.settle(key, found)
            if ttl:
                found = {kind: found[kind] - plain[count][kind] for kind in found}
            elif value_len == 64:
                plain[count] = found
            row(name, f"{count:,}", f"{found['latchkey']:.1f}", f"{found['redis']:.1f}",
                f"{most}" + verdict(found["latchkey"] <= most), widths=widths)


def connect(port):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"*1\r\n$4\r\nPING\r\n")
    if s.recv(64) != b"+PONG\r\n":
        raise SystemExit("no PONG")
    return s


def bytes_per_connection(kind, count):
    with Server(kind, options=("--maxclients", "10000")) as server:
        connect(server.port).close()
        before = server.resident()
        connections = [connect(server.port) for _ in range(count)]
        time.sleep(3)
        grown = server.resident() - before
        for s in connections:
            s.close()
        return grown / count


def run_idle():
    title("resident bytes per idle connection")
    harness.raise_file_limit()
    count = 2000 if harness.QUICK else CONNECTIONS
    found = {kind: bytes_per_connection(kind, count) for kind in MEMORY.kinds("idle")}
    found = MEMORY.settle(("idle",), found)
    row(f"{count:,} connections", f"latchkey {found['latchkey']:,.0f}",
        f"redis {found['redis']:,.0f}", "target 1,024" + verdict(found["latchkey"] <= 1024),
        widths=(18, 15, 12, 14))
