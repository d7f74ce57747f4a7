"""The table that the benchmarks print, a row for each thing measured. Not a benchmark itself.

Plain text in columns, and Markdown too, so that it can be put into an issue as it is.
"""

import operator
import os
import statistics
from collections.abc import Iterable
from typing import NamedTuple

COLUMNS = ("what", "minimum", "median", "maximum", "unit", "goal")
WIDTHS = (58, 8, 8, 8, 10, 22)
# Set where the head has been printed already, for all the benchmarks of one run.
HEADED = "QWEN_LAB_BENCH_HEADED"
MIDDLE = {"minimum": min, "median": statistics.median, "maximum": max}
SIGNS = {"≥": operator.ge, "≤": operator.le}


class Row(NamedTuple):
    """One thing measured. `goal` is "≥ 0.97" or "≤ 50" for the median, or "maximum ≤ 100"."""

    what: str
    samples: list[float]
    unit: str = ""
    goal: str = ""

    @property
    def verdict(self) -> str:
        """The goal, and whether it is met; nothing where there is no goal."""
        if not self.goal:
            return ""
        *which, sign, limit = self.goal.split()
        value = MIDDLE[which[0] if which else "median"](self.samples)
        return self.goal + (", met" if SIGNS[sign](value, float(limit)) else ", MISSED")


def show(rows: Iterable[Row]) -> None:
    """Print each row as soon as it is measured, under the head."""
    if not os.environ.get(HEADED):
        head()
    for row in rows:
        numbers = [_number(middle(row.samples)) for middle in MIDDLE.values()]
        _line(row.what, *numbers, row.unit, row.verdict)


def head() -> None:
    """Print the names of the columns."""
    _line(*COLUMNS)
    # The colon is Markdown for a column of numbers.
    rules = ["-" * width for width in WIDTHS]
    _line(*(rule[1:] + ":" if 1 <= at <= 3 else rule for at, rule in enumerate(rules)))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _line(*cells: str) -> None:
    aligned = [
        cell.rjust(width) if 1 <= at <= 3 else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    ]
    print("|", " | ".join(aligned), "|", flush=True)
