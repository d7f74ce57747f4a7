"""Every exercise of every lesson: untouched it is not yet done, and its own solution passes.

The lessons' code runs here on their tapes, which hold the calls of the solutions too.
"""

import ast
import asyncio
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import qwen_lab
from qwen_lab.course import lessons, record
from qwen_lab.course.exercises import FOLDED, HEADING, exercises
from qwen_lab.words import LANGUAGES

from . import cells

KINDS = ["markdown", "code", "code", "markdown"]
HINT = """<details>
<summary>Hint</summary>

Look above.

</details>

<details>
<summary>Solution</summary>

```python
{}
```

</details>"""


SETUP = """import qwen_lab
from openai import AsyncOpenAI, OpenAI
from qwen_lab import checks
lab = qwen_lab.connect(lang="en")
client = OpenAI(base_url=lab.base_url, api_key=lab.api_key)
hi = [{"role": "user", "content": "Hi"}]"""
CALL = "client.chat.completions.create(model=lab.model, messages=hi, max_tokens=3)"


def sample():
    """A lesson with two exercises, as the convention has them."""
    setup = [new_markdown_cell("# 01 Sample"), new_code_cell(SETUP)]
    first = exercise("01.1", "messages.roles(answer, 'user', ", "hi")
    second = exercise("01.2", "response.finish_reason(answer, 'length', ", CALL)
    return new_notebook(cells=[*setup, *first, *second])


def exercise(number, check, solution):
    return [
        new_markdown_cell(f"### Exercise {number}\n\nDo it."),
        new_code_cell("answer = ...", metadata={"tags": ["exercise"]}),
        new_code_cell(f'checks.{check}exercise="{number}")', metadata={"tags": ["check"]}),
        new_markdown_cell(HINT.format(f"answer = {solution}")),
    ]


def read():
    found = {"sample": ("01", sample())}
    for language in LANGUAGES:
        for name in lessons.names(language):
            notebook = nbformat.read(lessons.originals() / language / name, as_version=4)
            found[f"{language}-{name.removesuffix('.ipynb')}"] = (name[:2], notebook)
    return found


LESSONS = read()
PRACTISED = [name for name in LESSONS if name != "sample" and not name.endswith("00_tour")]


def faults(lesson, number):
    """What keeps the lesson's exercises from being as the convention has them."""
    there = exercises(lesson)
    numbers = [each.number for each in there]
    starts = [lesson.cells.index(each.cells[0]) for each in there]
    right = [f"{number}.{count}" for count in range(1, len(there) + 1)]
    found = [] if numbers == right else [f"numbered {numbers}"]
    for step, tag in enumerate(["exercise", "check"], 1):
        tagged = [i for i, cell in enumerate(lesson.cells) if tag in cell.metadata.get("tags", [])]
        found += [] if tagged == [start + step for start in starts] else [f"{tag}: {tagged}"]
    return found + [fault for each in there for fault in misshapen(each)]


def misshapen(exercise):
    """Which parts of one exercise are not as they should be."""
    if [cell.cell_type for cell in exercise.cells] != KINDS:
        return ["the order of the cells"]
    statement, stub, check, hint = (cell.source for cell in exercise.cells)
    values = [node.value for node in ast.walk(ast.parse(stub)) if isinstance(node, ast.Constant)]
    kept = {
        "a statement": re.sub(HEADING, "", statement).strip(),
        "a stub with ...": ... in values,
        "a call of a check": re.search(r"\bchecks\.\w+\.\w+\(", check),
        "its number for the log": f'exercise="{exercise.number}"' in check,
        "a hint and a solution, folded": len(re.findall(FOLDED, hint, re.S)) == 2,
        "a solution in code, second": exercise.solution,
    }
    return [part for part, there in kept.items() if not there]


@pytest.fixture
def fake(lab, monkeypatch):
    """`connect()` gives the app over a fake engine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(qwen_lab, "connect", lambda endpoint=None, *, lang=None: lab)


@pytest.fixture(params=PRACTISED)
def lesson(request, monkeypatch):
    """A lesson, whose `connect()` gives its tape."""
    language, stem = request.param.split("-")
    tape = lessons.originals() / "tape" / language / f"{stem}.jsonl"
    for name, value in record.replaying(tape).items():
        monkeypatch.setenv(name, value)
    return LESSONS[request.param][1]


def stored(lesson):
    """What the checks said when the lesson was recorded; nbval holds that they still say it."""
    checks = [cell for cell in lesson.cells if "check" in cell.metadata.get("tags", [])]
    outputs = [output for cell in checks for output in cell.outputs]
    return [output.data["text/plain"].partition(":")[0] for output in outputs]


def outcomes(lesson, solved):
    """What the checks say when the lesson runs, with the stubs or with the solutions."""
    return asyncio.run(play(lesson, solved))


async def play(lesson, solved):
    # In a running loop, as in Jupyter, so that cells may await.
    names, said = cells.fresh(), []
    solutions = {each.cells[1].id: each.solution for each in exercises(lesson) if solved}
    try:
        for cell in lesson.cells:
            source = solutions.get(cell.id, cell.source)
            value = await cells.run(source, names) if cell.cell_type == "code" else None
            said += [value] if "check" in cell.metadata.get("tags", []) else []
        return said
    finally:
        await cells.close(names)


@pytest.mark.parametrize("name", LESSONS)
def test_the_exercises_of_a_lesson_keep_the_convention(name):
    number, lesson = LESSONS[name]
    assert faults(lesson, number) == []


@pytest.mark.parametrize("name", PRACTISED)
def test_every_check_of_an_unsolved_lesson_says_not_yet(name):
    lesson = LESSONS[name][1]
    assert stored(lesson) == ["not yet"] * len(exercises(lesson)) != []


def test_the_solutions_of_a_lesson_pass(lesson):
    said = outcomes(lesson, solved=True)
    assert said and [outcome for outcome in said if outcome.status != "passed"] == []


@pytest.mark.parametrize(
    ("cell", "old", "new"),
    [
        (2, "01.1", "01.2"),
        (2, "01.1", "02.1"),
        (2, "### Exercise", "### Exercice"),
        (2, "Do it.", ""),
        (3, "...", "[]"),
        (4, "checks.messages.roles", "print"),
        (4, 'exercise="01.1"', 'exercise="01.2"'),
        (5, "</details>", ""),
        (5, "</summary>\n\n", "</summary>\n"),
        (5, "```python", "```"),
        (9, "</details>\n\n<details>", ""),
    ],
)
def test_a_misshapen_exercise_is_noticed(cell, old, new):
    lesson = sample()
    assert old in lesson.cells[cell].source
    lesson.cells[cell].source = lesson.cells[cell].source.replace(old, new)
    assert faults(lesson, "01")


@pytest.mark.parametrize("cell", [2, 3, 4, 5])
def test_a_missing_cell_or_tag_is_noticed(cell):
    untagged, shorter = sample(), sample()
    untagged.cells[cell].metadata.tags = ["check"] if cell != 4 else []
    del shorter.cells[cell]
    assert faults(untagged, "01") and faults(shorter, "01")


@pytest.mark.usefixtures("fake")
def test_a_solution_that_is_wrong_is_noticed():
    lesson = sample()
    lesson.cells[9].source = lesson.cells[9].source.replace("max_tokens=3", "max_tokens=300")
    assert [outcome.status for outcome in outcomes(lesson, solved=True)] == ["passed", "wrong"]


@pytest.mark.usefixtures("fake")
def test_a_stub_that_is_solved_is_noticed():
    lesson = sample()
    lesson.cells[3].source = exercises(lesson)[0].solution
    assert [outcome.status for outcome in outcomes(lesson, solved=False)] == ["passed", "not yet"]


def test_a_stored_outcome_of_a_solved_stub_is_noticed():
    lesson = sample()
    for at, said in ((4, "passed: Right."), (8, "not yet: Go on.")):
        shown = new_output("execute_result", {"text/plain": said}, execution_count=1)
        lesson.cells[at].outputs = [shown]
    assert stored(lesson) == ["passed", "not yet"]


@pytest.mark.usefixtures("fake")
def test_a_cell_may_await():
    sources = ["import asyncio", "await asyncio.sleep(0, 'done')"]
    lesson = new_notebook(cells=[new_code_cell(source) for source in sources])
    lesson.cells[1].metadata.tags = ["check"]
    assert outcomes(lesson, solved=False) == ["done"]
