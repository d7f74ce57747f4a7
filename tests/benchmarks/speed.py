"""What the endpoint costs: the same calls over HTTP and straight to the engine, taking turns.

One engine answers both. The HTTP client is a process of its own, as a lesson's kernel is; it
reads the bare bytes, so that what the openai client spends is not counted. Goals, endpoint ÷
engine: tokens a second ≥ 0.97, and time to the first token ≤ 1.05, whether the prompt is read
afresh or all but its end is in the cache.
"""

import json
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from server import here, request
from table import Row, show

PAIRS = 12
LONG = "下面是一段话，请先读完。" + "天气很好，我们去公园散步。" * 30
STREAM = {"stream": True, "stream_options": {"include_usage": True}}


class Timing(NamedTuple):
    first: float
    speed: float


def over_http(call: dict) -> Timing:
    """Make the call in the client's process."""
    url, answer, moments, began = urlsplit(call["url"]), b"", [], time.perf_counter()
    with closing(HTTPConnection(url.netloc)) as connection:
        connection.request("POST", url.path, json.dumps(call["json"]), call["headers"])
        response = connection.getresponse()
        while part := response.read1():
            moments.append(time.perf_counter())
            answer += part
    *_, usage, _ = [line for line in answer.decode().splitlines() if line]
    tokens = json.loads(usage.removeprefix("data: "))["usage"]["completion_tokens"]
    # The last two parts are the usage and [DONE].
    return timing(began, moments[:-2], tokens)


def straight(engine, call: dict) -> Timing:
    """Make the call that the endpoint last passed on, with other messages."""
    heard, seed, alone = engine.call
    moments, events, began = [], [], time.perf_counter()

    def emit(event) -> bool:
        if type(event).__name__ != "Prompt":
            moments.append(time.perf_counter())
            events.append(event)
        return False

    heard = replace(heard, prompt=call["json"]["messages"])
    # Below what makes it awaitable: that is a part of what the endpoint costs.
    engine.engine.answer(heard, seed, alone, emit)
    return timing(began, moments, events[-1].completion_tokens)


def timing(began: float, moments: list[float], tokens: int) -> Timing:
    return Timing(moments[0] - began, (tokens - 1) / (moments[-1] - moments[0]))


def pairs(server, client, prompt: str, **fields) -> Iterator[tuple[Timing, Timing]]:
    """Endpoint and engine, in turns and with the first turn changing; prompts differ at the end."""
    calls = [request(server, f"{prompt}{n}", **fields, **STREAM) for n in range(10, 99)]
    for call in calls[:4]:
        # Each slot meets the prompt.
        client.submit(over_http, call).result()
    for n in range(PAIRS):
        one, other = calls[2 * n + 4], calls[2 * n + 5]
        if n % 2:
            engine = straight(server.engine, one)
            yield client.submit(over_http, other).result(), engine
        else:
            yield client.submit(over_http, one).result(), straight(server.engine, other)


def rows() -> Iterator[Row]:
    fresh = multiprocessing.get_context("spawn")
    with here() as server, ProcessPoolExecutor(1, mp_context=fresh) as client:
        poem = {"prompt": "写一首关于大海的长诗。编号", "seed": 1, "max_tokens": 100}
        speeds = [(a.speed, b.speed) for a, b in pairs(server, client, **poem)]
        yield Row("tokens a second, engine", [engine for _, engine in speeds], "tokens/s")
        yield Row("tokens a second, endpoint ÷ engine", [a / b for a, b in speeds], "", "≥ 0.97")
        for name, fields in {"read afresh": {"seed": 1}, "cached": {}}.items():
            asked = {"prompt": LONG, "max_tokens": 2, **fields}
            firsts = [(a.first, b.first) for a, b in pairs(server, client, **asked)]
            what = f"time to the first token, {name}"
            yield Row(f"{what}, engine", [1000 * engine for _, engine in firsts], "ms")
            yield Row(f"{what}, endpoint ÷ engine", [a / b for a, b in firsts], "", "≤ 1.05")


if __name__ == "__main__":
    show(rows())
