"""The Python of docs/locks.md, all of it in one program, against the server."""

import contextlib
import functools
import io
import os
import re

import redis

import tap

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/locks.md")
SHOWN = [r"alone, with token \d+", r"the second turn: \d+", r"LOCKED ", r"\[\"apple\"\]",
         r"both, with tokens \[\d+, \d+\]", r"(?m)^1$"]

server = tap.Server()


@tap.test("docs/locks.md: its Python runs")
def execute():
    with open(PAGE) as f:
        blocks = re.findall(r"^```python\n(.*?)^```", f.read(), re.M | re.S)
    redis.Redis = functools.partial(redis.Redis, port=server.port)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec("\n".join(blocks), {})
    for wanted in SHOWN:
        if not re.search(wanted, said.getvalue()):
            raise AssertionError(f"{wanted} was not printed:\n{said.getvalue()}")


tap.run()
