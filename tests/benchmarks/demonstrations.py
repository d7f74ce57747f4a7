"""What the lessons show by the model's words: for how many of 20 seeds the point shows.

Goal: ≥ 18 of 20 for each, in both languages. `bench demonstrations` takes all lessons; run by
itself, this file takes words too, and measures what has them all in its row.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from learner import Learner
from server import own
from table import Row, show

SEEDS = range(20)
LESSONS = sorted(path.stem for path in Path(__file__).parent.glob("lesson_*.py"))


def rows(wanted: list[str]) -> Iterator[Row]:
    with own() as server:
        for name in LESSONS:
            lesson = import_module(name)
            for shown in lesson.DEMONSTRATIONS:
                for language, words in lesson.PROMPTS.items():
                    what = f"{name[-2:]} {language}: {shown.point}"
                    if all(word in what for word in wanted):
                        learner = Learner(server, words)
                        times = sum(shown.holds(learner, seed) for seed in SEEDS)
                        yield Row(what, [times], "of 20", "≥ 18")


if __name__ == "__main__":
    show(rows(sys.argv[1:]))
