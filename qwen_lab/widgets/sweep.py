"""A sweep: every combination of some parameters, its answers as they come, and their figures."""

import asyncio
from pathlib import Path

from ipywidgets import HTML, HBox, IntProgress, Layout, VBox

from ..lab import Lab
from ..rows import write_csv
from ..views.grid import grid
from ..views.html import clean, escaped
from ..watch.sweep import Answer, ask_all, combinations, figures, is_dear, price
from ..words import say
from . import style
from .buttons import run_and_stop

PAUSE = 0.05


class Sweep(VBox):
    """Asks the same question with every combination of parameters, the same seeds for each.

    On the local Qwen the calls come one after the other, since only so a seed gives its text
    again. Before many calls of the cloud it says how many and about how many CNY, and wants
    `confirm=True` or a second press. `ValueError` for a parameter that cannot be.

    >>> box = qwen_lab.sweep(lab, "写一句关于秋天的话", temperature=[0, 0.7, 1.5])
    >>> await box.run()
    """

    _task: asyncio.Task | None = None
    _later: asyncio.TimerHandle | None = None

    def __init__(
        self, lab: Lab, prompt: str | list[dict], *, confirm: bool = False, **parameters: object
    ) -> None:
        self._lab, self._confirmed = lab, confirm
        asked = [{"role": "user", "content": clean(prompt)}] if isinstance(prompt, str) else prompt
        self.messages, self.settings = asked, combinations(parameters)
        self.answers: list[Answer] = []
        self.run_button, self.stop_button = run_and_stop()
        self.progress = IntProgress(max=len(self.settings), layout=Layout(width="auto", flex="1"))
        self.status, self.shown = HTML(), HTML()
        row = Layout(flex_flow="row wrap", align_items="center")
        sheet = HTML(style.STYLE, layout=Layout(display="none"))
        buttons = HBox([self.run_button, self.stop_button, self.progress], layout=row)
        super().__init__([sheet, buttons, self.status, self.shown])
        self.add_class("qwen-panel")
        self.run_button.on_click(lambda _: self._pressed())
        self.stop_button.on_click(lambda _: self.stop())
        self._say("sweep.ready", count=len(self.settings))

    def __repr__(self) -> str:
        return f"Sweep({len(self.settings)} calls)"

    async def run(self) -> list[Answer]:
        """Make all the calls and return the answers, in the settings' order.

        What stops early leaves those that came. Raises `ValueError` where many
        calls of the cloud were not confirmed.
        """
        if self._unconfirmed():
            raise ValueError(self._bill())
        task = self._start()
        try:
            await asyncio.wait({task})
        finally:
            if task is self._task:
                self.stop()
        return self.answers

    def stop(self) -> None:
        """Stop the calls that run; the answers so far stay."""
        if self._task and not self._task.done():
            self._task.cancel()
            self._say("sweep.stopped", done=len(self.answers), count=len(self.settings))
            self._paint()
            self.stop_button.disabled = True

    def close(self) -> None:
        """Stop the calls and take the widget away."""
        self.stop()
        super().close()

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
            self.status.value = f'<span role="alert">{escaped(self._bill())}</span>'
        else:
            self._start()

    def _unconfirmed(self) -> bool:
        cny = price(self._lab, self.messages, self.settings)
        return not self._confirmed and is_dear(self._lab, len(self.settings), cny)

    def _bill(self) -> str:
        cny = price(self._lab, self.messages, self.settings)
        about = say("playground.unknown") if cny is None else f"{cny:.2f}"
        return say("sweep.bill", count=len(self.settings), cny=about)

    def _start(self) -> asyncio.Task:
        self.stop()
        self.answers = []
        self.stop_button.disabled = False
        self._say("sweep.running", done=0, count=len(self.settings))
        self._task = asyncio.get_running_loop().create_task(self._ask())
        return self._task

    async def _ask(self) -> None:
        answers = self.answers

        def answered(answer: Answer) -> None:
            answers.append(answer)
            self._say("sweep.running", done=len(answers), count=len(self.settings))
            if not self._later:
                self._later = asyncio.get_running_loop().call_later(PAUSE, self._paint)

        await ask_all(self._lab, self.messages, self.settings, answered)
        # Where some are under way at once, the quick come first.
        answers.sort(key=self._place)
        self._say("sweep.done", count=len(answers))
        self.stop_button.disabled = True
        self._paint()

    def _say(self, key: str, **values: object) -> None:
        self.status.value = f'<span role="status">{escaped(say(key, **values))}</span>'

    def _paint(self) -> None:
        if self._later:
            self._later.cancel()
            self._later = None
        self.progress.value = len(self.answers)
        ordered = sorted(self.answers, key=self._place)
        self.shown.value = grid(figures(ordered))._repr_html_()

    def _place(self, answer: Answer) -> int:
        return self.settings.index(answer.parameters)
