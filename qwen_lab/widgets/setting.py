"""One parameter's row: the slider or field with its value, and a tick to send it."""

from ipywidgets import BoundedIntText, Checkbox, FloatSlider, HBox, IntSlider, Layout

from ..parameters import PARAMETERS, SAMPLING, Parameter
from ..text import say

# Where a slider ends when the range does not: top_k above 100 lifts the limit, and a repetition
# penalty above 2 is far from what anyone uses.
ENDS = {"top_k": 100, "repetition_penalty": 2}
# One width for all names, so that the sliders stand under each other.
LABEL = "130px"


class Setting(HBox):
    """A parameter that is sent only while its box is ticked.

    Moving the slider ticks the box; unticking it puts the slider back on the default. A tick, and
    not "differs from the default", because models have other defaults than the table's: 0 sent is
    not the same as nothing sent.
    """

    def __init__(self, row: Parameter, start: float | None = None) -> None:
        self.row = row
        self._default = row.low if row.default is None else row.default
        self.tick = Checkbox(
            value=start is not None,
            description=say("panel.send"),
            indent=False,
            layout=Layout(width="auto", flex="none"),
        )
        self.control = _control(row, self._default if start is None else start)
        self.control.observe(self._moved, "value")
        self.tick.observe(self._ticked, "value")
        layout = Layout(align_items="center", min_width="0")
        super().__init__([self.control, self.tick], layout=layout)

    @property
    def value(self) -> float | None:
        """The value to send, or None when the box is not ticked."""
        # A browser's slider adds up steps: 0.1 + 0.05 + 0.05 would be sent as 0.20000000000000001.
        return self.row.kind(round(self.control.value, 6)) if self.tick.value else None

    def _moved(self, change: object) -> None:
        if change.new != self._default:
            self.tick.value = True

    def _ticked(self, change: object) -> None:
        if not change.new:
            self.control.value = self._default


def settings(parameters: tuple[str, ...], start: dict[str, float]) -> dict[str, Setting]:
    """The rows of `parameters` and of `seed`, by name; `ValueError` for what cannot be set."""
    for name in parameters:
        if name not in SAMPLING:
            raise ValueError(f"{name!r} has no slider; those that have one: {', '.join(SAMPLING)}")
    names = [*parameters, "seed"]
    for name, value in start.items():
        _check(name, value, names)
    return {name: Setting(PARAMETERS[name], start.get(name)) for name in names}


def _check(name: str, value: object, names: list[str]) -> None:
    if name not in names:
        raise ValueError(f"{name!r} is not in this panel, which has {', '.join(names)}")
    row = PARAMETERS[name]
    if not row.fits(value) or not row.allows(value):
        raise ValueError(f"{name} is {value!r}; it must be {row.kind.__name__} in {row.range}")


def _control(row: Parameter, value: float) -> FloatSlider | IntSlider | BoundedIntText:
    layout = Layout(width="auto", flex="1 1 0", min_width="0")
    low, high = _ends(row)
    # A start between the slider's end and an open end of the range is not cut off.
    bounds = {"min": min(low, value), "max": max(high, value), "step": row.step}
    shown = {"description": row.name, "tooltip": row.meaning, "style": {"description_width": LABEL}}
    given = {**bounds, **shown, "value": value, "layout": layout}
    if row.name == "seed":
        return BoundedIntText(**given)
    if row.kind is int:
        return IntSlider(**given)
    return FloatSlider(**given, readout_format=".2f")


def _ends(row: Parameter) -> tuple[float, float]:
    high = ENDS[row.name] if row.high is None else row.high
    return (
        row.low + row.step if row.open_low else row.low,
        high - row.step if row.open_high else high,
    )
