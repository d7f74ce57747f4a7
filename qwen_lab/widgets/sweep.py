"""A sweep: every combination of some parameters, its answers as they come, and their figures."""

import math
from collections.abc import Coroutine
from pathlib import Path

from ipywidgets import HTML, IntProgress, Layout

from ..lab import Lab
from ..rows import write_csv
from ..views.grid import grid, named
from ..watch.sweep import Answer, ask_all, combinations, figures, is_dear, price
from ..words import joined, say
from . import style
from .live import Live
from .reply import conversation, trouble

# From so many seconds on, what is left is worth telling.
LONG = 10
# More values of a parameter than these are not all told.
MANY = 5


class Sweep(Live):
    """Asks the same question with every combination of parameters, the same seeds for each.

    `prompt` is a text or a conversation. `parameters` are any parameters of a call, each one value
    or several: `temperature=[0, 0.7, 1.5], max_tokens=40`. `seed` is one of them; without it there
    are the seeds 1, 2 and 3. The answers are shown as a grid with a row for each setting: which are
    the same and how many differ; and, folded, how long they are and how much they repeat.

    >>> box = qwen_lab.sweep(lab, "写一句关于秋天的话", temperature=[0, 1.5], max_tokens=20)
    >>> box
    Sweep(6 calls): run this cell to see it
    >>> answers = await box.run()
    >>> answers[0].parameters, answers[0].finish_reason
    ({'temperature': 0, 'max_tokens': 20, 'seed': 1}, 'length')

    An answer has `parameters`, `text`, `finish_reason`, `completion_tokens`, `seconds` and `error`:
    a call that fails is an answer too. The local Qwen is asked one call after the other, since only
    then does a seed give its text again. More than 20 calls of the cloud, or 0.10 CNY, are not made
    without a second word: `confirm=True`, or a second press of Run.
    Raises `ValueError` for a parameter that does not exist or is out of its range, and `TypeError`
    for what is no lab or no conversation.
    """

    def __init__(
        self, lab: Lab, prompt: str | list[dict], *, confirm: bool = False, **parameters: object
    ) -> None:
        super().__init__(lab)
        self._confirmed = confirm
        self.messages = conversation(prompt)
        self.settings = combinations(parameters)
        self.answers: list[Answer] = []
        self.progress = IntProgress(max=len(self.settings), layout=Layout(width="auto", flex="1"))
        self.status = self.error
        self.shown = HTML()
        buttons = self._buttons(self.progress)
        # Empty, or full, a bar says nothing.
        self.progress.layout.visibility = "hidden"
        self.children = [style.sheet(), buttons, self.status, self.shown]
        self._say("sweep.ready", count=len(self.settings), plan=self._plan())

    def __repr__(self) -> str:
        return style.unrun("Sweep", f"{len(self.settings)} calls")

    async def run(self) -> list[Answer]:
        """Make all the calls, as the Run button does, and return the answers in their order.

        What is stopped leaves the answers that came. Raises `ValueError` where many calls of the
        cloud were not confirmed, and what kept all of them from being made.
        """
        if self._unconfirmed():
            raise ValueError(self._bill())
        task = self._start()
        await self._wait(task)
        if not task.cancelled() and (error := task.exception()):
            raise error
        return self.answers

    def to_dicts(self) -> list[dict]:
        """The answers as rows: parameters, text, finish_reason, tokens, seconds, error."""
        return [answer.to_dict() for answer in self.answers]

    def to_csv(self, path: str | Path) -> None:
        """Write the rows as CSV that a spreadsheet opens; raises `OSError`."""
        write_csv(Path(path), self.to_dicts())

    def _pressed(self) -> None:
        if self._unconfirmed():
            # The second press is the second word.
            self._confirmed = True
            self.status.value = style.box("bill", self._bill())
        else:
            super()._pressed()

    def _unconfirmed(self) -> bool:
        cny = price(self._lab, self.messages, self.settings)
        return not self._confirmed and is_dear(self._lab, len(self.settings), cny)

    def _plan(self) -> str:
        """What is combined with what, and what all calls have in common."""
        values = {
            name: list({repr(each[name]): each[name] for each in self.settings}.values())
            for name in self.settings[0]
        }
        many = [f"{name} ({_list(found)})" for name, found in values.items() if len(found) > 1]
        shared = {name: found[0] for name, found in values.items() if len(found) == 1}
        told = [" × ".join(many)] if many else []
        return say("sweep.and").join([*told, *([named(shared)] if shared else [])])

    def _bill(self) -> str:
        cny = price(self._lab, self.messages, self.settings)
        about = say("playground.unknown") if cny is None else _at_most(cny)
        return say("sweep.bill", count=len(self.settings), cny=about, plan=self._plan())

    def _work(self) -> Coroutine:
        self.answers = []
        self._tell(self.answers)
        return self._ask(self.answers)

    async def _ask(self, answers: list[Answer]) -> None:
        def answered(answer: Answer) -> None:
            answers.append(answer)
            self._tell(answers)
            self._paint_soon()

        await ask_all(self._lab, self.messages, self.settings, answered)
        # Where some are under way at once, the quick come first.
        answers.sort(key=self._place)
        self._conclude([answer.cause for answer in answers if answer.cause])
        self._paint()

    def _conclude(self, errors: list[Exception]) -> None:
        """Say that all are answered, or why some are not, or none."""
        count = len(self.answers)
        told = {"count": count, "failed": len(errors)}
        if not errors:
            self._say("sweep.done", **told)
        else:
            words = "sweep.all_failed" if len(errors) == count else "sweep.failed"
            self.status.value = trouble(errors[0], self._lab, before=say(words, **told))

    def _tell(self, answers: list[Answer]) -> None:
        """How far it is; and how long the rest takes, where one call comes after the other."""
        done, count = len(answers), len(self.settings)
        told = [say("sweep.running", done=done, count=count)]
        left = sum(answer.seconds for answer in answers) / max(done, 1) * (count - done)
        if self._lab.is_local and left > LONG:
            told.append(say("sweep.left", seconds=left))
        self.status.value = style.box("status", joined(told, "sentences"))

    def _stopped(self) -> None:
        self._say("sweep.stopped", done=len(self.answers), count=len(self.settings))
        self._paint()

    def _say(self, key: str, **values: object) -> None:
        self.status.value = style.box("status", say(key, **values))

    def _show(self) -> None:
        done = self.progress.value = len(self.answers)
        is_under_way = 0 < done < self.progress.max
        self.progress.layout.visibility = "visible" if is_under_way else "hidden"
        ordered = sorted(self.answers, key=self._place)
        # Where none has a text, the sentence above says all there is.
        texts = [answer for answer in ordered if answer.error is None]
        seeds = (setting["seed"] for setting in self.settings)
        groups = figures(ordered, self.settings)
        self.shown.value = grid(groups, seeds)._repr_html_() if texts else ""

    def _place(self, answer: Answer) -> int:
        return self.settings.index(answer.parameters)


def _list(values: list) -> str:
    """The values, of many the first and the last."""
    return ", ".join(map(str, values if len(values) <= MANY else [*values[:2], "…", values[-1]]))


def _at_most(cny: float) -> str:
    """The sum to one digit, and never less than it is."""
    unit = 10.0 ** math.floor(math.log10(cny)) if cny else 1
    return f"{math.ceil(round(cny / unit, 9)) * unit:.1g}"
