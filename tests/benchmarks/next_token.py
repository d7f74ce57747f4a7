"""How long `lab.next_token` takes: the likeliest 1,000, with the tail counted, and all of them;
what the server holds in memory after it; and how long the stages of sampling take.

Goals: the likeliest ≤ 200 ms; `/health` answers within 100 ms (maximum ≤ 100) while the whole
vocabulary is asked for; after it the server is as small as before (≤ 850 MB); and a slider's
move ≤ 5 ms with a tail, ≤ 30 ms with the whole vocabulary.
"""

import threading
import time
from collections.abc import Iterator

import psutil
from server import HTTP, own
from table import Row, show

from qwen_lab.lab import Lab
from qwen_lab.watch.next_token import MOST
from qwen_lab.watch.sampling import Settings, stages

TIMES = 8
ASKED = [{"role": "user", "content": "写一首关于秋天的短诗"}]
KINDS = {
    "the likeliest 1,000": ({"tail": False}, "≤ 200"),
    "with the tail": ({}, ""),
    "the whole vocabulary": ({"whole": True}, ""),
}


def health(server, enough: threading.Event, samples: list[float]) -> None:
    while not enough.wait(0.02):
        began = time.perf_counter()
        HTTP.get(f"http://127.0.0.1:{server.port}/health").raise_for_status()
        samples.append(1000 * (time.perf_counter() - began))


def moves(found) -> list[float]:
    """How long the stages take after each of a slider's moves."""
    samples = []
    for percent in range(100, 140):
        began = time.perf_counter()
        stages(found, Settings(percent / 100, 0.9, 50, repetition_penalty=1.2))
        samples.append(1000 * (time.perf_counter() - began))
    return samples


def rows() -> Iterator[Row]:
    with own() as server:
        lab, process = (
            Lab(server.base_url, server.model, "local", server.token),
            psutil.Process(server.pid),
        )
        for what, (options, goal) in KINDS.items():
            samples, waits, enough = [], [], threading.Event()
            watch = threading.Thread(target=health, args=(server, enough, waits))
            watch.start()
            for _ in range(TIMES):
                began = time.perf_counter()
                lab.next_token(ASKED, **options)
                samples.append(1000 * (time.perf_counter() - began))
            enough.set()
            watch.join()
            yield Row(f"next token, {what}", samples, "ms", goal)
        yield Row("/health answers beside the last", waits, "ms", "maximum ≤ 100")
        yield Row("memory of the server after it", [process.memory_info().rss / 1e6], "MB", "≤ 850")
        whole = lab.next_token(ASKED, whole=True)
        yield Row("stages, 1,000 and the tail", moves(whole.first(MOST)), "ms", "≤ 5")
        yield Row("stages, the whole vocabulary", moves(whole), "ms", "≤ 30")


if __name__ == "__main__":
    show(rows())
