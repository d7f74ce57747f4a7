"""The panel of the first lesson: turn the parameters, press Run, watch the answer arrive."""

from collections.abc import Coroutine

from ipywidgets import HTML, Box, GridBox

from ..lab import Lab
from ..parameters import PAIRS, PARAMETERS, arguments
from ..views.html import Html, brief, fold
from ..words import say
from . import code, style
from .flow import Flow
from .knob import settings
from .live import Live
from .reply import Reply, conversation

PARTS = ("temperature", "top_p", "max_tokens", "presence_penalty", "frequency_penalty")


class Panel(Live):
    """A prompt, sliders for the parameters, and the answer to them as it streams.

    `prompt` is the text that stands in it at first. `parameters` names the rows: any parameters of
    a call, by default `temperature`, `top_p`, `max_tokens`, `presence_penalty` and
    `frequency_penalty`; a row for `seed` is always there. `start` gives some of the rows a value,
    which is ticked, such as `temperature=1.5`. Only what is ticked is sent; for the others the
    service uses its own defaults. Under the rows stands what each does, and its range.

    >>> panel = qwen_lab.Panel(lab, "Write a line about autumn", temperature=1.5, seed=7)
    >>> panel
    Panel('Write a line about a…'): run this cell to see it
    >>> text = await panel.run()
    >>> text == panel.answer
    True

    The last line of a cell shows it. What the service refuses, and what breaks off, is shown in the
    panel and not raised. Raises `ValueError` for a parameter that does not exist, and for a start
    that has no row or is out of its range; `TypeError` for what is no lab or no text.
    """

    def __init__(
        self, lab: Lab, prompt: str = "", *, parameters: tuple[str, ...] = PARTS, **start: object
    ) -> None:
        super().__init__(lab)
        self._reply = Reply()
        self.settings = settings(parameters, start)
        self.prompt = style.area("panel.prompt", prompt, rows=3)
        self.sends = HTML()
        self.hint = HTML()
        self.thought = HTML()
        self.shown = Flow()
        self.status = HTML()
        self.call = HTML()
        self.children = [style.sheet("table"), *self._parts()]
        self._listen()
        self._turned()

    def _parts(self) -> list:
        return [
            *self._questions(),
            style.sentence("panel.ticks"),
            self._rows(),
            HTML(style.meanings([PARAMETERS[name] for name in self.settings])),
            self.sends,
            self.hint,
            self._buttons(),
            *self._answers(),
        ]

    def _questions(self) -> list:
        return [self.prompt]

    def _rows(self) -> Box:
        return GridBox(list(self.settings.values()), layout=style.rows())

    def _answers(self) -> list:
        return [self.thought, self.shown, self.status, self.error, self.call]

    def _listen(self) -> None:
        for setting in self.settings.values():
            setting.tick.observe(self._turned, "value")
            setting.control.observe(self._turned, "value")

    def __repr__(self) -> str:
        return style.unrun(type(self).__name__, repr(brief(self.prompt.value, 20)))

    @property
    def answer(self) -> str:
        """The text of the last call's answer, as far as it has come."""
        return self._reply.text

    async def run(self) -> str:
        """Make the call that the widget shows and return the answer's text.

        It is what the Run button starts. A call that still runs is stopped first. An API error
        does not raise: the widget shows it, and the text that came before it is returned.
        """
        task, reply = self._start(), self._reply
        await self._wait(task)
        return reply.text

    def _work(self) -> Coroutine:
        self._reply = Reply()
        if not self.prompt.value.strip():
            return self._refuse()
        request = self._request()
        told = Html('<div class="qwen-table"><pre>{}</pre></div>').format(code.call(request))
        self.call.value = fold(say("panel.call"), told)
        self._paint()
        return self._read(self._reply, request)

    async def _refuse(self) -> None:
        self._reply.end("unsent")
        self._paint()

    async def _read(self, reply: Reply, request: dict) -> None:
        try:
            await reply.read(self._lab, request, self._paint_soon)
        finally:
            self._paint()

    def _stopped(self) -> None:
        self._reply.end("stopped")
        self._paint()

    def _sent(self) -> dict[str, float]:
        values = {name: setting.value for name, setting in self.settings.items()}
        return {name: value for name, value in values.items() if value is not None}

    def _request(self) -> dict:
        messages = conversation(self.prompt.value)
        return {"model": self._lab.model, "messages": messages, **arguments(self._sent())}

    def _turned(self, change: object = None) -> None:
        """Say what the next call sends, and warn where that makes little sense."""
        sent = self._sent()
        shown = ", ".join(f"{name}={value}" for name, value in sent.items())
        hints = [setting.problem for setting in self.settings.values() if setting.problem]
        unsent = say("panel.sends_none" if hints else "panel.sends_nothing")
        words = say("panel.sends") if sent else unsent
        sends = Html("<code>{}</code>").format(shown)
        self.sends.value = Html(say("joins.sentences")).join([words, sends])
        hints += [say("panel.pair", first=a, second=b) for a, b in PAIRS if {a, b} <= sent.keys()]
        if "frequency_penalty" in sent:
            hints.append(say("panel.hint", row=PARAMETERS["frequency_penalty"]))
        self.hint.value = style.box("hint", "\n".join(hints))

    def _show(self) -> None:
        reply = self._reply
        # While it thinks the status counts; the thoughts are sent once, when they are whole.
        thought = "" if reply.stage == "thinking" else reply.thought
        title = say("panel.thought", count=len(thought))
        self.thought.value = fold(title, _pre(thought)) if thought else ""
        self.shown.show(reply.text, running=reply.running)
        kind = "hint" if reply.stage == "unsent" else "status"
        self.status.value = style.box(kind, self._status(reply))
        self.error.value = reply.trouble(self._lab)

    def _status(self, reply: Reply) -> str:
        if reply.stage == "unsent":
            return say("panel.unsent")
        cut = [say("panel.cut")] if reply.reason == "length" else []
        return "\n".join([reply.status, *cut])


def _pre(text: str) -> Html:
    return Html("<pre>{}</pre>").format(text)
