"""What the server holds in memory while all four slots answer long questions.

Resident memory, the weights' file included as far as it is mapped. Goal: maximum ≤ 800 MB.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
from server import ask, own
from table import Row, show

ROUNDS = 3
# About 600 tokens; each call has its own, so that slots and prompt cache fill.
LONG = "天气很好，我们去公园散步。" * 75


def rows() -> Iterator[Row]:
    samples = []
    with own() as server, ThreadPoolExecutor(4) as pool:
        process = psutil.Process(server.pid)
        yield Row("memory of the server, just started", [process.memory_info().rss / 1e6], "MB")
        for turn in range(ROUNDS):
            # The number stands first: what follows it is new to the cache.
            prompts = [f"{turn}{slot}。{LONG}" for slot in range(4)]
            calls = [pool.submit(ask, server, prompt, max_tokens=48) for prompt in prompts]
            while not all(call.done() for call in calls):
                samples.append(process.memory_info().rss / 1e6)
                time.sleep(0.05)
            [call.result() for call in calls]
    yield Row("memory of the server, four slots at work", samples, "MB", "maximum ≤ 800")


if __name__ == "__main__":
    show(rows())
