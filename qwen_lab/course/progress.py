"""How far the learner has come: every exercise and quiz of the course, as a table."""

import re

import nbformat

from ..paths import originals
from ..views.html import Html, View, join, row, table
from ..words import language, say
from . import lessons, log
from .exercises import exercises

SIGNS = {"passed": "✓", "wrong": "✗", "open": "·"}
QUESTIONS = 3


def progress() -> View:
    """The exercises that passed, that were tried, and that are open, lesson by lesson.

    Beside them stands the score of each quiz. What it knows lies in one file on this machine.

    >>> qwen_lab.progress()
    0 of 31 exercises passed
    01 Basic call: · · ·  –
    ...
    """
    noted = log.read()
    rows = [_Row(name, noted) for name in lessons.names(language())]
    rows = [each for each in rows if each.signs]
    passed = sum(list(each.signs.values()).count("passed") for each in rows)
    words = say("progress.passed", passed=passed, count=sum(len(each.signs) for each in rows))
    heads = (say(f"progress.{name}") for name in ("lesson", "exercises", "quiz"))
    html = Html('<div class="qwen-progress"><p>{}</p>{}<small>{}</small></div>')
    html = html.format(words, table((each.html for each in rows), *heads), say("progress.legend"))
    return View(html, "\n".join([words, *(each.text for each in rows)]), "progress")


class _Row:
    """One lesson: its title, and how each exercise and the quiz stand."""

    def __init__(self, name: str, noted: dict[str, dict]) -> None:
        lesson = nbformat.read(originals() / language() / name, as_version=4)
        self.name, self.title = name, re.match(r"# (.+)", lesson.cells[0].source)[1]
        numbers = [exercise.number for exercise in exercises(lesson)]
        self.signs = {number: noted[log.EXERCISES].get(number, "open") for number in numbers}
        right = noted[log.QUIZZES].get(name[:2])
        self.answered = "–" if right is None else f"{right}/{QUESTIONS}"

    @property
    def html(self) -> Html:
        signs = join(_sign(number, status) for number, status in self.signs.items())
        link = Html('<a href="{}">{}</a>').format(self.name, self.title)
        return row(link, signs, self.answered)

    @property
    def text(self) -> str:
        signs = " ".join(SIGNS.get(status, SIGNS["open"]) for status in self.signs.values())
        return f"{self.title}: {signs}  {self.answered}"


def _sign(number: str, status: str) -> Html:
    status = status if status in SIGNS else "open"
    words = say("progress.open") if status == "open" else say(f"checks.{status}")
    told = say("progress.tried", number=number, status=words)
    sign = Html('<b class="{}" title="{}" aria-label="{}">{}</b>')
    return sign.format(status, told, told, SIGNS[status])
