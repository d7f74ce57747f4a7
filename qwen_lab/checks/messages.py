"""Checks of `messages`, the list that a request sends."""

import reprlib
from difflib import get_close_matches

from .outcome import Outcome, check, need, passed, wrong

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
    need(not isinstance(messages, dict), "checks_messages.messages_single")
    need(isinstance(messages, list), "checks_messages.messages_not_list", messages)
    for number, message in enumerate(messages, 1):
        _need_message(message, number)
    seen = [message["role"] for message in messages]
    words = {"seen": " → ".join(seen), "expected": " → ".join(expected)}
    counts = {"count": len(seen), "wanted": len(expected)}
    need(seen, "checks_messages.messages_empty", **words)
    need(len(seen) >= len(expected), "checks_messages.roles_few", **words, **counts)
    need(len(seen) <= len(expected), "checks_messages.roles_many", **words, **counts)
    need(sorted(seen) == sorted(expected), "checks_messages.roles_other", **words)
    need(tuple(seen) == expected, "checks_messages.roles_order", **words)
    return passed("checks_messages.roles_passed", **words)


def _need_message(message: object, number: int) -> None:
    need(not isinstance(message, set), "checks_messages.message_set", number=number)
    need(isinstance(message, dict), "checks_messages.message_not_dict", message, number=number)
    for key in KEYS:
        _need_key(key, message, number)
    role = message["role"]
    need(role in ROLES, "checks_messages.role_unknown", role, number=number)
    content = message["content"]
    need(isinstance(content, str), "checks_messages.content_not_text", content, number=number)
    need(content.strip(), "checks_messages.content_empty", number=number)


def _need_key(key: str, message: dict, number: int) -> None:
    """The key must be there; perhaps it is, in another spelling."""
    if key in message:
        return
    words = {"number": number, "name": key}
    names = {name.strip().lower(): name for name in message if isinstance(name, str)}
    others = [name for name in names if names[name] not in KEYS]
    if near := get_close_matches(key, others, n=1):
        raise wrong("checks_messages.key_misspelt", seen=reprlib.repr(names[near[0]]), **words)
    raise wrong("checks_messages.key_missing", seen=reprlib.repr(list(message)), **words)
