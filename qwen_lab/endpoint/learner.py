"""Who asks: the learner that a token stands for."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Learner:
    """One of those whom an endpoint serves; a person alone has no name."""

    name: str = ""
    teacher: bool = False


# Whose token it is, or None. Says so of any text, and raises `Refusal` only where it cannot know.
Identify = Callable[[str], Awaitable[Learner | None]]


def alone(token: str) -> Identify:
    """One person, with one token."""
    expected = token.encode()

    async def identify(given: str) -> Learner | None:
        return Learner() if secrets.compare_digest(given.encode(), expected) else None

    return identify
