"""Checks of `messages`, the list that a request sends."""

from collections.abc import Mapping

from pydantic import BaseModel

from ..words import say
from .outcome import Outcome, check, need, need_key, passed

ROLES = ("system", "user", "assistant", "tool")
# Texts of these signs alone stand where words are still to come.
BLANK = " \n\t.…。!！"


@check
def roles(messages: object, *expected: str, rule: str | None = None) -> Outcome:
    """Judge that `messages` is a list of messages with exactly these roles, in this order.

    A message may be whatever the SDK takes as one: a dict or its own object, with a text, not
    empty, or a list of parts with text as its "content". `expected` names the roles. With a
    `rule`, the first message must say it word for word; case and its last mark do not count.

    >>> checks.messages.roles([{"role": "user", "content": "Hi"}], "user")
    passed: user: the right roles in the right order, each with a text...
    """
    messages = need_messages(messages)
    seen = [message["role"] for message in messages]
    words = {"seen": " → ".join(seen), "expected": " → ".join(expected), "count": len(seen)}
    need(seen, "checks_messages.messages_empty", **words)
    need(len(seen) >= len(expected), "checks_messages.roles_few", **words)
    need(len(seen) <= len(expected), "checks_messages.roles_many", **words)
    need(sorted(seen) == sorted(expected), "checks_messages.roles_other", **words)
    need(tuple(seen) == expected, "checks_messages.roles_order", **words)
    if rule:
        said = text(messages[0])
        same = said.strip(BLANK).casefold() == rule.strip(BLANK).casefold()
        need(same, "checks_messages.rule_other", said, expected=rule)
        return passed("checks_messages.rule_passed", **words)
    return passed("checks_messages.roles_passed", **words)


def need_messages(messages: object) -> list[dict]:
    """The messages in plain form; the service must be able to take every one of them."""
    messages = plain(messages)
    need(not isinstance(messages, dict), "checks_messages.messages_dict", messages)
    need(isinstance(messages, list), "checks_messages.messages_not_list", messages)
    for number, message in enumerate(messages, 1):
        _need_message(message, number)
    return messages


def plain(value: object) -> object:
    """What the SDK makes of `messages`, or of one, in a request: plain dicts, lists and values.

    Its own objects become dicts of what was set in them, tuples become lists, at every depth.
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_unset=True, warnings=False)
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def text(message: Mapping) -> object:
    """The text of a plain message, of all its parts; where there is none, its "content"."""
    content = message.get("content")
    parts = content if isinstance(content, list) and content else [None]
    texts = [part.get("text") if isinstance(part, dict) else None for part in parts]
    return "".join(texts) if all(isinstance(text, str) for text in texts) else content


def _need_message(message: object, number: int) -> None:
    need(not isinstance(message, list), "checks_messages.message_list", number=number)
    need(isinstance(message, dict), "checks_messages.message_not_dict", message, number=number)
    need("choices" not in message, "checks_messages.message_reply", number=number)
    for key in ("role", "content"):
        need_key(key, message, say("checks_messages.message", number=number))
    role = message["role"]
    need(role in ROLES, "checks_messages.role_unknown", role, number=number)
    said = text(message)
    need(isinstance(said, str), "checks_messages.content_not_text", said, number=number)
    need(said.strip(BLANK), "checks_messages.content_empty", said, number=number)
