"""A lesson as an assignment for nbgrader: an answer is the student's, all other code is locked."""

import ast
import re
from pathlib import Path

import nbformat

from ..paths import originals
from ..words import LabError, joined, language, reason
from . import lessons
from .exercises import FOLDED, Exercise, exercises

ANSWER = "{}\n### BEGIN SOLUTION\n{}\n### END SOLUTION"
# Students get it without what is hidden, and nbgrader puts that back before it grades.
TEST = """\
### BEGIN HIDDEN TESTS
# The lab judges as it is installed, whatever the cells above have made of it.
import os
import sys

_here = os.getcwd()
sys.path[:] = [_ for _ in sys.path if os.path.isabs(_) and not _.startswith(_here)]
for _name in [*sys.modules]:
    # The answer may be an object of this part.
    if _name.startswith("qwen_lab") and not _name.startswith("qwen_lab.watch"):
        del sys.modules[_name]
import qwen_lab

### END HIDDEN TESTS
{}judged = {}
assert judged.status == "passed", judged"""
CONFIG = """\
c = get_config()
# The starter stands above each solution already.
c.ClearSolutions.code_stub = {"python": ""}
# A lesson asks Qwen some forty times.
c.ExecutePreprocessor.timeout = 300
# A file that comes with a submission is no module.
c.Execute.extra_arguments = ["--InteractiveShellApp.ignore_cwd=True"]
"""


def write(numbers: list[int], to: Path) -> list[Path]:
    """Write these lessons, or all that have exercises, each into a folder of its own under `to`.

    In the language in use. Beside `to` comes a configuration, where there is none. Raises
    `LabError` for a lesson that there is not, and where a file cannot be written or is there.
    """
    found = {int(name[:2]): name for name in lessons.names(language()) if name[:2] != "00"}
    for number in numbers:
        if number not in found:
            known = joined(f"{each:02d}" for each in found)
            raise LabError("lessons.no_such", number=number, lessons=known)
    return [_write(found[number], to) for number in numbers or found]


def _write(name: str, to: Path) -> Path:
    path = to / name.removesuffix(".ipynb") / name
    text = nbformat.writes(assignment(originals() / language() / name)) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        if not (config := to.parent / "nbgrader_config.py").exists():
            config.write_text(CONFIG, encoding="utf-8")
    except OSError as error:
        raise LabError("lessons.cannot_assign", path=path, reason=reason(error)) from error
    return path


def assignment(lesson: Path) -> nbformat.NotebookNode:
    """The lesson with its cells marked as nbgrader wants them, and no solution in its folds."""
    notebook = nbformat.read(lesson, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            _mark(cell)
    for exercise in exercises(notebook):
        _assign(exercise)
    return notebook


def _assign(exercise: Exercise) -> None:
    statement, answer, test, folds = exercise.cells
    answer.source = ANSWER.format(answer.source, exercise.solution)
    _mark(statement)
    _mark(answer, solution=True, locked=False)
    test.source = _test(exercise.check)
    _mark(test, grade=True, points=1)
    *_, solution = re.finditer(FOLDED, folds.source, re.S)
    folds.source = folds.source[: solution.start()].strip()


def _test(check: str) -> str:
    """The check as a test: it notes nothing, and raises where the answer has not passed."""
    code = re.sub(r',\s*exercise="[\d.]+"', "", check)
    at = ast.parse(code).body[-1].lineno - 1
    lines = code.splitlines(keepends=True)
    return TEST.format("".join(lines[:at]), "".join(lines[at:]))


def _mark(cell: nbformat.NotebookNode, **given: object) -> None:
    usual = {"grade": False, "solution": False, "locked": True, "task": False}
    named = {"grade_id": cell.id, "schema_version": 3, "cell_type": cell.cell_type}
    cell.metadata["nbgrader"] = usual | named | given
