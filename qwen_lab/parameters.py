"""One table of the request parameters: range, default, step and source of each.

The endpoint's checks, the widgets' sliders and the lessons' tables read it, so that nothing
about a parameter is written twice. Its meaning in zh and en lies in `words/*/parameters.toml`.
"""

from dataclasses import dataclass
from math import isfinite

from .text import say

# Limits of the local model (design, section 3); the cloud's are larger.
MAX_INPUT = 3_072
MAX_OUTPUT = 2_048
DEFAULT_OUTPUT = 1_024

REFERENCE = "help.aliyun.com/zh/model-studio/qwen-api-via-openai-chat-completions (2026-09)"
ERRORS = "help.aliyun.com/zh/model-studio/error-code (2026)"
LAB = "qwen_lab"


@dataclass(frozen=True)
class Parameter:
    """One request parameter.

    `low` and `high` bound a number (None: no bound); `open_low` and `open_high` exclude the bound
    itself. `default` is what the endpoint uses when the request is silent, as qwen-plus without
    thinking. `keyword` is False where the SDK wants it in `extra_body`. `refusal` is DashScope's
    sentence for a value out of range, `source` the page that documents the row.
    """

    name: str
    kind: type
    default: float | int | bool | None = None
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    step: float | None = None
    keyword: bool = True
    refusal: str = ""
    source: str = REFERENCE

    @property
    def meaning(self) -> str:
        """What it does, in the language in use."""
        return say(f"parameters.{self.name}")

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
        if self.kind is bool:
            return isinstance(value, bool)
        kinds = (int, float) if self.kind is float else (self.kind,)
        return isinstance(value, kinds) and not isinstance(value, bool)

    def allows(self, value: float) -> bool:
        """Whether a number lies in the range; NaN and infinity never do."""
        above = self.low is None or (value > self.low if self.open_low else value >= self.low)
        below = self.high is None or (value < self.high if self.open_high else value <= self.high)
        return above and below and isfinite(value)


_ROWS = (
    Parameter(
        "temperature",
        float,
        default=0.7,
        low=0,
        high=2,
        open_high=True,
        step=0.05,
        refusal="Temperature should be in [0.0, 2.0)",
    ),
    Parameter(
        "top_p",
        float,
        default=0.8,
        low=0,
        high=1,
        open_low=True,
        step=0.05,
        refusal="Range of top_p should be (0.0, 1.0]",
    ),
    Parameter(
        "top_k",
        int,
        default=20,
        low=0,
        step=1,
        keyword=False,
        refusal="Parameter top_k be greater than or equal to 0",
    ),
    Parameter(
        "repetition_penalty",
        float,
        default=1.05,
        low=0,
        open_low=True,
        step=0.05,
        keyword=False,
        refusal="Repetition_penalty should be greater than 0.0",
    ),
    Parameter(
        "presence_penalty",
        float,
        default=0.0,
        low=-2,
        high=2,
        step=0.1,
        refusal="Presence_penalty should be in [-2.0, 2.0]",
    ),
    # No official page names it; sent to qwen-plus it answers 200 (observed 2026-08). The range
    # and the refusal are OpenAI's and the lab's own.
    Parameter(
        "frequency_penalty",
        float,
        default=0.0,
        low=-2,
        high=2,
        step=0.1,
        refusal="Frequency_penalty should be in [-2.0, 2.0]",
        source=LAB,
    ),
    Parameter(
        "max_tokens",
        int,
        default=DEFAULT_OUTPUT,
        low=1,
        high=MAX_OUTPUT,
        step=1,
        refusal=f"Range of max_tokens should be [1, {MAX_OUTPUT}]",
        source=ERRORS,
    ),
    Parameter("seed", int, low=0, high=2**31 - 1, step=1),
    Parameter("n", int, default=1, low=1, high=4, step=1, refusal="Range of n should be [1, 4]"),
    Parameter("stop", object),
    Parameter("logprobs", bool, default=False),
    Parameter(
        "top_logprobs",
        int,
        default=0,
        low=0,
        high=5,
        step=1,
        refusal="Range of top_logprobs should be [0, 5]",
    ),
    Parameter("stream", bool, default=False),
    Parameter("stream_options", dict),
)

PARAMETERS: dict[str, Parameter] = {row.name: row for row in _ROWS}

# How the text is drawn and how long it may be: what the engine is told, and what has a slider.
SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "repetition_penalty",
    "presence_penalty",
    "frequency_penalty",
    "max_tokens",
)
