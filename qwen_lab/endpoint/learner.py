"""Who asks: the learner that a token stands for, and what they may use."""

import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..watch.next_token import NextToken
    from .engine import Prefix
    from .rules import ChatRequest


@dataclass(frozen=True)
class Learner:
    """One of those whom an endpoint serves; a person alone has no name."""

    name: str = ""
    teacher: bool = False


@dataclass
class Call:
    """A call: whose it is, which model answers, its id, and the tokens that it has taken so far.

    `prompt` is None while nobody knows it.
    """

    who: str
    model: str
    id: str
    prompt: int | None = 0
    completion: int = 0


class Allowance:
    """What each learner may use: here, all that they like."""

    def left(self, who: str) -> int | None:
        """Tokens that the learner of this name may still use; None where there is no limit."""
        return None

    def charged(self, chunks: AsyncGenerator, request: "ChatRequest", call: Call) -> AsyncGenerator:
        """The chunks of the answer to a request, for its learner to pay; raises `Refusal`."""
        return chunks

    def looked(
        self, look: Coroutine, messages: list[dict], prefix: "Prefix", call: Call
    ) -> Awaitable["NextToken"]:
        """What a look at the next token finds, for its learner to pay; raises `Refusal`."""
        return look


# Whose token it is, or None. Says so of any text, and raises `Refusal` only where it cannot know.
Identify = Callable[[str], Awaitable[Learner | None]]


def alone(token: str) -> Identify:
    """One person, with one token."""
    expected = token.encode()

    async def identify(given: str) -> Learner | None:
        return Learner() if secrets.compare_digest(given.encode(), expected) else None

    return identify
