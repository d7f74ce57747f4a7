import nbformat

from qwen_lab.course import lessons
from qwen_lab.course.exercises import exercises


def lesson(language):
    return nbformat.read(lessons.originals() / language / "01_basic_call.ipynb", as_version=4)


def test_a_lesson_tells_its_exercises_in_order():
    for language in ("en", "zh"):
        assert [each.number for each in exercises(lesson(language))] == ["01.1", "01.2", "01.3"]


def test_an_exercise_has_its_check_and_its_solution():
    second = exercises(lesson("en"))[1]
    assert second.check.startswith("qwen_lab.checks.response.finish_reason(")
    assert second.solution.startswith("completion = client.chat.completions.create(")


def test_a_notebook_without_exercises_has_none():
    assert exercises(nbformat.v4.new_notebook()) == []


def test_a_fold_without_code_is_no_solution():
    cells = lesson("en").cells
    at = next(at for at, cell in enumerate(cells) if cell.id == "exercise-1-hint")
    cells[at].source = cells[at].source.replace("```python", "```")
    assert exercises(nbformat.v4.new_notebook(cells=cells))[0].solution is None
