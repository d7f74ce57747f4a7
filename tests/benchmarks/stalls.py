"""Whether a lesson under nbval ever stalls: many runs, two at a time, on a machine that is busy.

    .venv/bin/python tests/benchmarks/stalls.py [runs]

Prints how many runs passed, failed and stalled, and the minimum, median and maximum of seconds.
"""

import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from qwen_lab import lessons, recording

SANITIZE = Path(__file__).parents[1] / "notebooks" / "sanitize.cfg"
# A run takes seconds; one that is not back by now is not coming back.
STALL = 120


def run(lesson: Path) -> tuple[str, float]:
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q"]
    options = ["--nbval-cell-timeout=60", f"--nbval-sanitize-with={SANITIZE}", "-c", os.devnull]
    began = time.monotonic()
    try:
        done = subprocess.run(
            [*command, *options, "-p", "no:cacheprovider", lesson.name],
            cwd=lesson.parent,
            env={**os.environ, **recording.replaying(lessons.tape(lesson))},
            stdout=subprocess.DEVNULL,
            timeout=STALL,
        )
    except subprocess.TimeoutExpired:
        return "stalled", STALL
    return "failed" if done.returncode else "passed", time.monotonic() - began


def main(runs: int) -> None:
    both = [
        lessons.originals() / lang / name for lang in ("zh", "en") for name in lessons.names(lang)
    ]
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(run, (both * runs)[:runs]))
    finally:
        for each in load:
            each.kill()
    outcomes, seconds = zip(*results, strict=True)
    print({each: outcomes.count(each) for each in ("passed", "failed", "stalled")})
    low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
    print(f"seconds a run: min {low:.1f}, median {middle:.1f}, max {high:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
