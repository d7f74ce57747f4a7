"""A lesson as an assignment for nbgrader; what becomes of it there, `test_nbgrader` sees."""

import re

import nbformat
import pytest

from qwen_lab.course import assignment, lessons
from qwen_lab.course.exercises import exercises
from qwen_lab.paths import originals
from qwen_lab.setup import commands
from qwen_lab.setup.arguments import read
from qwen_lab.words import LANGUAGES, LabError, use

LESSONS = [(lang, name) for lang in LANGUAGES for name in lessons.names(lang) if name[:2] != "00"]


def test_there_are_31_exercises_in_both_languages(tmp_path):
    for language in LANGUAGES:
        use(language)
        written = assignment.write([], tmp_path / language)
        cells = [cell for path in written for cell in nbformat.read(path, as_version=4).cells]
        marks = [cell.metadata.get("nbgrader", {}) for cell in cells]
        assert sum(mark.get("points", 0) for mark in marks) == 31
        assert sum(mark.get("solution", False) for mark in marks) == 31


@pytest.mark.parametrize(("language", "name"), LESSONS)
def test_only_the_answers_are_the_students(language, name):
    lesson = originals() / language / name
    made = assignment.assignment(lesson)
    ids = [cell.metadata.nbgrader.grade_id for cell in made.cells if "nbgrader" in cell.metadata]
    assert len(ids) == len({*ids}) and all(re.fullmatch(r"[\w-]+", each) for each in ids)
    for before, after in zip(
        exercises(nbformat.read(lesson, as_version=4)), exercises(made), strict=True
    ):
        statement, answer, test, folds = (cell.metadata.get("nbgrader") for cell in after.cells)
        assert statement.locked and not statement.grade
        assert answer.solution and not answer.locked and not answer.grade
        assert test.grade and test.locked and test.points == 1 and folds is None
        starter, _, solution = after.cells[1].source.partition("\n### BEGIN SOLUTION\n")
        assert starter == before.cells[1].source
        assert solution == f"{before.solution}\n### END SOLUTION"
        # The hint stays, the solution is nowhere else.
        assert after.cells[3].source and before.cells[3].source.startswith(after.cells[3].source)
        assert before.solution not in after.cells[3].source
        code = after.cells[2].source
        compile(code, "test", "exec")
        assert 'status == "passed"' in code and "exercise=" not in code
    locked = [cell.metadata.nbgrader.locked for cell in made.cells if cell.cell_type == "code"]
    assert locked.count(False) == len(exercises(made))


def test_the_command_writes_what_is_asked_for_and_overwrites_nothing(tmp_path, capsys):
    to = tmp_path / "course" / "source"
    commands.nbgrader(read(["nbgrader", "2", "--to", str(to)]))
    [path] = to.rglob("*.ipynb")
    assert (
        path == to / "02_parameters" / "02_parameters.ipynb"
        and str(path) in capsys.readouterr().out
    )
    config = to.parent / "nbgrader_config.py"
    assert "ExecutePreprocessor.timeout = 300" in config.read_text(encoding="utf-8")
    config.write_text("mine", encoding="utf-8")
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(LabError, match="move it away"):
        commands.nbgrader(read(["nbgrader", "2", "--to", str(to)]))
    commands.nbgrader(read(["nbgrader", "3", "--to", str(to)]))
    assert path.read_text() == config.read_text() == "mine"


@pytest.mark.parametrize("number", ["0", "8"])
def test_a_lesson_that_has_no_exercises_is_refused(number, tmp_path):
    with pytest.raises(LabError, match="01, 02, 03"):
        commands.nbgrader(read(["nbgrader", number, "--to", str(tmp_path / "source")]))
    assert not (tmp_path / "source").exists()


def test_any_check_becomes_a_test_and_what_stands_before_it_stays():
    code = assignment._test('a = 1\ncheck(\n    a,\n    b="1",\n    exercise="02.1",\n)')
    assert code.endswith(
        'a = 1\njudged = check(\n    a,\n    b="1",\n)\nassert judged.status == "passed", judged'
    )
