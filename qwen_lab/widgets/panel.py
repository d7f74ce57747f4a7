"""The panel of the first lesson: turn the parameters, press Run, watch the answer arrive."""

import asyncio

from ipywidgets import HTML, GridBox, HBox, Layout, Textarea, VBox

from ..lab import Lab
from ..parameters import PAIRS, PARAMETERS, arguments
from ..views.html import clean, escaped, fold
from ..words import say
from . import code, style
from .buttons import run_and_stop
from .flow import Flow
from .knob import settings
from .reply import Reply, explain

PARTS = ("temperature", "top_p", "max_tokens", "presence_penalty", "frequency_penalty")
# The usual advice is to move only one of each pair.
# At most twenty paintings a second: more are not seen, and each sends the whole text.
PAUSE = 0.05


class Panel(VBox):
    """A prompt, sliders for the parameters, and the answer to them as it streams.

    Only what is ticked is sent. `start` ticks parameters, or `seed`, and sets them.

    >>> qwen_lab.Panel(lab, "Write a line about autumn", temperature=1.5, seed=7)

    What the service refuses, and what breaks off, is shown in the panel. `ValueError` for a
    parameter that has no slider, or a start out of its range.
    """

    _task: asyncio.Task | None = None
    _later: asyncio.TimerHandle | None = None

    def __init__(
        self, lab: Lab, prompt: str = "", *, parameters: tuple[str, ...] = PARTS, **start: float
    ) -> None:
        self._lab, self._reply = lab, Reply()
        self.settings = settings(parameters, start)
        self.prompt = Textarea(
            value=clean(prompt),
            description=say("panel.prompt"),
            placeholder=say("panel.placeholder"),
            rows=3,
            layout=Layout(width="auto"),
        )
        self.run_button, self.stop_button = run_and_stop()
        self.sends, self.hint, self.call = HTML(), HTML(), HTML()
        self.thought, self.shown, self.status, self.error = HTML(), Flow(), HTML(), HTML()
        super().__init__(self._parts())
        self.add_class("qwen-panel")
        self._listen()
        self._turned()

    def _parts(self) -> list:
        columns = "repeat(auto-fit, minmax(min(100%, 400px), 1fr))"
        grid = Layout(grid_template_columns=columns, grid_gap="0 24px")
        return [
            HTML(style.STYLE, layout=Layout(display="none")),
            self.prompt,
            HTML(escaped(say("panel.ticks"))),
            GridBox(list(self.settings.values()), layout=grid),
            HTML(style.meanings([PARAMETERS[name] for name in self.settings])),
            self.sends,
            self.hint,
            HBox([self.run_button, self.stop_button], layout=Layout(flex_flow="row wrap")),
            self.thought,
            self.shown,
            self.status,
            self.error,
            self.call,
        ]

    def _listen(self) -> None:
        self.run_button.on_click(lambda _: self._start())
        self.stop_button.on_click(lambda _: self.stop())
        for setting in self.settings.values():
            setting.tick.observe(self._turned, "value")
            setting.control.observe(self._turned, "value")

    def __repr__(self) -> str:
        prompt = self.prompt.value
        return f"Panel({prompt if len(prompt) <= 20 else prompt[:20] + '…'!r})"

    @property
    def answer(self) -> str:
        """The text of the last call's answer, as far as it has come."""
        return self._reply.text

    async def run(self) -> str:
        """Make the call that the panel shows and return the answer's text.

        It is what the Run button starts. A call that still runs is stopped first. An API error
        does not raise: the panel shows it, and the text that came before it is returned.
        """
        reply = self._start()
        try:
            await asyncio.wait({self._task})
        finally:
            # When the cell that waits is interrupted, so is the call.
            if reply is self._reply:
                self.stop()
        return reply.text

    def stop(self) -> None:
        """Stop the call that runs, if one does; the text so far stays."""
        if self._task and self._reply.running:
            self._task.cancel()
            self._reply.end("stopped")
            self._paint()

    def close(self) -> None:
        """Stop the call and take the panel away."""
        self.stop()
        super().close()

    def _start(self) -> Reply:
        self.stop()
        self._reply = reply = Reply()
        request = self._request()
        self._task = asyncio.get_running_loop().create_task(self._read(reply, request))
        shown = f"<pre>{escaped(code.call(request))}</pre>"
        self.call.value = fold(say("panel.call"), shown)
        self._paint()
        return reply

    async def _read(self, reply: Reply, request: dict) -> None:
        await reply.read(self._lab, request, self._paint_soon)
        self._paint()

    def _sent(self) -> dict[str, float]:
        values = {name: setting.value for name, setting in self.settings.items()}
        return {name: value for name, value in values.items() if value is not None}

    def _request(self) -> dict:
        messages = [{"role": "user", "content": clean(self.prompt.value)}]
        return {"model": self._lab.model, "messages": messages, **arguments(self._sent())}

    def _turned(self, change: object = None) -> None:
        """Say what the next call sends, and warn where that makes little sense."""
        sent = self._sent()
        shown = ", ".join(f"{name}={value}" for name, value in sent.items())
        words = say("panel.sends" if sent else "panel.sends_nothing")
        self.sends.value = f"{escaped(words)} <code>{escaped(shown)}</code>"
        hints = [setting.problem for setting in self.settings.values() if setting.problem]
        hints += [say("panel.pair", first=a, second=b) for a, b in PAIRS if {a, b} <= sent.keys()]
        if "frequency_penalty" in sent:
            hints.append(f"frequency_penalty: {PARAMETERS['frequency_penalty'].meaning}")
        self.hint.value = style.box("hint", "\n".join(hints), 'role="status"')

    def _paint_soon(self) -> None:
        if not self._later:
            self._later = asyncio.get_running_loop().call_later(PAUSE, self._paint)

    def _paint(self) -> None:
        """Show the reply as it now is."""
        if self._later:
            self._later.cancel()
            self._later = None
        reply = self._reply
        # While it thinks the status counts; the thoughts are sent once, when they are whole.
        thought = "" if reply.stage == "thinking" else reply.thought
        title = say("panel.thought", count=len(thought))
        self.thought.value = fold(title, f"<pre>{escaped(thought)}</pre>") if thought else ""
        self.shown.show(reply.text, running=reply.running)
        self.status.value = style.box("status", self._status(reply), 'role="status"')
        error = explain(reply, self._lab) if reply.error else ""
        self.error.value = style.box("error", error, 'role="alert"')
        self.stop_button.disabled = not reply.running

    def _status(self, reply: Reply) -> str:
        cut = [say("panel.cut")] if reply.reason == "length" else []
        return "\n".join([reply.status, *cut])
