"""The playground: every parameter to turn, the answer from every side, and the runs compared."""

from ipywidgets import HTML, Accordion, Button, Combobox, Dropdown, GridBox, Text

from .. import connection, models
from ..lab import Lab
from ..views.html import clean
from ..words import LabError, say
from . import style
from .history import History
from .knob import DATA
from .live import need_lab
from .panel import Panel
from .presets import Presets
from .reply import Reply
from .sides import Results

GROUPS = DATA["groups"]
LOGPROBS = {"logprobs": True, "top_logprobs": 5}
ALL = tuple(name for names in GROUPS.values() for name in names)


class Playground(Panel):
    """A prompt, every parameter of a call, and its answer: as text, x-ray, anatomy, wire and code.

    `lab` is the endpoint, by default what `connect()` chooses. `prompt` and `system` are the texts
    that stand in it at first. `presets` are the named sets of parameters that can be chosen, by
    default the lab's four and your own. `start` gives parameters a value, which is ticked; it
    takes every parameter of a call but `stream_options`: `temperature`, `top_p`, `top_k`,
    `repetition_penalty`, `presence_penalty`, `frequency_penalty`, `seed`, `n`, `max_tokens`,
    `max_completion_tokens`, `stop`, `logprobs`, `top_logprobs`, `stream`, `enable_search`,
    `search_options`, `response_format`, `tools`, `tool_choice`, `parallel_tool_calls`,
    `enable_thinking` and `thinking_budget`. Only what is ticked is sent.

    >>> box = qwen_lab.playground(lab, "写一首关于秋天的短诗", temperature=1.5, seed=7)
    >>> text = await box.run()
    >>> [run] = box.history.to_dicts()
    >>> run["temperature"], run["finish_reason"], run["text"] == text
    (1.5, 'stop', True)

    The `history` has a row for each run, with its tokens, seconds and CNY; it shows any two runs
    compared, and `history.to_csv(path)` writes all. What the service refuses is shown, not raised.
    Raises `ValueError` for a start that does not exist or is out of its range, `TypeError` for what
    is no lab or no text, and `LabError` when `connect()` does.
    """

    def __init__(
        self,
        lab: Lab | None = None,
        prompt: str = "",
        *,
        system: str = "",
        presets: Presets | None = None,
        **start: object,
    ) -> None:
        lab = connection.connect() if lab is None else need_lab(lab, self)
        self.system = style.area("playground.system", system, rows=2)
        names = [lab.model, *sorted(models.names())]
        words = say("playground.model")
        self.model = Combobox(value=lab.model, options=names, description=words)
        self.history = History()
        self._presets = presets or Presets()
        self.preset = Dropdown(description=say("playground.preset"))
        self.preset_name = Text(placeholder=say("playground.preset_name"))
        self.save_button = Button(description=say("playground.save"))
        self.saved = HTML()
        super().__init__(lab, prompt, parameters=ALL, **start)
        self._fill_presets()
        self.preset.observe(self._preset_chosen, "value")
        self.save_button.on_click(lambda _: self._save_preset())

    def _questions(self) -> list:
        own = style.row(self.preset, self.preset_name, self.save_button)
        choices = GridBox([self.model, own], layout=style.rows()).add_class("qwen-choices")
        return [self.system, self.prompt, choices, self.saved]

    def _answers(self) -> list:
        self.results = Results([self.thought, self.shown, self.status, self.error])
        self.results.fork.again.on_click(lambda _: self._ask_again())
        return [self.results, self.history]

    def _rows(self) -> Accordion:
        rows = [[self.settings[name] for name in names] for names in GROUPS.values()]
        boxes = [GridBox(row, layout=style.rows()) for row in rows]
        titles = [say(f"playground.{group}") for group in GROUPS]
        return Accordion(boxes, titles=titles, selected_index=0)

    def _request(self) -> dict:
        request = super()._request() | {"model": self.model.value}
        rules = clean(self.system.value)
        if rules:
            request["messages"].insert(0, {"role": "system", "content": rules})
        return request

    async def _read(self, reply: Reply, request: dict) -> None:
        try:
            await super()._read(reply, request)
        finally:
            # A run that was stopped is one of the runs too.
            if self.comm is not None:
                self.results.show(reply, request, self._lab)
                self.history.add(request, reply, self._lab)

    def _running(self, running: bool) -> None:
        super()._running(running)
        self.results.fork.again.disabled = running

    def _ask_again(self) -> None:
        for name, value in LOGPROBS.items():
            self.settings[name].set(value)
        self._start()

    def _status(self, reply: Reply) -> str:
        called = [say("playground.called")] if reply.reason == "tool_calls" else []
        return "\n".join([super()._status(reply), *called])

    def _fill_presets(self) -> None:
        names = [(name, name) for name in self._presets.all()]
        self.preset.options = [(say("playground.no_preset"), None), *names]
        # Without a choice the browser shows an empty box.
        self.preset.index = 0

    def _preset_chosen(self, change: object) -> None:
        if change.new is not None:
            values = self._presets.all()[change.new]
            for name, setting in self.settings.items():
                setting.set(values.get(name))

    def _save_preset(self) -> None:
        name = clean(self.preset_name.value).strip()
        try:
            if name:
                self._presets.save(name, self._sent())
                self._fill_presets()
            words = "saved" if name else "no_name"
            told = "status", say(f"playground.{words}", name=name, path=self._presets.path)
        except LabError as error:
            told = "failed", str(error)
        self.saved.value = style.box(*told)
