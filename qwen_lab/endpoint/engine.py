"""What the endpoint needs of a model: an `Engine`, and the events of an answer, one by one.

It is the boundary at which tests put a fake and a tape stands: all above it is the same for each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..watch.next_token import NextToken
from .rules import ChatRequest


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


class Engine(Protocol):
    """What the endpoint needs of a model."""

    model: str
    slots: int
    thinks: bool

    def generate(self, request: ChatRequest, seed: int, alone: bool, emit: Emit) -> None:
        """Answer the request, handing each event to `emit` until it returns True (stop) or the end.

        Blocks. `alone` means without the prompt cache. Raises `Refusal` when the model itself
        cannot take the request.
        """

    def next_token(self, messages: list[dict], prefix: str | list[int], most: int) -> NextToken:
        """The `most` likeliest candidates for the token after `prefix` of an answer, no tail.

        `prefix` is text, or the numbers of tokens. Blocks: 0.03 s for 1,000 candidates, 1.5 s for
        all. Raises `Refusal`.
        """
