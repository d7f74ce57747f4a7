"""The next token's probabilities under the learner's hand: sliders, draws, and the way back."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy
from ipywidgets import HTML, Button, GridBox, Layout, Select

from ..lab import Lab
from ..parameters import PARAMETERS
from ..views import sampler as view
from ..views.html import brief
from ..watch.next_token import NextToken
from ..watch.sampling import Settings, Stage, draw, stages
from ..words import say
from . import style
from .branches import Branches, Node, Path
from .candidates import Candidates
from .knob import settings
from .live import Live
from .reply import conversation

OFF = asdict(Settings())
TIMES = 1_000


class Sampler(Live):
    """What may come next in an answer, and how the parameters change the way it is drawn.

    `messages` is a conversation, or one prompt. `prefix` is how the answer begins: text, or the
    numbers of tokens. `start` says where sliders stand at first: `temperature`, `top_p`, `top_k`,
    `repetition_penalty`, `presence_penalty`, `frequency_penalty`, or the `seed` of the draws;
    the others stand on the service's defaults.

    >>> box = qwen_lab.sampler(lab, "Write a line about autumn", temperature=1.5)
    >>> found = await box.run()
    >>> box.settings.temperature
    1.5

    Each candidate has two bars: the model's own probability, and the one it is drawn with now.
    Draw a token or take one yourself, and go on from there; every beginning that was tried can be
    returned to. Only the local Qwen shows its probabilities: with another endpoint, and whenever
    something goes wrong, the widget says so. Raises `ValueError` for a start that has no slider or
    is out of its range, and `TypeError` for what is no lab or no conversation.
    """

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
        super().__init__(lab)
        talk = conversation(messages)
        self._title = str(talk[-1].get("content", "")) if talk else ""
        self._begun = prefix if isinstance(prefix, str) else ""
        self.branches = Branches(lab, talk, prefix)
        self.controls = {name: row.control for name, row in settings(tuple(OFF), start).items()}
        self._random = numpy.random.default_rng(self.controls["seed"].value)
        self.written = HTML()
        self.status = HTML()
        self.candidates = Candidates(self._take)
        self.run_button.description = say("sampler.look")
        self.buttons = self._made_buttons()
        self.tree = Select(
            description=say("sampler.tree"),
            rows=5,
            layout=Layout(width="auto"),
            style={"description_width": "initial"},
        )
        self.children = self._parts()
        self._listen()
        self._paint()

    def _made_buttons(self) -> dict[str, Button]:
        actions: dict[str, Callable] = {
            "draw_one": self.draw_one,
            "draw_many": self.draw_many,
            "back": self.back,
            "off": self.switch_off,
        }
        made, layout = {}, self.run_button.layout
        for name, action in actions.items():
            words = say(f"sampler.{name}", count=f"{TIMES:,}")
            made[name] = Button(description=words, layout=layout)
            made[name].on_click(lambda _, action=action: action())
        return made

    def _parts(self) -> list:
        return [
            style.sheet(),
            GridBox(list(self.controls.values()), layout=style.columns(400, "0 24px")),
            HTML(style.meanings([PARAMETERS[name] for name in OFF])),
            style.row(self.run_button, *self.buttons.values()),
            self.written,
            self.status,
            self.error,
            self.candidates,
            self.tree,
        ]

    def _listen(self) -> None:
        for name, control in self.controls.items():
            control.observe(self._seeded if name == "seed" else self._turned, "value")
        self.tree.observe(self._returned, "value")

    def __repr__(self) -> str:
        return style.unrun("Sampler", repr(brief(self._title, 20)))

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
        await self._wait(self._start())
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
        """Return to a beginning that was tried; `KeyError` if it was not."""
        self.branches.go(path)
        self._start()

    def switch_off(self) -> None:
        """Set every slider so that the token is drawn by the model's own probabilities."""
        for name, value in OFF.items():
            self.controls[name].value = value

    @property
    def _last(self) -> Stage:
        return stages(self.found, self.settings)[-1]

    def _take(self, index: int) -> None:
        self.branches.take(int(self.found.ids[index]), self.found.bytes[index])
        self._start()

    async def _work(self, *, rare: bool = False) -> None:
        """Ask what is not known here; `rare`: first draw among the tokens that are not listed."""
        self._draws = None
        if rare:
            self._do("asking_whole")
            await self.branches.take_rare(self.settings, self._random)
        here = self.branches.here
        self._do("" if here.ready else "counting_tail" if here.found else "asking")
        await self.branches.look(lambda: self._do("counting_tail"))
        self._do("")

    def _do(self, doing: str) -> None:
        self._doing = doing
        self._paint()

    def _stopped(self) -> None:
        self._doing = ""
        self._paint_soon()

    def _seeded(self, change: object) -> None:
        self._random = numpy.random.default_rng(change.new)

    def _turned(self, change: object) -> None:
        self._draws = None
        self._paint_soon()

    def _returned(self, change: object) -> None:
        self.go(change.new)

    def _show(self) -> None:
        here = self.branches.here
        doing = say(f"sampler.{self._doing}") if self._doing else " "
        self.status.value = style.box("status", doing)
        text = self._begun + b"".join(here.tokens).decode(errors="replace")
        self.written.value = style.box("answer", text or say("sampler.root"))
        for name in ("draw_one", "draw_many"):
            self.buttons[name].disabled = not here.ready
        self.buttons["back"].disabled = not here.path
        if here.found:
            self._show_candidates(here)
        else:
            self.candidates.hide()
        self._show_tree()

    def _show_candidates(self, here: Node) -> None:
        told = stages(here.found, self.settings)
        picture = view.sampler(
            here.found, self.settings, told=told, draws=self._draws, counting=here.counting
        )
        self.candidates.show(here.found, view.chosen(told), picture)

    def _show_tree(self) -> None:
        # New options move the choice as well, but only a learner's choice is a way back.
        self.tree.unobserve(self._returned, "value")
        self.tree.options = [(_label(node), node.path) for node in self.branches.tried()]
        self.tree.value = self.branches.here.path
        self.tree.observe(self._returned, "value")


def _label(node: Node) -> str:
    if not node.path:
        return say("sampler.root")
    return "· " * len(node.path) + view.token_name(node.tokens[-1], node.path[-1])
