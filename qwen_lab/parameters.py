"""One table of the request parameters, read from `parameters.toml` beside this file.

The endpoint's checks, the widgets' sliders and the lessons' tables read it, so that nothing
about a parameter is written twice. Its meaning in zh and en lies in `words/*/parameters.toml`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from sys import float_info

from . import paths
from .words import WrongValueError, joined, say

# How many tokens the local model reads (design, section 3); the cloud's models read more.
MAX_INPUT = 3_072
KINDS = {kind.__name__: kind for kind in (bool, dict, float, int, list, object)}

# The source of what no page documents.
LAB = "qwen_lab"


@dataclass(frozen=True)
class Parameter:
    """One request parameter.

    `low` and `high` bound a number (None: no bound); `open_low` and `open_high` exclude the bound
    itself. `default` is what the endpoint uses when the request is silent, as qwen-plus without
    thinking; `null` what it uses for an explicit null, where that says more than "not given".
    `keyword` is False where the SDK wants it in `extra_body`. `models` names the words that tell
    which of the cloud's models take it. `refusal` is DashScope's sentence for a value out of
    range, `source` the page that documents the row, with its date.
    """

    name: str
    kind: type
    source: str
    default: float | int | bool | None = None
    null: int | None = None
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    step: float | None = None
    keyword: bool = True
    models: str = "all"
    refusal: str = ""

    @property
    def meaning(self) -> str:
        """What it does, in the language in use."""
        return say(f"parameters.{self.name}")

    @property
    def taken_by(self) -> str:
        """Which models of the cloud take it, in the language in use."""
        return say(f"knobs.models_{self.models}")

    @property
    def is_documented(self) -> bool:
        """Whether a page of DashScope's names it."""
        return self.source != LAB

    @property
    def range(self) -> str:
        """Its range as mathematics writes it, such as "[0, 2)"; "" where there is none."""
        if self.low is None:
            return ""
        left = "(" if self.open_low else "["
        right = ")" if self.open_high or self.high is None else "]"
        return f"{left}{self.low:.10g}, {'∞' if self.high is None else f'{self.high:.10g}'}{right}"

    def fits(self, value: object) -> bool:
        """Whether the value is of this parameter's type; a whole number serves as a float."""
        if self.kind in (bool, object):
            return isinstance(value, self.kind)
        kinds = (int, float) if self.kind is float else (self.kind,)
        return isinstance(value, kinds) and not isinstance(value, bool)

    def allows(self, value: float) -> bool:
        """Whether a number lies in the range; NaN, infinity and what no float holds never do."""
        if not abs(value) <= float_info.max:
            return False
        above = self.low is None or (value > self.low if self.open_low else value >= self.low)
        below = self.high is None or (value < self.high if self.open_high else value <= self.high)
        return above and below

    def takes(self, value: object) -> bool:
        """Whether the value is of its type and, if it is a number, in its range."""
        return self.fits(value) and (self.kind not in (int, float) or self.allows(value))

    def check(self, value: object) -> None:
        """Raise a `ValueError` that says what it takes, unless it takes the value."""
        if not self.takes(value):
            key = "knobs.out_of_range" if self.range else "knobs.wrong_kind"
            raise WrongValueError(key, value=value, row=self)


def _rows() -> Iterator[Parameter]:
    for name, row in _TABLE["parameters"].items():
        row["kind"] = KINDS[row["kind"]]
        row["source"] = _TABLE["sources"][row.get("source", "reference")]
        yield Parameter(name, **row)


_TABLE = paths.table(__file__)
PARAMETERS = {row.name: row for row in _rows()}

# How the text is drawn and how long it may be: what the engine is told, and what has a slider.
SAMPLING = tuple(_TABLE["sampling"])
# Of these only one should leave its default: the other would hide what it does.
PAIRS = tuple(map(tuple, _TABLE["pairs"]))
# Above it top_k is off, as it is with null.
LARGEST_TOP_K = PARAMETERS["top_k"].null - 1


def named(*names: str) -> list[Parameter]:
    """The parameters of these names, all without one; `ValueError` for what is none."""
    for name in names:
        if name not in PARAMETERS:
            raise WrongValueError("knobs.unknown", name=name, names=joined(PARAMETERS))
    return [PARAMETERS[name] for name in names or PARAMETERS]


def limit(top_k: int) -> int:
    """How many tokens a `top_k` keeps; 0 where it is off."""
    return top_k if top_k <= LARGEST_TOP_K else 0


def arguments(sent: dict) -> dict:
    """The parameters as the SDK's `create` takes them: its own, the others in `extra_body`."""
    usual = {name: value for name, value in sent.items() if PARAMETERS[name].keyword}
    extra = {name: value for name, value in sent.items() if name not in usual}
    return {**usual, "extra_body": extra} if extra else usual
