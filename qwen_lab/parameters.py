"""One table of the request parameters: type, range, default, step, models and source of each.

The endpoint's checks, the widgets' sliders and the lessons' tables read it, so that nothing
about a parameter is written twice. Its meaning in zh and en lies in `words/*/parameters.toml`.
"""

from dataclasses import dataclass
from fnmatch import fnmatch
from sys import float_info

from .words import say

# Limits of the local model (design, section 3); the cloud's are larger.
MAX_INPUT = 3_072
MAX_OUTPUT = 2_048
DEFAULT_OUTPUT = 1_024

REFERENCE = "help.aliyun.com/zh/model-studio/qwen-api-via-openai-chat-completions (2026-09)"
ERRORS = "help.aliyun.com/zh/model-studio/error-code (2026)"
THINKING_PAGE = "help.aliyun.com/zh/model-studio/deep-thinking (2026-09)"
SEARCH_PAGE = "help.aliyun.com/zh/model-studio/web-search (2026-09)"
LAB = "qwen_lab"

# Patterns of the cloud's model names, from the sources above.
OPEN_QWEN3 = ("qwen3-*[0-9]b", "qwen3-*[0-9]b-*")
SNAPSHOTS = ("qwen-plus-20*", "qwen-turbo-20*", "qwen3-vl-plus*", "qwen3-vl-flash*")
CLASSIC = ("qwen-plus*", "qwen-flash*", "qwen-turbo*", "qwen3-max*", "qwen3.[5-8]-*")
THINKING = (*CLASSIC, "qwen3-*[0-9]b")
SEARCHING = (*CLASSIC, "qwen-max*", "qwq-plus*")
COMPLETION_LIMIT = ("qwen3.[5-9]-plus*", "qwen3.[5-9]-flash*", "qwen3.[7-9]-max*")
# `response_format` is for most chat models; its type "json_schema" for these alone.
JSON_SCHEMA = ("qwen3.[78]-max*", "qwen3.[78]-plus*", "qwen3.[78]-flash*")


@dataclass(frozen=True)
class Parameter:
    """One request parameter.

    `low` and `high` bound a number (None: no bound); `open_low` and `open_high` exclude the bound
    itself. `default` is what the endpoint uses when the request is silent, as qwen-plus without
    thinking; `null` what it uses for an explicit null, where that says more than "not given".
    `keyword` is False where the SDK wants it in `extra_body`. `models` are patterns of the cloud's
    models that take it, empty where all do. `refusal` is DashScope's sentence for a value out of
    range, `source` the page that documents the row.
    """

    name: str
    kind: type
    default: float | int | bool | None = None
    null: int | None = None
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    step: float | None = None
    keyword: bool = True
    models: tuple[str, ...] = ()
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

    def taken_by(self, model: str) -> bool:
        """Whether that model of the cloud takes it, as far as its pages say."""
        return not self.models or any(fnmatch(model, pattern) for pattern in self.models)

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
        # Above 100 the cut is off, and so it is with null.
        null=101,
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
    Parameter(
        "max_completion_tokens",
        int,
        low=1,
        high=MAX_OUTPUT,
        step=1,
        models=COMPLETION_LIMIT,
        refusal=f"Range of max_completion_tokens should be [1, {MAX_OUTPUT}]",
    ),
    Parameter("seed", int, low=0, high=2**31 - 1, step=1),
    Parameter(
        "n",
        int,
        default=1,
        low=1,
        high=4,
        step=1,
        models=("qwen3-*", "qwen-plus-character*"),
        refusal="Range of n should be [1, 4]",
    ),
    Parameter("stop", object),
    Parameter("logprobs", bool, default=False, models=(*SNAPSHOTS, *OPEN_QWEN3)),
    Parameter(
        "top_logprobs",
        int,
        default=0,
        low=0,
        high=5,
        step=1,
        models=(*SNAPSHOTS, *OPEN_QWEN3),
        refusal="Range of top_logprobs should be [0, 5]",
    ),
    Parameter("stream", bool, default=False),
    Parameter("stream_options", dict),
    Parameter("response_format", dict),
    Parameter("tools", list),
    Parameter("tool_choice", object),
    Parameter("parallel_tool_calls", bool, default=False),
    Parameter("enable_thinking", bool, keyword=False, models=THINKING, source=THINKING_PAGE),
    Parameter(
        "thinking_budget",
        int,
        low=1,
        high=MAX_OUTPUT,
        step=1,
        keyword=False,
        models=(*THINKING, "qwq-plus*"),
        refusal="The thinking_budget parameter must be a positive integer"
        f" and not greater than {MAX_OUTPUT}",
        source=THINKING_PAGE,
    ),
    Parameter(
        "enable_search",
        bool,
        default=False,
        keyword=False,
        models=SEARCHING,
        source=SEARCH_PAGE,
    ),
    Parameter("search_options", dict, keyword=False, models=SEARCHING, source=SEARCH_PAGE),
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


def arguments(sent: dict) -> dict:
    """The parameters as the SDK's `create` takes them: its own, the others in `extra_body`."""
    usual = {name: value for name, value in sent.items() if PARAMETERS[name].keyword}
    extra = {name: value for name, value in sent.items() if name not in usual}
    return {**usual, "extra_body": extra} if extra else usual
