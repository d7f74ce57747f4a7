"""The exercises of a lesson, as they stand in its notebook.

Each is four cells: the statement under its heading, a starter with a `...` in it, the check of the
answer, and a hint and a solution, folded.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..paths import originals
from ..words import language
from . import lessons

if TYPE_CHECKING:
    from nbformat import NotebookNode

HEADING = r"### (?:Exercise|练习) (\d\d\.\d+)\s"
# Markdown inside <details> is Markdown only after an empty line.
FOLDED = r"<details>\s*<summary>[^<\n]+</summary>\n\n(.+?)\n\n</details>"
FENCE = r"```python\n(.+?)\n```"
CELLS = 4


@dataclass(frozen=True)
class Exercise:
    """An exercise: its number, "02.1", and its cells, four where it is as it should be."""

    number: str
    cells: list["NotebookNode"]

    @property
    def check(self) -> str:
        """The code that judges the answer."""
        return self.cells[2].source

    @property
    def solution(self) -> str | None:
        """The code in the last fold of its last cell."""
        folded = re.findall(FOLDED, self.cells[-1].source, re.S)
        code = re.search(FENCE, folded[-1], re.S) if folded else None
        return code and code[1]


def exercises(lesson: "NotebookNode") -> list[Exercise]:
    """The exercises of a notebook, in order."""
    return [
        Exercise(heading[1], lesson.cells[at : at + CELLS])
        for at, cell in enumerate(lesson.cells)
        if (heading := re.match(HEADING, cell.source))
    ]


def numbers() -> list[str]:
    """The number of every exercise of the course, in order."""
    paths = [originals() / language() / name for name in lessons.names(language())]
    read = map(lessons.read, paths)
    return [exercise.number for lesson in read for exercise in exercises(lesson)]
