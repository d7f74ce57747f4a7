"""How fast a tape answers, in the process of the client that asks, as in a lesson.

The tape is made here, of one answer of the real Qwen many times over. Goal: none; it is measured
so that a change that slows the lessons' replay is seen.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from openai import OpenAI
from server import ask, own
from table import Row, show

from qwen_lab.endpoint import server

ROUNDS, CALLS = 5, 40
QUESTION = "写一首关于大海的长诗。"


def record(path: Path, answers: int = 2 * ROUNDS * CALLS) -> None:
    """Make a tape of so many answers to one question."""
    with own(record=path) as recorder:
        ask(recorder, QUESTION, max_tokens=200)
    head, exchange = path.read_text(encoding="utf-8").splitlines()
    # An exchange answers one request.
    path.write_text("\n".join([head] + [exchange] * answers), encoding="utf-8")


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        tape = Path(folder) / "tape.jsonl"
        record(tape)
        played = server.play(tape)
    client = OpenAI(base_url=played.base_url, api_key=played.token, max_retries=0)
    messages = [{"role": "user", "content": QUESTION}]
    asked = {"model": played.model, "messages": messages, "max_tokens": 200}
    requests, chunks = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(CALLS):
            client.chat.completions.create(**asked)
        requests.append(CALLS / (time.perf_counter() - began))
        began, count = time.perf_counter(), 0
        for _ in range(CALLS):
            count += sum(1 for _ in client.chat.completions.create(**asked, stream=True))
        chunks.append(1000 * (time.perf_counter() - began) / count)
    yield Row("replay of a tape, one client, not streamed", requests, "requests/s")
    yield Row("replay of a tape, streamed", chunks, "ms a chunk")


if __name__ == "__main__":
    show(rows())
