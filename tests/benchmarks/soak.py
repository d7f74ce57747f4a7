"""Whether the server stays as it is: memory and open files after 200 and after 2,000 requests.

All kinds come in turn from four clients: chat, streams read and left, next tokens, searches, tools,
schemas, and what is refused. Goals, after 2,000 ÷ after 200: memory ≤ 1.05, open files ≤ 1.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psutil
from learner import demands, tool
from server import HTTP, ask, own, request
from table import Row, show

EARLY, LATE = 200, 2_000
NUMBERS = demands(numbers={"type": "array", "items": {"type": "integer"}})
SCHEMA = {"type": "json_schema", "json_schema": {"name": "numbers", "schema": NUMBERS}}
TOOLS = [tool("weather", "The weather in a city.", city={"type": "string"})]


def chat(server, number: int, status: int = 200, prompt: str = "你好，{}", **fields) -> None:
    """One call, which must end with this status."""
    # Few have a seed: those read their whole prompt afresh.
    fields = {"max_tokens": number % 4 + 1, "seed": None if number % 20 else 1} | fields
    answer = HTTP.post(**request(server, prompt.format(number), **fields))
    assert answer.status_code == status, answer.text


def stream(server, number: int, leave: bool = False) -> None:
    call = request(server, f"数到一百：{number}", stream=True, max_tokens=400 if leave else 3)
    with HTTP.stream("POST", **call) as answer:
        for _ in answer.iter_lines():
            if leave:
                break


def next_token(server, number: int) -> None:
    call = request(server, f"今天：{number}")
    asked = {"messages": call["json"]["messages"], "tail": number % 100 == 0}
    url = f"{server.base_url}/lab/next_token"
    HTTP.post(url, json=asked, headers=call["headers"]).raise_for_status()


def search(server, number: int) -> None:
    url, headers = f"{server.base_url}/lab/search", request(server, "")["headers"]
    question = {"question": f"What is the capital of {number}?"}
    HTTP.get(url, params=question, headers=headers).raise_for_status()


KINDS: list[Callable] = [
    chat,
    stream,
    partial(stream, leave=True),
    next_token,
    search,
    partial(chat, enable_search=True, prompt="第 {} 问：缅甸的首都在哪里？"),
    partial(chat, tools=TOOLS),
    partial(chat, tools=TOOLS, tool_choice="required", max_tokens=4),
    partial(chat, response_format=SCHEMA),
    partial(chat, logprobs=True, top_logprobs=5),
    partial(chat, status=400, temperature=5),
    partial(chat, status=400, messages=[]),
    partial(chat, status=404, model="nobody"),
    # So many that the engine counts them, and more than it is asked to count.
    partial(chat, status=400, prompt="{}" + "天气很好。" * 2_000),
    partial(chat, status=400, messages=[{"role": "user", "content": "a"}] * 20_000),
]


def run(server, numbers: range) -> tuple[float, int]:
    """Send that many requests; the memory, in MB, and the open files when all have ended."""
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(KINDS[number % len(KINDS)], server, number) for number in numbers]
        [each.result() for each in sent]
    # It wants the model alone: those that left have given their slots back then.
    ask(server, "1", seed=1, max_tokens=1)
    # By then the server has closed the connections that waited for another request.
    time.sleep(7)
    process = psutil.Process(server.pid)
    every = [process, *process.children(recursive=True)]
    files = psutil.Process.num_fds if os.name == "posix" else psutil.Process.num_handles
    return sum(each.memory_info().rss for each in every) / 1e6, sum(map(files, every))


def rows() -> Iterator[Row]:
    names = {"memory of the server": ("MB", "≤ 1.05"), "open files of the server": ("", "≤ 1")}
    with own() as server:
        early = run(server, range(EARLY))
        for (name, (unit, _)), value in zip(names.items(), early, strict=True):
            yield Row(f"{name}, after {EARLY} requests", [value], unit)
        late = run(server, range(EARLY, LATE))
    for (name, (unit, goal)), before, after in zip(names.items(), early, late, strict=True):
        yield Row(f"{name}, after {LATE:,} requests", [after], unit)
        yield Row(f"{name}, after {LATE:,} ÷ after {EARLY}", [after / before], "", goal)


if __name__ == "__main__":
    show(rows())
