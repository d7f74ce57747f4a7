"""How long nbval takes to compare all lessons of both editions with their tapes, two at a time.

A kernel for each lesson, and no model. Goal: ≤ 120 s on two cores.
"""

import subprocess
import sys
import time
from collections.abc import Iterator

from table import Row, show

from qwen_lab.paths import ROOT

ROUNDS = 3


def seconds() -> float:
    """Of one comparison of all; stops with pytest's words if an output is not as stored."""
    chosen = ["--nbval", "notebooks", "-n", "2", "--dist", "loadscope", "-p", "no:cacheprovider"]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *chosen], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stdout)
    return time.perf_counter() - began


def rows() -> Iterator[Row]:
    yield Row("nbval over all lessons, zh and en", [seconds() for _ in range(ROUNDS)], "s", "≤ 120")


if __name__ == "__main__":
    show(rows())
