"""Learners of a class who have a browser and nothing else: the page at the class's own address."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from qwen_lab import paths
from qwen_lab.course import lessons
from qwen_lab.course.exercises import exercises
from qwen_lab.words import say, use

from .conftest import UNTRUSTED, Visit, needed, run, run_all, saved
from .test_lessons import of
from .test_visit import ASK, CONNECT, SAY, WHO

pytestmark = pytest.mark.page

LESSON = "en/01_basic_call.ipynb"
# The command as it is, but for the model: the tapes of lesson 01 answer, over and over.
CLASS = """
import sys
from pathlib import Path
from qwen_lab.classroom import config, door
from qwen_lab.endpoint.tape import Player, _key
from qwen_lab.setup import arguments, commands

class Tape(Player):
    # In a class each call is kept apart, which the tape knows only of those with a seed.
    def _find(self, ask):
        known = _key(ask) in self._exchanges
        return super()._find(ask if known else ask | {"alone": False})

tape, name, *given = sys.argv[1:]
door.NEAR = config.NEAR = (*config.NEAR, name)
door._local = lambda place: lambda: Tape(Path(tape), endless=True)
commands.class_(arguments.read(["class", *given]))
"""
STREAM = """
whole = c.chat.completions.create(model=lab.model, stream=True, messages=%s)
print(''.join(chunk.choices[0].delta.content or '' for chunk in whole if chunk.choices))
""" % (WHO % "Who are you?")  # fmt: skip
LATER = """
from openai import AsyncOpenAI; a = AsyncOpenAI(base_url=lab.base_url, api_key=lab.api_key)
slow = dict(extra_headers={'X-Lab-Latency': '%s'}, model=lab.model, messages=%s)
"""
WAITED = "print(c.chat.completions.create(**slow).choices[0].message.content)"
AWAITED = "print((await a.chat.completions.create(**slow)).choices[0].message.content)"


class Class:
    """A class that is open: where it is, each learner's code, and what it has been told."""

    def __init__(self, url: str, home: Path, process: subprocess.Popen) -> None:
        self.port, self._home, self.process = int(re.search(r":(\d+)/", url)[1]), home, process
        with (home / "class/seats.csv").open(encoding="utf-8", newline="") as file:
            self.codes = dict(csv.reader(file))

    def passed(self, name: str) -> list[str]:
        """The exercises that a learner has passed, as the teacher sees it."""
        kept = map(paths.read_json, (self._home / "class/progress").glob("*.json"))
        tried = next((each["exercises"] for each in kept if each["name"] == name), {})
        return sorted(number for number, each in tried.items() if each["status"] == "passed")


@contextmanager
def opened(folder: Path, *given: str) -> Iterator[Class]:
    needed(shutil.which("npm"), "npm")
    tape, originals = folder / "tape.jsonl", paths.originals() / "tape"
    first, *others = originals.glob("*/01_*.jsonl")
    texts = [each.read_text(encoding="utf-8").splitlines() for each in others]
    more = [line for text in texts for line in text[1:]]
    tape.write_text("\n".join([*first.read_text(encoding="utf-8").splitlines(), *more]), "utf-8")
    command = [sys.executable, "-c", CLASS, str(tape), UNTRUSTED, *given, "--page"]
    environment = os.environ | {"QWEN_LAB_HOME": str(folder), "QWEN_LAB_LANG": "en"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        said = [*takewhile(lambda line: say("classroom.end") not in line, process.stdout)]
        try:
            yield Class(re.search(r"http\S+", "".join(said))[0], folder, process)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Iterator[Class]:
    with opened(tmp_path_factory.mktemp("room"), "Ada", "小明") as room:
        yield room


@pytest.fixture
def come_in(visit, room) -> Callable[..., Visit]:
    """Open the first page in a browser, and enter a code."""

    def come_in(name: str, code: str | None = None, at: Class = room, **browser: object) -> Visit:
        here = visit(**browser, port=at.port)
        page = here.context.new_page()
        page.goto(here.root)
        form = page.locator("section[lang=en]")
        form.get_by_label(say("page.class_code")).fill(code or at.codes[name])
        form.get_by_role("button", name=say("page.class_enter")).click()
        told = say("page.class_wrong") if code else say("page.class_known", name=name)
        expect(form).to_contain_text(told)
        page.close()
        return here

    return come_in


def solve(page: Page, lesson: str) -> list[str]:
    """Write the solution of each exercise into its cell; the numbers of the exercises."""
    notebook = lessons.read(paths.originals() / lesson)
    code = [cell.id for cell in notebook.cells if cell.cell_type == "code"]
    found = exercises(notebook)
    for each in found:
        at = page.locator(".jp-Notebook .jp-CodeCell").nth(code.index(each.cells[1].id))
        at.scroll_into_view_if_needed()
        at.locator(".cm-content").fill(each.solution)
    return [each.number for each in found]


@pytest.mark.parametrize(
    ("name", "lesson", "browser"),
    [("小明", "zh/01_basic_call.ipynb", {}), ("Ada", "en/01_basic_call.ipynb", None)],
    ids=["a browser that can all", "plain http and one that can less"],
)
def test_a_learner_runs_a_lesson_and_solves_its_exercises(
    name, lesson, browser, come_in, room, request
):
    if browser is not None and not request.config.getoption("--whole-page"):
        pytest.skip("--whole-page runs them all")
    use("en")
    less = {"host": UNTRUSTED, "switches": False}
    here = come_in(name, **(less if browser is None else browser))
    page = here.open(lesson)
    numbers = solve(page, lesson)
    run_all(page)
    played = saved(page, lesson)
    stored = json.loads((paths.originals() / lesson).read_text(encoding="utf-8"))
    found, expected = of(played), of(stored)
    told = {name: shown for name, shown in found.items() if not name.startswith("exercise")}
    assert told == {name: expected[name] for name in told}
    assert len(numbers) == 3 and room.passed(name) == numbers
    assert here.outside() == []


def test_who_asks_and_what_is_left_and_lost_is_said(come_in, room, tmp_path, request):
    if not request.config.getoption("--whole-page"):
        pytest.skip("--whole-page runs it")
    use("en")
    with opened(tmp_path, "Ada", "--tokens", "1200") as small:
        page = come_in("Ada", at=small, host=UNTRUSTED, switches=False).open(LESSON)
        told = run(page, CONNECT.format("") + ASK + STREAM)
        assert "Your seat: Ada" in told and "You have 1200 tokens left." in told
        assert say("page.plain") in told and say("page.one_piece") in told
        assert "How can I assist you today?" in told
        assert "budget" in run(page, f"for _ in range(9): {SAY % (WHO % 'Who are you?')}")
        small.process.terminate()
        small.process.wait()
        assert "APIConnectionError" in run(page, SAY % (WHO % "Who are you?"))
        closed = f"http://{UNTRUSTED}:{small.port}/compatible-mode/v1"
        assert say("connection.class_closed", url=closed) in run(page, "lab.left()")


def test_answers_may_take_their_time_and_one_that_is_left_ends(come_in, request):
    if not request.config.getoption("--whole-page"):
        pytest.skip("--whole-page runs it")
    use("en")
    page = come_in("Ada").open(LESSON)
    told = run(page, CONNECT.format("") + ASK + STREAM)
    assert say("page.one_piece") not in told and say("page.plain") not in told
    assert "How can I assist you today?" in told
    slow = LATER % (6, WHO % "Who are you?")
    assert "How can I assist you today?" in run(page, slow + AWAITED)
    assert "How can I assist you today?" in run(page, WAITED)


def test_without_a_seats_code_a_cell_says_where_to_enter_one(come_in, visit, room, request):
    if not request.config.getoption("--whole-page"):
        pytest.skip("--whole-page runs it")
    use("en")
    here = come_in("Ada", code="aaaa-bbbb-cccc-dddd")
    page = here.open(LESSON)
    assert say("page.no_seat", url=here.root) in run(page, CONNECT.format(""))
    assert say("page.no_keys") in run(page, CONNECT.format("'dashscope', "))
    assert "Recorded answers" in run(page, CONNECT.format("'replay', "))
