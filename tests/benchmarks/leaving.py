"""How long a client that leaves still has its slot, be it that the answer is being written, or
that its long prompt is being read, while something else keeps a core busy.

Goal: ≤ 0.5 s, at worst.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from server import here, request
from table import Row, show

TIMES = 8
# An answer that cannot end early, whatever the model likes to say.
LIST = {"type": "array", "items": {"type": "integer"}, "minItems": 400}
ENDLESS = {"type": "json_schema", "json_schema": {"name": "list", "schema": LIST}}
# The second is nearly as long as a prompt may be: reading it takes many seconds.
PROMPTS = {
    "its answer is being written": "从 1 数到 500。",
    "its prompt is being read": "天气很好，我们去公园散步。" * 350,
}


@contextmanager
def busy_core() -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as noise:
        try:
            yield
        finally:
            noise.kill()


def leave(server, prompt: str, after: float) -> float:
    """Ask, leave after so many seconds, and return the seconds until the model is free."""
    call = request(server, prompt, max_tokens=2000, stream=True, response_format=ENDLESS)
    body = json.dumps(call["json"]).encode()
    head = (
        "POST /compatible-mode/v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {server.token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + body)
        time.sleep(after)
        assert server.slots.busy == 1
        began = time.perf_counter()
    while server.slots.busy:
        time.sleep(0.001)
    return time.perf_counter() - began


def rows() -> Iterator[Row]:
    with here() as server, busy_core():
        for what, prompt in PROMPTS.items():
            samples = [leave(server, f"{n}：{prompt}", 1 + n / 10) for n in range(TIMES)]
            yield Row(f"a client leaves while {what}", samples, "s", "maximum ≤ 0.5")


if __name__ == "__main__":
    show(rows())
