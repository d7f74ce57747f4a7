"""Lessons on the live Qwen in the page: 01 whole, and each exercise with the cells it needs.

They take three quarters of an hour, and are run by name.
"""

import ast

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from qwen_lab import paths
from qwen_lab.course import lessons
from qwen_lab.course.exercises import exercises
from qwen_lab.words import LANGUAGES, say, use

from .conftest import Begun, run, run_all, saved

pytestmark = [pytest.mark.page, pytest.mark.model]


@pytest.fixture(autouse=True)
def whole_page(request):
    if not request.config.getoption("--whole-page"):
        pytest.skip("--whole-page runs it")


def needed(notebook, exercise) -> str:
    """The solution of an exercise, after those cells of its lesson that give it its names."""
    before = notebook.cells[: notebook.cells.index(exercise.cells[0])]
    code = [cell.source for cell in before if cell.cell_type == "code"][1:]
    taken, names = [], _names(exercise.solution, ast.Load) | _names(exercise.check, ast.Load)
    for source in reversed(code):
        if names & _names(source, ast.Store):
            taken.append(source)
            names |= _names(source, ast.Load)
    return "\n".join([*reversed(taken), exercise.solution])


def _names(source: str, kind: type) -> set[str]:
    found, tree = set(), ast.parse(TransformerManager().transform_cell(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, kind):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom) and kind is ast.Store:
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found |= {node.name} if kind is ast.Store else set()
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_lesson_01_runs_whole_on_the_live_model(visit, language):
    lesson = f"{language}/01_basic_call.ipynb"
    begun = Begun(visit(), lesson)
    begun.page.reload()
    run_all(begun.page)
    cells = saved(begun.page, lesson)["cells"]
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
    notebook = lessons.read(paths.originals() / lesson)
    for exercise in exercises(notebook):
        told = run(
            begun.page, f"{needed(notebook, exercise)}\nprint(({exercise.check.strip()}).status)"
        )
        assert told.strip().endswith("passed"), (exercise.number, told)
