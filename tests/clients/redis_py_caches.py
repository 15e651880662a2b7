"""Debian's python3-redis (redis-py): what docs/caches.md shows."""

import redis

from tap import Server, equal, run, test, until

server = Server()
r = redis.Redis(port=server.port, decode_responses=True)
rendered = []


def session(sid):
    return r.hgetall(f"session:{sid}")


def page(url, render):
    text = r.get(f"page:{url}")
    if text is None:
        text = render(url)
        r.set(f"page:{url}", text)
    return text


def render(url):
    rendered.append(url)
    return f"page of {url}"


@test("redis-py, caches: sessions")
def sessions():
    r.execute_command("POLICY SET", "session:", "IDLE", 30 * 60 * 1000)
    r.hset("session:1", "user", "Ann")
    equal(session(1), {"user": "Ann"})
    equal(0 < r.execute_command("POLICY TTL", "session:1") <= 30 * 60 * 1000, True)
    r.execute_command("POLICY SET", "session:", "IDLE", 20)
    until(lambda: not r.exists("session:1"), "the end of the session")
    equal(session(1), {})


@test("redis-py, caches: pages")
def pages():
    r.execute_command("POLICY SET", "page:", "MAXMEMORY", "64kb", "MAXAGE", 10 * 60 * 1000)
    for _ in range(2):
        equal(page("/", render), "page of /")
    equal(rendered, ["/"])
    for i in range(2000):
        page(f"/{i}", render)
    stats = r.execute_command("POLICY STATS", "page:")
    stats = dict(zip(stats[::2], stats[1::2]))
    equal(stats["memory"] <= 64 * 1024, True)
    equal(stats["keys"] > 400 and stats["keys"] + stats["evicted"] == 2001, True)
    equal(r.exists("page:/1999", "page:/"), 1)


run()
