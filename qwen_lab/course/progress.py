"""How far the learner has come: a bar for each lesson, and the way on."""

import re

from .. import report
from ..paths import originals
from ..views.html import SIGNS, Html, View, join, row, sign, table
from ..words import language, say
from . import lessons, log
from .exercises import exercises

QUESTIONS = 3


def progress() -> View:
    """The exercises that passed, that were tried, and that are open, and what comes next.

    Each lesson is a bar, one part an exercise, with the score of its quiz beside it. What it knows
    lies in one file on this machine.

    >>> qwen_lab.progress()
    0 of 31 exercises passed
    01 Basic call: · · ·  –
    ...
    Next: 01 Basic call, exercise 01.1
    """
    noted = log.read()
    rows = [_Row(name, noted) for name in lessons.names(language())]
    rows = [each for each in rows if each.signs]
    passed, count = sum(each.passed for each in rows), sum(len(each.signs) for each in rows)
    words = say("progress.count", passed=passed, count=count)
    heads = (say(f"progress.{name}") for name in ("lesson", "exercises", "quiz"))
    html = Html(
        '<div class="qwen-progress"><p>{}</p><div class="whole"><div style="width:{:.0f}%"></div>'
        "</div>{}{}<p>{}</p><small>{}</small></div>"
    )
    ahead = [each for each in rows if each.next][:1]
    link = Html('<p class="next">→ <a href="{}">{}</a></p>')
    way = join(link.format(each.name, each.next) for each in ahead)
    listed = table((each.html for each in rows), *heads)
    html = html.format(words, 100 * passed / count, way, listed, _legend(), _kept())
    told = [words, *(each.text for each in rows), *(each.next for each in ahead)]
    return View(html, "\n".join(told))


def _legend() -> Html:
    """What the signs mean."""
    words = {status: say(f"progress.{status}") for status in ("passed", "wrong", "open")}
    one = Html('<span class="bar">{} <small>{}</small></span> ')
    return join(one.format(sign(status), told) for status, told in words.items())


def _kept() -> str:
    return say("progress.kept_class" if report.is_told() else "progress.kept")


class _Row:
    """One lesson: its title, and how each exercise and the quiz stand."""

    def __init__(self, name: str, noted: dict[str, dict]) -> None:
        lesson = lessons.read(originals() / language() / name)
        self.name, self.title = name, re.match(r"# (.+)", lesson.cells[0].source)[1]
        numbers = [exercise.number for exercise in exercises(lesson)]
        found = {number: noted[log.EXERCISES].get(number) for number in numbers}
        known = ("passed", "wrong")
        self.signs = {n: status if status in known else "open" for n, status in found.items()}
        right = noted[log.QUIZZES].get(name[:2])
        self.answered = "–" if right is None else f"{right}/{QUESTIONS}"
        self.passed = list(self.signs.values()).count("passed")

    @property
    def next(self) -> str:
        """What is to be done next in the lesson; "" when all has passed and the quiz is done."""
        for number, status in self.signs.items():
            if status != "passed":
                return say("progress.next_exercise", lesson=self.title, number=number)
        return say("progress.next_quiz", lesson=self.title) if self.answered == "–" else ""

    @property
    def html(self) -> Html:
        signs = join(_sign(number, status) for number, status in self.signs.items())
        link = Html('<a href="{}">{}</a>').format(self.name, self.title)
        counted = Html("<span>{}/{}&ensp;</span>").format(self.passed, len(self.signs))
        return row(link, Html('<div class="bar">{}{}</div>').format(counted, signs), self.answered)

    @property
    def text(self) -> str:
        signs = " ".join(SIGNS[status] for status in self.signs.values())
        return f"{self.title}: {signs}  {self.answered}"


def _sign(number: str, status: str) -> Html:
    return sign(status, say("progress.tried", number=number, status=say(f"progress.{status}")))
