"""A lesson's quiz: questions with a few choices, each of which explains itself."""

import itertools
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from ipywidgets import HTML, Button, VBox

from ..views.html import SIGNS, Html, verdict
from ..widgets import style
from ..words import LabError, joined, language, say
from . import log

FOLDER = Path(__file__).parent / "quizzes"
CODE = re.compile("`([^`]+)`")


def names() -> list[str]:
    """The lessons that have a quiz, by their numbers."""
    return sorted(path.stem for path in (FOLDER / language()).glob("*.toml"))


def read(lesson: str) -> list[dict]:
    """A quiz: for each question its `text`, and `choices` with `text`, `why` and maybe `right`.

    Raises `LabError` when the lesson has none.
    """
    if lesson not in names():
        raise LabError("quiz.no_quiz", lesson=lesson, lessons=joined(names()))
    path = FOLDER / language() / f"{lesson}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))["questions"]


class Question(VBox):
    """One question. `first` is the number of the choice that was chosen, from 1: it decides."""

    first: int | None = None

    def __init__(self, number: int, question: dict, answered: Callable[[], None]) -> None:
        self._choices, self._answered = question["choices"], answered
        # A button's words are plain text.
        self.buttons = [
            Button(description=choice["text"].replace("`", "")) for choice in self._choices
        ]
        for at, button in enumerate(self.buttons, 1):
            button.on_click(lambda _, at=at: self.choose(at))
        self.whys = [HTML() for _ in self._choices]
        title = say("quiz.title", number=number, question=question["text"])
        bold = HTML(Html("<b>{}</b>").format(_marked(title)))
        told = itertools.chain(*zip(self.buttons, self.whys, strict=True))
        super().__init__([bold, *told])

    @property
    def right(self) -> bool:
        """Whether the first choice was right."""
        return self.first is not None and self._choices[self.first - 1].get("right", False)

    def choose(self, number: int) -> None:
        """Choose an answer, from 1 on. That closes the question; each choice explains itself."""
        if self.first:
            return
        self.first = number
        for at, choice in enumerate(self._choices, 1):
            button, right = self.buttons[at - 1], choice.get("right", False)
            button.disabled, why = True, _marked(choice["why"])
            if at == number or right:
                status = "passed" if right else "wrong"
                button.description = f"{SIGNS[status]} {button.description}"
                button.add_class(status)
                found = "missed" if at != number else "right" if right else "wrong"
                why = verdict(status, say(f"quiz.{found}"), why)
            self.whys[at - 1].value = Html('<div role="status">{}</div>').format(why)
        self._answered()


class Quiz(VBox):
    """The quiz of a lesson: three questions with three or four choices each.

    `lesson` is its number, from "01" to "07", or a plain 1. Your choice decides a question and
    closes it, and each choice explains itself. Once all are answered, the score goes into your log,
    which `qwen_lab.progress()` shows.

    >>> qwen_lab.quiz("02")
    Quiz(02): run this cell to see it

    Raises `LabError` when the lesson has no quiz.
    """

    def __init__(self, lesson: str | int) -> None:
        self._lesson, self._status = str(lesson).zfill(2), HTML()
        self.questions = [
            Question(number, question, self._count)
            for number, question in enumerate(read(self._lesson), 1)
        ]
        rule = HTML(style.box("status", say("quiz.open")))
        sheet = style.sheet("outcome", "quiz", "sign")
        super().__init__([sheet, rule, *self.questions, self._status])
        self.add_class("qwen-panel")
        self.add_class("qwen-quiz")
        self._count()

    def __repr__(self) -> str:
        return style.unrun("Quiz", self._lesson)

    @property
    def score(self) -> int | None:
        """How many first choices were right, None as long as a question is open."""
        if any(question.first is None for question in self.questions):
            return None
        return sum(question.right for question in self.questions)

    def _count(self) -> None:
        if self.score is not None:
            words = say("quiz.score", right=self.score, count=len(self.questions))
            self._status.value = style.box("status", words)
            log.note_quiz(self._lesson, self.score)


def _marked(text: str) -> Html:
    """The text as HTML, with what stands in backticks as code."""
    # Every second piece stood in backticks.
    patterns = itertools.cycle([Html("{}"), Html("<code>{}</code>")])
    pieces = zip(patterns, CODE.split(text), strict=False)
    return Html("").join(pattern.format(piece) for pattern, piece in pieces)
