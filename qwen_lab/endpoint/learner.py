"""Who asks: the learner that a token stands for, and what they may use."""

import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..watch.next_token import NextToken
    from .engine import Prefix
    from .rules import ChatRequest


@dataclass(frozen=True)
class Learner:
    """One of those whom an endpoint serves; a person alone has no name."""

    name: str = ""
    teacher: bool = False


class Allowance(Protocol):
    """What each learner may use."""

    def left(self, who: str) -> int | None:
        """Tokens that the learner of this name may still use; None where there is no limit."""

    def charged(
        self, chunks: AsyncGenerator[dict, None], request: "ChatRequest", who: str
    ) -> AsyncGenerator[dict, None]:
        """The chunks of the answer to a request, for `who` to pay; raises `Refusal`."""

    async def looked(
        self, look: Coroutine, messages: list[dict], prefix: "Prefix", who: str
    ) -> "NextToken":
        """What a look at the next token finds, for `who` to pay; raises `Refusal`."""


# Whose token it is, or None. Says so of any text, and raises `Refusal` only where it cannot know.
Identify = Callable[[str], Awaitable[Learner | None]]


def alone(token: str) -> Identify:
    """One person, with one token."""
    expected = token.encode()

    async def identify(given: str) -> Learner | None:
        return Learner() if secrets.compare_digest(given.encode(), expected) else None

    return identify
