"""Whether a lesson under nbval ever stalls: many runs, two at a time, on a machine that is busy.

    .venv/bin/python tests/benchmarks/stalls.py [runs]

Goals: of 40 runs none fails and none stalls (≤ 0).
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from load import two_busy_loops
from table import Row, show

from qwen_lab import paths
from qwen_lab.course import lessons

# A run takes seconds; one that is not back by now is not coming back.
STALL = 120


def run(lesson: Path) -> tuple[str, float]:
    command = [sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider", str(lesson)]
    began = time.monotonic()
    try:
        done = subprocess.run(command, cwd=paths.ROOT, stdout=subprocess.DEVNULL, timeout=STALL)
    except subprocess.TimeoutExpired:
        return "stalled", STALL
    return "failed" if done.returncode else "passed", time.monotonic() - began


def rows(runs: int) -> Iterator[Row]:
    both = [
        paths.originals() / lang / name for lang in ("zh", "en") for name in lessons.names(lang)
    ]
    with two_busy_loops(), ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, (both * runs)[:runs]))
    outcomes, seconds = zip(*results, strict=True)
    yield Row("runs of a lesson that failed", [outcomes.count("failed")], f"of {runs}", "≤ 0")
    yield Row("runs of a lesson that stalled", [outcomes.count("stalled")], f"of {runs}", "≤ 0")
    yield Row("a run of a lesson on a busy machine", list(seconds), "s")


if __name__ == "__main__":
    show(rows(int(sys.argv[1]) if len(sys.argv) > 1 else 40))
