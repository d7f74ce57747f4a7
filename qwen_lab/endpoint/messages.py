"""A conversation as a request writes it, checked by DashScope's rules; and as the model reads it.

Covered: text, alone or in parts; a tool call and its result; `partial`, a beginning to go on from.
"""

import json
from collections.abc import Sequence

from ..parameters import MAX_INPUT
from .refusal import Refusal, invalid, too_long

# Qwen's template has five tokens for each message, and no token of Qwen's has more characters.
MOST_MESSAGES, MOST_CHARACTERS = MAX_INPUT // 5, MAX_INPUT * 128
ROLES = ("system", "assistant", "user", "tool", "function")


def checked(messages: object) -> list[dict]:
    """The messages, if they are a conversation; raises `Refusal`."""
    if not isinstance(messages, list):
        raise Refusal("'messages' must be Array")
    if not messages:
        raise Refusal("[] is too short - 'messages'")
    if len(messages) > MOST_MESSAGES:
        raise too_long()
    for index, message in enumerate(messages):
        _check_message(index, message)
    if not any(message["role"] == "user" for message in messages):
        raise invalid("The input messages do not contain elements with the role of user.")
    _check_tool_order(messages)
    # The cloud's words; its status is said to be 500, which a client would try again.
    last = messages[-1]
    if last["role"] == "assistant" and last.get("partial") is not True:
        raise invalid("list index out of range")
    return messages


def _check_message(index: int, message: object) -> None:
    if not isinstance(message, dict):
        raise Refusal(f"'messages.[{index}]' must be Object")
    role = message.get("role")
    content = message.get("content")
    calls = message.get("tool_calls")
    if role not in ROLES:
        raise Refusal(f"{role} is not one of {list(ROLES)} - 'messages.[{index}].role'")
    if role == "assistant" and calls is not None:
        _check_calls(calls)
    elif content is None or content == []:
        raise invalid("The content field is a required field.")
    if role == "tool" and not isinstance(content, str):
        raise invalid("input content must be a string.")
    if content is not None:
        _check_content(content)


def _check_content(content: object) -> None:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise invalid("input content must be a string.")
    for part in content:
        if not isinstance(part, dict) or not isinstance(part.get("text"), str):
            raise Refusal.named("unexpected_part")


def _check_calls(calls: object) -> None:
    if not isinstance(calls, list) or not calls:
        raise invalid("Empty tool_calls is not supported in message")
    for call in calls:
        call = call if isinstance(call, dict) else {}
        function = call["function"] if isinstance(call.get("function"), dict) else {}
        if not isinstance(call.get("id"), str) or not isinstance(function.get("name"), str):
            raise invalid("'tool_calls.id' and 'tool_calls.function.name' must be String")
        try:
            json.loads(function.get("arguments"))
        except (ValueError, TypeError, RecursionError):
            raise Refusal.named("arguments_not_json") from None


def _check_tool_order(messages: list[dict]) -> None:
    """Each call has its result right after it, and no result comes without its call."""
    open_calls: set[str] = set()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            call = message.get("tool_call_id")
            if not isinstance(call, str) or call not in open_calls:
                raise Refusal.named("result_without_call")
            open_calls.remove(call)
        elif open_calls:
            raise Refusal.named("call_without_result", index=index)
        else:
            open_calls = {call["id"] for call in _calls(message)}
    if open_calls:
        raise Refusal.named("call_without_result", index=len(messages))


def fit(prompt: Sequence[dict], beside: str = "") -> None:
    """Refuse at once a prompt, and a text beside it, that no model could read; raises `Refusal`."""
    texts = [beside, *(message["content"] for message in prompt)]
    if sum(map(len, texts)) > MOST_CHARACTERS:
        raise too_long()


def _calls(message: dict) -> list[dict]:
    # In the other roles the field is one of those that nobody reads.
    return (message.get("tool_calls") or []) if message["role"] == "assistant" else []


def text(message: dict) -> str:
    """The message's text, of all its parts."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def question(messages: Sequence[dict]) -> str:
    """The text of the last user message."""
    return text(next(message for message in reversed(messages) if message["role"] == "user"))


def before_question(messages: Sequence[dict], found: str) -> list[dict]:
    """The messages with a text put before the last question; alone where there is none yet."""
    places = [index for index, message in enumerate(messages) if message["role"] == "user"]
    if not places:
        return [*messages, {"role": "user", "content": found}]
    index = places[-1]
    asked = {"role": "user", "content": f"{found}\n\n{messages[index]['content']}"}
    return [*messages[:index], asked, *messages[index + 1 :]]


def plain(messages: Sequence[dict]) -> list[dict]:
    """The conversation in the roles that the local model was trained on.

    It does not know the template's form of a tool's result, and calls again and again; the result
    put before the question it reads well.
    """
    told: list[tuple[str, list[str]]] = []
    calls: dict[str, dict] = {}
    # The last question's parts, the last one to be read first.
    asked: list[str] | None = None
    for message in messages:
        if message["role"] == "tool":
            if asked is None:
                asked = []
                told.append(("user", asked))
            function = calls[message["tool_call_id"]]
            asked.append(f"{function['name']} {function['arguments']}:\n{text(message)}")
        elif found := _calls(message):
            calls |= {call["id"]: call["function"] for call in found}
        else:
            told.append((message["role"], [text(message)]))
            asked = told[-1][1] if message["role"] == "user" else asked
    return [{"role": role, "content": "\n\n".join(reversed(parts))} for role, parts in told]
