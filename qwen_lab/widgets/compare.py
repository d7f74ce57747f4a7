"""Two to four settings side by side: their answers as they stream, and where two part."""

import asyncio
import itertools
from collections.abc import Callable

from ipywidgets import HTML, GridBox, VBox

from .. import addresses
from ..lab import Lab
from ..parameters import arguments, named
from ..views import grid
from ..views.difference import parted
from ..views.html import Html, breaking, filled
from ..views.knobs import HYPHENED
from ..words import WrongValueError, joined, need_type
from . import style
from .flow import Flow
from .live import Live, need_lab
from .reply import Reply, conversation

FEWEST, MOST = 2, 4


class Column(VBox):
    """One setting: its name, its answer, and how it ended."""

    reply: Reply | None = None
    # The answer, marked where it leaves another.
    marked: Html | None = None

    def __init__(self, lab: Lab, setting: dict, changed: Callable[[], None]) -> None:
        self.lab = lab
        self.setting = setting
        self._changed = changed
        self.name = grid.named(setting)
        self.title = HTML()
        self.shown = Flow()
        self.status = HTML()
        self.error = HTML()
        super().__init__([self.title, self.shown, self.status, self.error])

    async def ask(self, messages: list[dict]) -> None:
        """Ask the question with this setting, saying `changed` at each piece."""
        self.reply, self.marked = Reply(), None
        self._changed()
        asked = {"model": self.lab.model, "messages": messages}
        try:
            await self.reply.read(self.lab, asked | arguments(self.setting), self._changed)
        finally:
            self.show()

    def show(self) -> None:
        """Show the reply as it now is, if there is one."""
        if reply := self.reply:
            self.shown.show(reply.text, self.marked, running=reply.running)
            self.status.value = style.box("status", reply.status)
            self.error.value = reply.trouble(self.lab)


class Compare(Live):
    """The same question with two to four settings, each a dict, or a lab and a dict.

    `settings` are dicts of any parameters of a call, such as `{"temperature": 0}`; a pair of a lab
    and a dict asks another endpoint or model. `seed` is added to all of them. The answers stream
    side by side; below two stands where they part, and in them it is marked.

    >>> box = qwen_lab.compare(lab, "写一句关于秋天的话", {"temperature": 0}, {"temperature": 1.5})
    >>> box
    Compare(temperature=0; temperature=1.5): run this cell to see it
    >>> texts = await box.run()
    >>> len(texts)
    2

    All are asked at once; with a seed the local Qwen answers one after the other, since only then
    does a seed give its text again. What goes wrong is shown in its column, not raised. Raises
    `ValueError` for fewer than two settings or more than four, and for a parameter that does not
    exist or is out of its range; `TypeError` for what is no lab, no text or no dict.
    """

    def __init__(
        self, lab: Lab, prompt: str, *settings: dict | tuple[Lab, dict], seed: int | None = None
    ) -> None:
        super().__init__(lab)
        if not FEWEST <= len(settings) <= MOST:
            raise WrongValueError("compare.count", count=len(settings))
        pairs = [one if isinstance(one, tuple) else (lab, one) for one in settings]
        common = {} if seed is None else _checked({"seed": seed})
        self.messages = conversation(prompt)
        self.columns = [
            Column(need_lab(place, self), _checked(setting) | common, self._paint_soon)
            for place, setting in pairs
        ]
        self._name()
        self.note = style.sentence("compare.serial" if self._serial else "compare.at_once")
        self.difference = self.error
        # Of four never three in a line and one below.
        width = "max(240px, 34%)" if len(pairs) == 4 else "240px"
        answers = GridBox(self.columns, layout=style.columns(width, "12px"))
        self.children = [
            style.sheet("difference"),
            self.note,
            self._buttons(),
            answers,
            self.difference,
        ]

    def __repr__(self) -> str:
        # Without the addresses, which a stored output keeps.
        return style.unrun("Compare", "; ".join(grid.named(each.setting) for each in self.columns))

    async def run(self) -> list[str]:
        """Ask with every setting, as the Run button does, and return the answers' texts.

        What is stopped leaves the texts so far; errors are shown, not raised.
        """
        await self._wait(self._start())
        return [column.reply.text if column.reply else "" for column in self.columns]

    def _name(self) -> None:
        """Name each column by its setting, before it the model and the endpoint if they differ."""
        places = [(column.lab.model, _place(column.lab)) for column in self.columns]
        differs = [len(set(names)) > 1 for names in zip(*places, strict=True)]
        for column, place in zip(self.columns, places, strict=True):
            column.name = joined([*itertools.compress(place, differs), column.name], "phrases")
            title = breaking(column.name, whole=HYPHENED)
            column.title.value = Html("<b>{}</b>").format(title)

    @property
    def _serial(self) -> bool:
        seeded = any("seed" in column.setting for column in self.columns)
        return seeded and any(column.lab.is_local for column in self.columns)

    async def _work(self) -> None:
        if self._serial:
            for column in self.columns:
                await column.ask(self.messages)
        else:
            async with asyncio.TaskGroup() as group:
                for column in self.columns:
                    group.create_task(column.ask(self.messages))
        a, b, *more = self.columns
        # Of two a sentence tells where they part; of more it would have to tell which.
        if a.reply.answer and b.reply.answer and not more:
            told = parted(a.reply.answer, b.reply.answer, [a.name, b.name])
            self.difference.value, (a.marked, b.marked) = filled("<p>{}</p>", told[0]), told[1]
            self._paint()

    def _show(self) -> None:
        for column in self.columns:
            column.show()


def _place(lab: Lab) -> str:
    """The endpoint as a title names it: the host, or what there is only one of."""
    only = lab.is_local and lab.kind not in ("class", "own")
    return lab.kind if only else addresses.host(lab.base_url)


def _checked(setting: dict) -> dict:
    need_type("compare.no_setting", setting, dict)
    for name, value in setting.items():
        named(name)[0].check(value)
    return setting
