"""How many tokens a second the server gives to 1, 4 and 16 clients together.

Goal: none, for it is the machine's number of cores that decides; four slots share them.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from server import ask, own
from table import Row, show

ROUNDS = 3


def speed(server, clients: int) -> float:
    """Tokens a second of all the clients, each with a question of its own."""

    def tokens(client: int) -> int:
        answer = ask(server, f"{client}：写一首关于大海的长诗。", max_tokens=48)
        return answer["usage"]["completion_tokens"]

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(tokens, range(clients))) / (time.perf_counter() - began)


def rows() -> Iterator[Row]:
    with own() as server:
        speed(server, 4)
        rounds = [[speed(server, clients) for clients in (1, 4, 16)] for _ in range(ROUNDS)]
    yield Row("tokens a second, 1 client", [one for one, _, _ in rounds], "tokens/s")
    yield Row("tokens a second, 4 clients ÷ 1 client", [four / one for one, four, _ in rounds])
    yield Row("tokens a second, 16 clients ÷ 1 client", [many / one for one, _, many in rounds])


if __name__ == "__main__":
    show(rows())
