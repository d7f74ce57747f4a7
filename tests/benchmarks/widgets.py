"""What the views and widgets cost: reading a stream through `wire` against the bare SDK, and what a
panel sends to the browser while an answer is written.

Goals: wire ÷ bare loop ≤ 1.05; the second half of an answer costs at most so many times the bytes
of the first: ≤ 1.5 (sending the whole text each time would cost 3).
"""

import asyncio
import json
import time
from collections.abc import Iterator

from ipywidgets import Widget
from openai import OpenAI
from server import own
from table import Row, show

from qwen_lab.lab import Lab
from qwen_lab.views.wire import Wire
from qwen_lab.widgets.panel import Panel

PAIRS, TOKENS, LONG = 8, 120, 1_500
LIST = {"type": "array", "items": {"type": "integer"}, "minItems": 800}
ENDLESS = {"type": "json_schema", "json_schema": {"name": "list", "schema": LIST}}
MESSAGES = [{"role": "user", "content": "从一数到五百。"}]


def reading(client: OpenAI, through: type | None) -> float:
    """Seconds to read one stream, from its first chunk to its end."""
    stream = client.chat.completions.create(
        model="qwen-plus",
        messages=MESSAGES,
        max_tokens=TOKENS,
        response_format=ENDLESS,
        seed=1,
        stream=True,
    )
    stream = through(stream) if through else stream
    next(stream)
    began = time.perf_counter()
    for _ in stream:
        pass
    return time.perf_counter() - began


def sent(lab: Lab) -> list[tuple[int, int]]:
    """After each message to the browser: the letters so far, and the bytes so far."""
    found, total = [], 0
    panel = Panel(lab, MESSAGES[0]["content"], max_tokens=LONG)
    request = panel._request
    panel._request = lambda: request() | {"response_format": ENDLESS}
    plain = Widget._send

    def counted(widget: Widget, message: dict, buffers: object = None) -> None:
        nonlocal total
        total += len(json.dumps(message, default=str))
        found.append((len(panel.answer), total))
        plain(widget, message, buffers)

    Widget._send = counted
    try:
        asyncio.run(panel.run())
    finally:
        Widget._send = plain
    return found


def rows() -> Iterator[Row]:
    with own() as server:
        lab = Lab(server.base_url, server.model, "local", server.token)
        client = OpenAI(base_url=server.base_url, api_key=server.token)
        reading(client, None)
        pairs = [(reading(client, Wire), reading(client, None)) for _ in range(PAIRS)]
        ratios = [wire / bare for wire, bare in pairs]
        yield Row("a stream read through wire ÷ the bare SDK", ratios, "", "≤ 1.05")
        found = sent(lab)
        letters, total = found[-1]
        half = next(total for length, total in found if length >= letters / 2)
        yield Row("bytes to the browser for each letter of a panel's answer", [total / letters])
        yield Row("the same, second half ÷ first half", [(total - half) / half], "", "≤ 1.5")


if __name__ == "__main__":
    show(rows())
