"""Checks of `messages`, the list that a request sends."""

import reprlib
from collections.abc import Sequence
from difflib import get_close_matches

from .outcome import Outcome, check, passed, shown, wrong

ROLES = ("system", "user", "assistant", "tool")
KEYS = ("role", "content")


@check
def roles(messages: object, *expected: str) -> Outcome:
    """Judge that `messages` is a list of messages with exactly these roles, in this order.

    Each message must be a dict with a "role" and with a text, not empty, as its "content";
    `expected` names the roles.

    >>> checks.messages.roles([{"role": "user", "content": "Hi"}], "user")
    passed: user: the right roles in the right order, each with a text.
    """
    if isinstance(messages, dict):
        return wrong("checks_messages.messages_single")
    if not isinstance(messages, list):
        return wrong("checks_messages.messages_not_list", seen=shown(messages))
    for number, message in enumerate(messages, 1):
        if fault := _fault(message, number):
            return fault
    return _compared([message["role"] for message in messages], expected)


def _fault(message: object, number: int) -> Outcome | None:
    """What keeps one message from being a message, the first thing only."""
    if isinstance(message, set):
        return wrong("checks_messages.message_set", number=number)
    if not isinstance(message, dict):
        return wrong("checks_messages.message_not_dict", number=number, seen=shown(message))
    for key in KEYS:
        if key not in message:
            return _without(key, message, number)
    return _role_fault(message["role"], number) or _content_fault(message["content"], number)


def _without(key: str, message: dict, number: int) -> Outcome:
    names = {name.strip().lower(): name for name in message if isinstance(name, str)}
    others = [name for name in names if names[name] not in KEYS]
    if near := get_close_matches(key, others, n=1):
        seen = reprlib.repr(names[near[0]])
        return wrong("checks_messages.key_misspelt", number=number, name=key, seen=seen)
    return wrong(
        "checks_messages.key_missing", number=number, name=key, seen=reprlib.repr(list(message))
    )


def _role_fault(role: object, number: int) -> Outcome | None:
    if role in ROLES:
        return None
    return wrong("checks_messages.role_unknown", number=number, seen=shown(role))


def _content_fault(content: object, number: int) -> Outcome | None:
    if not isinstance(content, str):
        return wrong("checks_messages.content_not_text", number=number, seen=shown(content))
    return None if content.strip() else wrong("checks_messages.content_empty", number=number)


def _compared(seen: Sequence[str], expected: Sequence[str]) -> Outcome:
    roles = {"seen": " → ".join(seen), "expected": " → ".join(expected)}
    if not seen:
        return wrong("checks_messages.messages_empty", **roles)
    if tuple(seen) == tuple(expected):
        return passed("checks_messages.roles_passed", **roles)
    if sorted(seen) == sorted(expected):
        return wrong("checks_messages.roles_order", **roles)
    if len(seen) == len(expected):
        return wrong("checks_messages.roles_other", **roles)
    counts = {"count": len(seen), "wanted": len(expected)}
    key = "checks_messages.roles_few" if len(seen) < len(expected) else "checks_messages.roles_many"
    return wrong(key, **roles, **counts)
