"""How long `connect()` takes when the local Qwen runs, and when it must be started first.

Each in a fresh process that has imported what a lesson's kernel has; what `connect()` imports
beyond that counts. Goal where it runs: ≤ 50 ms.
"""

import subprocess
import sys
from collections.abc import Iterator

from server import own
from table import Row, show

from qwen_lab.endpoint import server

CONNECT = """
import time
import ipykernel.kernelapp
import qwen_lab
for _ in range(2):
    began = time.perf_counter()
    qwen_lab.connect("local")
    print(time.perf_counter() - began)
"""


def connect() -> tuple[float, float]:
    """Seconds for the first connection of a process, and for the second."""
    done = subprocess.run(
        [sys.executable, "-c", CONNECT], stdout=subprocess.PIPE, text=True, check=True
    )
    _, first, _, again = done.stdout.splitlines()
    return float(first), float(again)


def rows() -> Iterator[Row]:
    with own():
        running = [connect() for _ in range(10)]
        stopped = []
        for _ in range(3):
            server.stop()
            stopped.append(connect()[0])
    firsts, agains = ([1000 * each for each in times] for times in zip(*running, strict=True))
    yield Row("connect(), the local Qwen runs", firsts, "ms", "≤ 50")
    yield Row("connect(), once more in the same process", agains, "ms")
    yield Row("connect(), the local Qwen must be started", stopped, "s")


if __name__ == "__main__":
    show(rows())
