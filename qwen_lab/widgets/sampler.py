"""The next token's probabilities under the learner's hand: sliders, draws, and the way back.

Its page turns and draws (`sampler.js` and what is before it in `SCRIPTS`); here the model is asked.
"""

from collections.abc import Sequence
from dataclasses import asdict

import anywidget
import numpy
from traitlets import Dict, List, Unicode

from ..lab import Lab
from ..parameters import LARGEST_TOP_K
from ..views import sampler as view
from ..views import theme
from ..views.html import brief
from ..watch.next_token import NextToken
from ..watch.sampling import Settings
from ..words import LabError, patterns, say, tag
from . import style
from .branches import Branches, Node
from .knob import checked, default, slider
from .live import Work, need_lab
from .reply import conversation

OFF = asdict(Settings())
TIMES = 1_000
SCRIPTS = ("elements", "sampling", "answer", "axis", "bars", "sampler")


class Sampler(Work, anywidget.AnyWidget):
    """What may come next in an answer, and how the parameters change the way it is drawn.

    `messages` is a conversation, or one prompt. `prefix` is how the answer begins: text, or the
    numbers of tokens. `start` says where sliders stand at first: `temperature`, `top_p`, `top_k`,
    `repetition_penalty`, `presence_penalty`, `frequency_penalty`, or the `seed` of the draws;
    the others stand on the service's defaults.

    >>> box = qwen_lab.sampler(lab, "Write a line about autumn", temperature=1.5)
    >>> found = await box.run()
    >>> box.settings.temperature
    1.5

    Each candidate has a bar: the probability that it is drawn with now; a mark on it shows the
    model's own. Click a token or draw one, and go on from there; every beginning that was tried can
    be returned to. Only the local Qwen shows its probabilities: with another endpoint, and whenever
    something goes wrong, the widget says so. Raises `ValueError` for a start that has no slider or
    is out of its range, and `TypeError` for what is no lab or no conversation.
    """

    _esm = style.scripts(*SCRIPTS)
    _css = theme.sheet("panel", "sampler", "instrument", "failed")

    # What never changes: the words, the sliders and where they are off.
    told = Dict().tag(sync=True)
    values = Dict().tag(sync=True)
    # The numbers last known, and the place in the answer that is looked at, maybe a newer one.
    numbers = Dict().tag(sync=True)
    path = List().tag(sync=True)
    tried = List().tag(sync=True)
    doing = Unicode().tag(sync=True)
    error = Unicode().tag(sync=True)

    def __init__(
        self,
        lab: Lab,
        messages: str | list[dict],
        *,
        prefix: str | Sequence[int] = "",
        **start: float,
    ) -> None:
        self._lab = need_lab(lab, self)
        talk = conversation(messages)
        self._title = str(talk[-1].get("content", "")) if talk else ""
        self._begun = prefix if isinstance(prefix, str) else ""
        self.branches = Branches(lab, talk, prefix)
        rows = checked(OFF, start)
        values = {name: start.get(name, default(row)) for name, row in rows.items()}
        words = patterns("html") | patterns("joins") | patterns("sampler")
        words |= {name: say(f"panel.{name}") for name in ("meanings", "gone")} | {"lang": tag()}
        if lab.kind == "page":
            words["take"] = say("page.only_bars")
        super().__init__(told=_told(self._title, rows, values, words), values=values)
        self.add_class("qwen-panel").add_class("qwen-sampler")
        self.on_msg(self._heard)
        self._show()

    def __repr__(self) -> str:
        return style.unrun("Sampler", repr(brief(self._title, 20)))

    def _repr_mimebundle_(self, **options: object) -> tuple[dict, dict]:
        """The widget, and a picture of it for a page without one."""
        data, metadata = super()._repr_mimebundle_(**options)
        if self.found:
            data["text/html"] = view.sampler(self.found, self.settings)._repr_html_()
        return data, metadata

    @property
    def settings(self) -> Settings:
        """What the sliders say."""
        return Settings(**{name: self.values[name] for name in OFF})

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

    def go(self, path: Sequence[int]) -> None:
        """Return to a beginning that was tried; `KeyError` if it was not."""
        self.branches.go(tuple(path))
        self._start()

    def _heard(self, _: object, asked: dict, __: object) -> None:
        """Do what was pressed in the page; from a place that was left meanwhile, nothing."""
        here = self.branches.here
        if tuple(asked["from"]) != here.path:
            return
        match asked["do"]:
            case "ask":
                self._start()
            case "go":
                self.go(asked["path"])
            case "rare" if here.ready:
                self._start(rare=True)
            case "take" if here.ready:
                index = self.found.ids.tolist().index(asked["number"])
                self.branches.take(asked["number"], self.found.bytes[index])
                self._start()

    async def _work(self, *, rare: bool = False) -> None:
        """Ask what is not known here; `rare`: first draw among the tokens that are not listed."""
        if rare:
            self._do("asking_whole")
            # As in the page: the same seed draws the same again in the same place.
            seeds = (self.values["seed"], len(self.branches.here.path))
            await self.branches.take_rare(self.settings, numpy.random.default_rng(seeds))
        here = self.branches.here
        self._do("" if here.ready else "counting_tail" if here.found else "asking")
        try:
            await self.branches.look(lambda: self._do("counting_tail"))
        except LabError as error:
            if error.key == "connection.only_local":
                raise LabError("sampler.only_local") from error
            if error.key == "connection.unrecorded" and here.path:
                # Back to bars that can be turned.
                self.branches.go(here.path[:-1])
            raise
        self._do("")

    def _do(self, doing: str) -> None:
        self.doing = say(f"sampler.{doing}") if doing else ""
        self._paint()

    def _stopped(self) -> None:
        self.doing = ""
        self._paint_soon()

    def _failed(self, words: str) -> None:
        self.error = words

    def _show(self) -> None:
        here = self.branches.here
        with self.hold_sync():
            self.path = list(here.path)
            self.tried = [self._place(node) for node in self.branches.tried()]
            if here.found:
                self.numbers = _numbers(here)

    def _place(self, node: Node) -> dict:
        name = self._begun or say("sampler.root")
        if node.path:
            name = view.token_name(node.tokens[-1], node.path[-1])
        return {"path": list(node.path), "name": name}


def _told(title: str, rows: dict, values: dict, words: dict[str, str]) -> dict:
    knobs = {
        name: slider(row, values[name]) | {"range": row.range, "meaning": row.meaning}
        for name, row in rows.items()
    }
    numbers = {"largest_top_k": LARGEST_TOP_K, "most": view.ROWS, "times": TIMES}
    return {"question": brief(title, 200), "words": words, "knobs": knobs, "off": OFF, **numbers}


def _numbers(node: Node) -> dict:
    """What the page computes with; float32 in its shortest form, which it reads as the same."""
    found = node.found
    return {
        "path": list(node.path),
        "counting": node.counting,
        "ids": found.ids.tolist(),
        "names": [*map(view.token_name, found.bytes, found.ids.tolist())],
        "logprobs": _shortest(found.logprobs),
        "counts": view.met(found, found.context),
        "system": view.met(found, view.system(found)),
        "tail_logprobs": _shortest(found.tail_logprobs),
        "tail_counts": found.tail_counts.tolist(),
        "logit_offset": found.logit_offset,
    }


def _shortest(numbers: numpy.ndarray) -> list[float]:
    return numbers.astype(str).astype(float).tolist()
