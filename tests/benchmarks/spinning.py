"""What it is worth that the engine's threads spin only briefly while they wait for each other.

Tokens a second beside two busy loops, with the lab's GOMP_SPINCOUNT ÷ with that of GNU OpenMP
(300,000); and the same on a machine that does nothing else. Goals: ≥ 1 in both.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext

from load import two_busy_loops
from server import ask, here
from table import Row, show

PAIRS = 4
USUAL = {"GOMP_SPINCOUNT": "300000"}


def speed(settings: dict[str, str]) -> float:
    """Tokens a second of an engine in a fresh process with these settings."""
    clean = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    command = [sys.executable, __file__, "engine"]
    done = subprocess.run(
        command, env=clean | settings, stdout=subprocess.PIPE, text=True, check=True
    )
    return float(done.stdout)


def engine() -> None:
    with here() as server:
        ask(server, "你是谁？", max_tokens=8)
        began = time.perf_counter()
        answer = ask(server, "写一首关于大海的长诗。", seed=1, max_tokens=100)
        print(answer["usage"]["completion_tokens"] / (time.perf_counter() - began))


def rows() -> Iterator[Row]:
    for where, load in {"beside two busy loops": two_busy_loops, "alone": nullcontext}.items():
        with load():
            pairs = [(speed({}), speed(USUAL)) for _ in range(PAIRS)]
        ratios = [ours / usual for ours, usual in pairs]
        yield Row(f"tokens a second {where}, short spin", [ours for ours, _ in pairs], "tokens/s")
        yield Row(f"tokens a second {where}, short spin ÷ usual", ratios, "", "≥ 1")


if __name__ == "__main__":
    engine() if sys.argv[1:] == ["engine"] else show(rows())
