"""What 30 clients that ask at once live through: whether all are answered, how long each waits,
and whether the server says meanwhile that it is well.

Every fifth has a seed and so wants the model alone. Goals: `/health` answers within 100 ms
(maximum ≤ 100), and all get their answer (≥ 30).
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from server import HTTP, ask, own
from table import Row, show

CLIENTS = 30


def rows() -> Iterator[Row]:
    with own() as server, ThreadPoolExecutor(CLIENTS) as pool:
        began = time.perf_counter()

        def wait(client: int) -> float:
            seed = {} if client % 5 else {"seed": client}
            ask(server, f"{client}：写一首关于大海的长诗。", max_tokens=8, **seed)
            return time.perf_counter() - began

        clients = [pool.submit(wait, client) for client in range(CLIENTS)]
        health = []
        while not all(client.done() for client in clients):
            asked = time.perf_counter()
            HTTP.get(f"http://127.0.0.1:{server.port}/health").raise_for_status()
            health.append(1000 * (time.perf_counter() - asked))
            time.sleep(0.02)
        waits = [client.result() for client in clients if not client.exception()]
    yield Row("/health answers, 30 clients at once", health, "ms", "maximum ≤ 100")
    yield Row("clients of 30 that were answered", [len(waits)], "clients", "≥ 30")
    yield Row("time until a client of 30 was answered", waits, "s")


if __name__ == "__main__":
    show(rows())
