"""Two to four settings side by side: their answers as they stream, and where the first two part."""

import asyncio

from ipywidgets import HTML, GridBox, HBox, Layout, VBox

from ..lab import Lab
from ..parameters import PARAMETERS, arguments
from ..views.difference import difference
from ..views.grid import named
from ..views.html import clean, escaped
from ..words import say
from . import style
from .buttons import run_and_stop
from .flow import Flow
from .reply import Reply, explain

FEWEST, MOST = 2, 4
PAUSE = 0.05


class Column(VBox):
    """One setting: its name, its answer, and how it ended."""

    def __init__(self, lab: Lab, setting: dict) -> None:
        self.lab, self.setting, self.reply = lab, setting, Reply()
        self.name = named(setting)
        self.shown, self.status, self.error = Flow(), HTML(), HTML()
        title = HTML(f"<b>{escaped(self.name)}</b>")
        super().__init__([title, self.shown, self.status, self.error])

    async def ask(self, messages: list[dict]) -> None:
        """Ask the question with this setting, and paint what comes."""
        self.reply = reply = Reply()
        painter = asyncio.create_task(self._paint_often(reply))
        try:
            await reply.read(self.lab, self._request(messages), lambda: None)
        finally:
            painter.cancel()
            reply.end("stopped")
            self.paint()

    def paint(self) -> None:
        """Show the reply as it now is."""
        reply = self.reply
        self.shown.show(reply.text, running=reply.running)
        self.status.value = style.box("status", reply.status, 'role="status"')
        said = explain(reply, self.lab) if reply.error else ""
        self.error.value = style.box("error", said, 'role="alert"')

    async def _paint_often(self, reply: Reply) -> None:
        while reply.running:
            self.paint()
            await asyncio.sleep(PAUSE)

    def _request(self, messages: list[dict]) -> dict:
        return {"model": self.lab.model, "messages": messages, **arguments(self.setting)}


class Compare(VBox):
    """The same question with two to four settings, each a dict, or a lab and a dict.

    All stream at once. With a seed they come one after the other on the local Qwen, since only so
    the seed gives its text again. `ValueError` for a setting that cannot be.

    >>> box = qwen_lab.compare(lab, "写一句关于秋天的话", {"temperature": 0}, {"temperature": 1.5})
    >>> await box.run()
    """

    _task: asyncio.Task | None = None

    def __init__(
        self, lab: Lab, prompt: str, *settings: dict | tuple[Lab, dict], seed: int | None = None
    ) -> None:
        if not FEWEST <= len(settings) <= MOST:
            raise ValueError(f"compare takes {FEWEST} to {MOST} settings, not {len(settings)}")
        pairs = [one if isinstance(one, tuple) else (lab, one) for one in settings]
        common = {} if seed is None else {"seed": seed}
        self.messages = [{"role": "user", "content": clean(prompt)}]
        self.columns = [Column(place, _checked(setting | common)) for place, setting in pairs]
        self.run_button, self.stop_button = run_and_stop()
        self.note, self.difference = HTML(self._note()), HTML()
        columns = "repeat(auto-fit, minmax(min(100%, 240px), 1fr))"
        grid = GridBox(self.columns, layout=Layout(grid_template_columns=columns, grid_gap="12px"))
        sheet = HTML(style.STYLE, layout=Layout(display="none"))
        buttons = HBox([self.run_button, self.stop_button], layout=Layout(flex_flow="row wrap"))
        super().__init__([sheet, self.note, buttons, grid, self.difference])
        self.add_class("qwen-panel")
        self.run_button.on_click(lambda _: self._start())
        self.stop_button.on_click(lambda _: self.stop())

    def __repr__(self) -> str:
        return f"Compare({'; '.join(column.name for column in self.columns)})"

    async def run(self) -> list[str]:
        """Ask with every setting and return the answers' texts. Errors are shown, not raised."""
        task = self._start()
        try:
            await asyncio.wait({task})
        finally:
            if task is self._task:
                self.stop()
        return [column.reply.text for column in self.columns]

    def stop(self) -> None:
        """Stop the calls that run; the texts so far stay."""
        if self._task:
            self._task.cancel()
            self.stop_button.disabled = True

    def close(self) -> None:
        """Stop the calls and take the widget away."""
        self.stop()
        super().close()

    @property
    def _serial(self) -> bool:
        seeded = any("seed" in column.setting for column in self.columns)
        return seeded and any(column.lab.is_local for column in self.columns)

    def _note(self) -> str:
        return escaped(say("compare.serial" if self._serial else "compare.at_once"))

    def _start(self) -> asyncio.Task:
        self.stop()
        self.difference.value = ""
        self.stop_button.disabled = False
        self._task = asyncio.get_running_loop().create_task(self._ask())
        return self._task

    async def _ask(self) -> None:
        if self._serial:
            for column in self.columns:
                await column.ask(self.messages)
        else:
            async with asyncio.TaskGroup() as group:
                for column in self.columns:
                    group.create_task(column.ask(self.messages))
        self.stop_button.disabled = True
        a, b = self.columns[:2]
        if a.reply.answer and b.reply.answer:
            view = difference(a.reply.answer, b.reply.answer, labels=[a.name, b.name])
            self.difference.value = view._repr_html_()


def _checked(setting: dict) -> dict:
    for name, value in setting.items():
        if name not in PARAMETERS or not PARAMETERS[name].takes(value):
            raise ValueError(f"{name}={value!r} cannot be set")
    return setting
