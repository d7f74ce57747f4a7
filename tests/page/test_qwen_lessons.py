"""Lessons on the live Qwen in the page: 01 whole, and each exercise with the cells it needs.

They take three quarters of an hour, and are run by name.
"""

import ast
from symtable import SymbolTable, symtable

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from qwen_lab import paths
from qwen_lab.course import lessons
from qwen_lab.course.exercises import exercises
from qwen_lab.words import LANGUAGES, say, use

from .conftest import Begun, fetched, run, run_all, saved

pytestmark = [pytest.mark.page, pytest.mark.model]


@pytest.fixture(autouse=True)
def whole_page(request):
    if not request.config.getoption("--whole-page"):
        pytest.skip("--whole-page runs it")


def needed(notebook, exercise) -> list[str]:
    """The cells of a lesson that an exercise's solution needs, and what tells its status."""
    before = notebook.cells[: notebook.cells.index(exercise.cells[0])]
    code = [cell.source for cell in before if cell.cell_type == "code"][1:]
    taken = [f"{exercise.solution}\n{_status(exercise.check)}"]
    wanted, _ = _names(taken[0])
    for source in reversed(code):
        uses, gives = _names(source)
        if wanted & gives:
            taken.append(source)
            wanted = (wanted - gives) | uses
    return taken[::-1]


def _status(check: str) -> str:
    """The check's cell, whose last expression is the outcome, as one that prints its status."""
    lines, last = check.splitlines(), ast.parse(check).body[-1].lineno - 1
    return "\n".join([*lines[:last], "print((", *lines[last:], ").status)"])


def _names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell has from elsewhere, and those that it gives."""
    table = symtable(TransformerManager().transform_cell(source), "cell", "exec")
    gives = {
        each.get_name() for each in table.get_symbols() if each.is_assigned() or each.is_imported()
    }
    return _read(table) - gives, gives


def _read(table: SymbolTable) -> set[str]:
    """The names of the module that are read in this part of it, and in the parts of that."""
    found = {
        each.get_name() for each in table.get_symbols() if each.is_referenced() and each.is_global()
    }
    return found.union(*map(_read, table.get_children()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_lesson_01_runs_whole_on_the_live_model(visit, language):
    lesson = f"{language}/01_basic_call.ipynb"
    page = fetched(visit()).open(lesson)
    run_all(page)
    cells = saved(page, lesson)["cells"]
    outputs = {cell["id"].split("--")[-1]: cell.get("outputs") for cell in cells}
    kinds = {output["output_type"] for each in outputs.values() for output in each or ()}
    # The starters of the exercises are no answers, which their checks say without an error.
    assert "error" not in kinds
    use(language)
    told = "".join("".join(output.get("text", "")) for output in outputs["setup"])
    assert say("connection.browser", model="qwen2.5-coder-0.5b-instruct") in told


SOLVED = [f"en/{name}" for name in lessons.names("en")[1:]] + ["zh/01_basic_call.ipynb"]


@pytest.mark.parametrize("lesson", SOLVED)
def test_each_solution_passes_with_only_the_cells_it_needs(visit, lesson):
    begun = Begun(visit(), lesson)
    notebook, ran = lessons.read(paths.originals() / lesson), set()
    for exercise in exercises(notebook):
        cells = [cell for cell in needed(notebook, exercise) if cell not in ran]
        told = run(begun.page, "\n".join(cells))
        ran |= {*cells}
        assert told.strip().endswith("passed"), (exercise.number, told)
