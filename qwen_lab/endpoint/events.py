"""What happens while a model answers: the events that an engine hands on, one by one."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Prompt:
    """The prompt was counted and is being read; comes again while a long one is."""

    tokens: int


@dataclass(frozen=True)
class Piece:
    """Some text, whole characters; `logprobs` has a row in the SDK's shape for each token."""

    text: str
    logprobs: list[dict] | None = None


@dataclass(frozen=True)
class Thought:
    """Some of the thinking that comes before an answer."""

    text: str


@dataclass(frozen=True)
class End:
    """Nothing more comes. `reason` is "stop" or "length"; counts are tokens."""

    reason: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int


Event = Prompt | Piece | Thought | End
Emit = Callable[[Event], bool]
