"""The next token's probabilities under the learner's hand: sliders, draws, and the way back."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy
from ipywidgets import HTML, Button, GridBox, HBox, Layout, VBox

from ..lab import Lab
from ..parameters import PARAMETERS
from ..views.html import clean
from ..watch.next_token import NextToken
from ..watch.sampling import Settings, Stage, draw, stages
from ..words import say
from . import style
from .branches import Branches, Path
from .candidates import Candidates
from .knob import settings
from .tree import Tree

OFF = asdict(Settings())
TIMES = 1_000
# At most twenty paintings a second.
PAUSE = 0.05
ARIA = 'aria-live="polite"'


class Sampler(VBox):
    """What may come next in an answer, and how the parameters change the way it is drawn.

    `messages` is a conversation, or one prompt. `prefix` is how the answer begins: text, or the
    numbers of tokens. `start` sets parameters, or the `seed` of the draws.

    >>> qwen_lab.sampler(lab, "Write a line about autumn", temperature=1.5)

    Only the local Qwen shows its probabilities; what goes wrong is shown in the widget.
    `ValueError` for a parameter that has no slider, or a start out of its range.
    """

    _task: asyncio.Task | None = None
    _later: asyncio.TimerHandle | None = None
    _painted = 0.0
    _draws: numpy.ndarray | None = None
    _doing = ""

    def __init__(
        self,
        lab: Lab,
        messages: str | list[dict],
        *,
        prefix: str | Sequence[int] = "",
        **start: float,
    ) -> None:
        talk = (
            [{"role": "user", "content": clean(messages)}]
            if isinstance(messages, str)
            else messages
        )
        self._title = str(talk[-1].get("content", "")) if talk else ""
        self._begun = prefix if isinstance(prefix, str) else ""
        self.branches = Branches(lab, talk, prefix)
        self.controls = {name: row.control for name, row in settings(tuple(OFF), start).items()}
        self._random = numpy.random.default_rng(self.controls["seed"].value)
        self.written, self.status, self.error = HTML(), HTML(), HTML()
        self.candidates = Candidates(self._take)
        self._make_buttons()
        self.tree = Tree(self.go)
        super().__init__(self._parts())
        self.add_class("qwen-panel")
        self._listen()
        self._paint()

    def _make_buttons(self) -> None:
        names = ("look", "draw_one", "draw_many", "back", "off")
        layout = Layout(width="auto", min_width="7em")
        self.buttons = {
            name: Button(description=say(f"sampler.{name}", count=f"{TIMES:,}"), layout=layout)
            for name in names
        }
        self.buttons["look"].button_style = "primary"

    def _parts(self) -> list:
        columns = "repeat(auto-fit, minmax(min(100%, 400px), 1fr))"
        grid = Layout(grid_template_columns=columns, grid_gap="0 24px")
        row = Layout(flex_flow="row wrap", align_items="center")
        return [
            HTML(style.STYLE, layout=Layout(display="none")),
            GridBox(list(self.controls.values()), layout=grid),
            HTML(style.meanings([PARAMETERS[name] for name in OFF])),
            HBox(list(self.buttons.values()), layout=row),
            self.written,
            self.status,
            self.error,
            self.candidates,
            self.tree,
        ]

    def _listen(self) -> None:
        actions: dict[str, Callable] = {
            "look": self._start,
            "draw_one": self.draw_one,
            "draw_many": self.draw_many,
            "back": self.back,
            "off": self.switch_off,
        }
        for name, action in actions.items():
            self.buttons[name].on_click(lambda _, action=action: action())
        for name, control in self.controls.items():
            control.observe(self._seeded if name == "seed" else self._turned, "value")

    def __repr__(self) -> str:
        title = self._title
        return f"Sampler({title if len(title) <= 20 else title[:20] + '…'!r})"

    @property
    def settings(self) -> Settings:
        """What the sliders say."""
        # A browser's slider adds up steps: 0.1 + 0.05 + 0.05 is 0.20000000000000001.
        return Settings(**{name: round(self.controls[name].value, 6) for name in OFF})

    @property
    def found(self) -> NextToken | None:
        """What may come next here, as far as it is known."""
        return self.branches.here.found

    async def run(self) -> NextToken | None:
        """Ask for what may come next here, show it, and return it; None if that fails.

        It is what the button starts: the likeliest first, then, behind it, the tail.
        """
        task = self._start()
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        return self.found

    def draw_one(self) -> None:
        """Draw the next token as the sliders say, and go on with it."""
        if self.branches.here.ready:
            index = int(draw(self._last, 1, self._random).argmax())
            if index < len(self.found.ids):
                self._take(index)
            else:
                self._start(rare=True)

    def draw_many(self) -> None:
        """Draw a thousand times from here, and show how often each candidate came."""
        if self.branches.here.ready:
            self._draws = draw(self._last, TIMES, self._random)
            self._paint()

    def back(self) -> None:
        """Put the last token back."""
        self.branches.back()
        self._start()

    def go(self, path: Path) -> None:
        """Return to a beginning that was tried."""
        self.branches.go(path)
        self._start()

    def switch_off(self) -> None:
        """Set every slider so that the token is drawn by the model's own probabilities."""
        for name, value in OFF.items():
            self.controls[name].value = value

    def close(self) -> None:
        """Leave what is being asked, and take the widget away."""
        for waiting in (self._task, self._later):
            if waiting:
                waiting.cancel()
        super().close()

    @property
    def _last(self) -> Stage:
        return stages(self.found, self.settings)[-1]

    def _take(self, index: int) -> None:
        self.branches.take(int(self.found.ids[index]), self.found.bytes[index])
        self._start()

    def _start(self, *, rare: bool = False) -> asyncio.Task:
        """Show where we are, and ask what is not known of it."""
        if self._task:
            self._task.cancel()
        self._draws, self.error.value = None, ""
        self._task = asyncio.get_running_loop().create_task(self._look(rare))
        return self._task

    async def _look(self, rare: bool) -> None:
        try:
            if rare:
                self._paint("asking_whole")
                await self.branches.take_rare(self.settings, self._random)
            here = self.branches.here
            self._paint("" if here.ready else "counting_tail" if here.found else "asking")
            await self.branches.look(lambda: self._paint("counting_tail"))
            self._paint()
        # Any error: a handler's would be swallowed.
        except Exception as error:
            self._paint()
            words = str(error) or type(error).__name__
            self.error.value = style.box("error", words, 'role="alert"')

    def _seeded(self, change: object) -> None:
        self._random = numpy.random.default_rng(change.new)

    def _turned(self, change: object) -> None:
        self._draws = None
        if self._later:
            return
        try:
            loop = asyncio.get_running_loop()
            moment = max(loop.time(), self._painted + PAUSE)
            self._later = loop.call_at(moment, self._paint, self._doing)
        except RuntimeError:
            # No loop, no hurry.
            self._paint()

    def _paint(self, doing: str = "") -> None:
        """Show what is known, and what is being done."""
        if self._later:
            self._later.cancel()
            self._later = None
        # The clock of every event loop.
        self._painted = time.monotonic()
        self._doing, here = doing, self.branches.here
        self.status.value = style.box(
            "status", say(f"sampler.{doing}") if doing else " ", 'role="status"'
        )
        text = self._begun + b"".join(here.tokens).decode(errors="replace")
        self.written.value = style.box("answer", text or say("sampler.root"), ARIA)
        for name in ("draw_one", "draw_many"):
            self.buttons[name].disabled = not here.ready
        self.buttons["back"].disabled = not here.path
        if here.found:
            self.candidates.show(here.found, self.settings, self._draws, here.counting)
        else:
            self.candidates.hide()
        self.tree.show(self.branches)
