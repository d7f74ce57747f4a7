"""One parameter's row: the slider or field with its value, and a tick to send it."""

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path

import ipywidgets

from ..parameters import LARGEST_TOP_K, Parameter, named
from ..views.html import clean
from ..views.knobs import USUAL, usual
from ..words import WrongValueError, joined, reason, say

# Where a slider ends when the range does not. A repetition penalty above 2 is far from what anyone
# uses.
ENDS = {"top_k": LARGEST_TOP_K, "repetition_penalty": 2}
# The groups of rows, the examples in fields and the lab's presets.
DATA = tomllib.loads(Path(__file__).with_name("knobs.toml").read_text(encoding="utf-8"))


class Setting(ipywidgets.HBox):
    """A parameter that is sent only while its box is ticked.

    Moving the slider ticks the box; unticking it puts the slider back on the default. A tick, and
    not "differs from the default", because models have other defaults than the table's: 0 sent is
    not the same as nothing sent. A tick turns a switch on, and puts an example into a field of
    JSON, which is empty as long as it is not sent.
    """

    def __init__(self, row: Parameter, start: object = None) -> None:
        self.row, self._default = row, default(row)
        words = say("panel.send")
        self.tick = ipywidgets.Checkbox(start is not None, description=words, indent=False)
        value = self._default if start is None else _shown(row, start)
        self.control, self.slider = _control(row, value), _slider(row, value)
        self.control.observe(self._moved, "value")
        self.tick.observe(self._ticked, "value")
        if self.slider:
            self.slider.observe(self._slid, "value")
        super().__init__([part for part in (self.slider, self.control, self.tick) if part])
        self.add_class("qwen-setting")

    @property
    def value(self) -> object:
        """The value to send; None when the box is not ticked, or the field holds none."""
        if not self.tick.value or self.problem:
            return None
        shown = self.control.value
        return self._read(shown) if isinstance(shown, str) else shown

    @property
    def problem(self) -> str:
        """Why the field cannot be sent as it stands; "" when it can."""
        shown = self.control.value
        if self.row.step is not None and not self.row.takes(shown):
            return say("panel.out_of_range", row=self.row, value=shown)
        try:
            self._read(shown) if isinstance(shown, str) and shown else None
        except ValueError as error:
            return say("panel.no_json", name=self.row.name, problem=reason(error))
        return ""

    def _read(self, shown: str) -> object:
        """The JSON in the field; where a text stops, one without its quotes does as well."""
        plain = self.row.name == "stop" and not shown.lstrip().startswith(("[", '"'))
        return shown if plain else json.loads(shown)

    def set(self, value: object) -> None:
        """Tick the box and show the value; None unticks it."""
        self.tick.value = value is not None
        # After the tick, which shows a value of its own.
        if value is not None:
            self.control.value = _shown(self.row, value)

    def _moved(self, change: object) -> None:
        if change.new != self._default:
            self.tick.value = True
        elif isinstance(change.new, str):
            self.tick.value = False
        self.control.add_class("wrong") if self.problem else self.control.remove_class("wrong")
        if self.slider and not self.problem and _steps(self.slider.value) != change.new:
            # What the range takes beyond the slider's end moves the end.
            self.slider.min = min(self.slider.min, change.new)
            self.slider.max = max(self.slider.max, change.new)
            self.slider.value = change.new

    def _slid(self, change: object) -> None:
        # A page that shows the slider adds up its steps: that is no move, and leaves what is typed.
        if _steps(change.new) != _steps(change.old):
            self.control.value = _steps(change.new)

    def _ticked(self, change: object) -> None:
        if not change.new:
            self.control.value = self._default
        elif self.row.kind is bool:
            self.control.value = True
        elif self.control.value == "":
            self.control.value = _shown(self.row, DATA["examples"][self.row.name])


def settings(parameters: Iterable[str], start: dict) -> dict[str, Setting]:
    """The rows of `parameters` and of `seed`, by name; `ValueError` for what cannot be set."""
    rows = checked(parameters, start)
    return {name: Setting(row, start.get(name)) for name, row in rows.items()}


def checked(parameters: Iterable[str], start: dict) -> dict[str, Parameter]:
    """The parameters and `seed`, by name; `ValueError` for a start that none of them takes."""
    rows = {row.name: row for row in named(*parameters, "seed")}
    for name, value in start.items():
        if name not in rows:
            raise WrongValueError("panel.no_row", name=name, names=joined(rows))
        rows[name].check(value)
    return rows


def default(row: Parameter) -> object:
    """What an unticked row shows: what the service does without it; in a field of JSON nothing."""
    return "" if row.kind is not bool and row.step is None else usual(row)


def _shown(row: Parameter, value: object) -> object:
    """The value as the row's control holds it."""
    if row.kind is bool or row.step is not None:
        return value
    return clean(json.dumps(value, ensure_ascii=False))


def _steps(value: float) -> float:
    """A slider's value: a browser adds up steps, and 0.1 + 0.05 is 0.15000000000000002."""
    return round(value, 6)


def _control(row: Parameter, value: object) -> ipywidgets.DOMWidget:
    """What holds the value. A number's is no slider's: that would cut off what is typed."""
    named = "" if _slides(row) else row.name
    given = {"description": named, "tooltip": row.meaning, "value": value}
    if row.kind is bool:
        return ipywidgets.Dropdown(options=[("true", True), ("false", False)], **given)
    if row.step is None:
        words = say("panel.default", value=USUAL.get(row.name, say("panel.none")))
        return ipywidgets.Textarea(placeholder=words, rows=1, **given)
    kind = ipywidgets.IntText if row.kind is int else ipywidgets.FloatText
    return kind(**given, step=row.step)


def _slider(row: Parameter, value: object) -> ipywidgets.DOMWidget | None:
    if not _slides(row):
        return None
    kind = ipywidgets.IntSlider if row.kind is int else ipywidgets.FloatSlider
    given = {"description": row.name, "tooltip": row.meaning, "value": value}
    return kind(**given, **slider(row, value), readout=False)


def _slides(row: Parameter) -> bool:
    """Whether it is a number with a slider beside it: a seed is no more or less than another."""
    return row.step is not None and row.name != "seed"


def slider(row: Parameter, value: float) -> dict[str, float]:
    """Where the slider ends, one step before an end that the range leaves out, and its step."""
    high = ENDS[row.name] if row.high is None else row.high
    low, high = row.low + row.step * row.open_low, high - row.step * row.open_high
    # A start between the slider's end and an open end of the range is not cut off.
    return {"min": min(low, value), "max": max(high, value), "step": row.step}
