"""How often a call with a seed gives the same text again while three neighbours keep asking.

Goal: 20 times of 20 (≥ 20).
"""

import threading
from collections.abc import Iterator

from server import ask, own
from table import Row, show

TIMES = 20


def text(server) -> str:
    fields = {"seed": 5, "temperature": 1.2, "max_tokens": 24}
    answer = ask(server, "写一句关于秋天的诗。", **fields)
    return answer["choices"][0]["message"]["content"]


def keep_asking(server, name: int, enough: threading.Event) -> None:
    while not enough.is_set():
        ask(server, f"{name}：写一首关于大海的长诗。", max_tokens=12)


def rows() -> Iterator[Row]:
    enough = threading.Event()
    with own() as server:
        quiet = text(server)
        neighbours = [
            threading.Thread(target=keep_asking, args=(server, name, enough)) for name in range(3)
        ]
        for neighbour in neighbours:
            neighbour.start()
        try:
            same = [text(server) for _ in range(TIMES)].count(quiet)
        finally:
            enough.set()
            for neighbour in neighbours:
                neighbour.join()
    yield Row("a seed gives its text again, neighbours busy", [same], "of 20", "≥ 20")


if __name__ == "__main__":
    show(rows())
