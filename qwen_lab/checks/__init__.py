"""Judge the exercises, one topic a file: each check takes an answer and returns an `Outcome`.

>>> from qwen_lab import checks
>>> checks.messages.roles(messages, "system", "user")
"""

from . import (
    answers,
    calls,
    cost,
    errors,
    messages,
    request,
    response,
    schema,
    search,
    stream,
    tools,
)
from .outcome import Outcome

__all__ = [
    "Outcome",
    "answers",
    "calls",
    "cost",
    "errors",
    "messages",
    "request",
    "response",
    "schema",
    "search",
    "stream",
    "tools",
]
