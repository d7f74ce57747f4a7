"""Checks of tools, and of the messages that a call of one leaves behind."""

import json
import re
from collections.abc import Iterator, Mapping
from reprlib import repr as brief
from textwrap import shorten

from openai.types.chat import ChatCompletionMessage
from openai.types.chat import ChatCompletionMessageFunctionToolCall as Call

from ..words import say
from . import schema
from .outcome import Outcome, called, check, not_yet, passed, shown, told, wrong

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
ROUND = ("user", "assistant", "tool")


@check
def definition(tool: object, name: str, fields: schema.Fields) -> Outcome:
    """Judge that a tool has this name, a description, and these parameters, all required.

    `fields` maps each parameter to its type, or to the list of its values.

    >>> sizes = {"size": {"type": "string", "enum": ["small", "large"]}}
    >>> schema = {"type": "object", "properties": sizes, "required": ["size"]}
    >>> price = {"name": "get_price", "description": "What a tea costs", "parameters": schema}
    >>> tool = {"type": "function", "function": price}
    >>> checks.tools.definition(tool, "get_price", {"size": ["small", "large"]})
    passed: ...
    """
    if not isinstance(tool, dict):
        return wrong("checks_tools.not_dict", seen=shown(tool))
    function = tool.get("function")
    if tool.get("type") != "function":
        return wrong("checks_tools.type_other", seen=shown(tool.get("type")))
    if not isinstance(function, dict):
        return wrong("checks_tools.no_function", seen=shown(function))
    if fault := _name_fault(function.get("name"), name):
        return fault
    text = function.get("description")
    if not isinstance(text, str) or not text.strip():
        return wrong("checks_tools.no_description", seen=shown(text))
    if "parameters" not in function:
        return wrong("checks_tools.no_parameters", seen=brief(list(function)))
    if fault := schema.fault(function["parameters"], fields, closed=False):
        return fault
    return passed("checks_tools.definition_passed", name=name, fields=", ".join(fields))


def _name_fault(seen: object, expected: str) -> Outcome | None:
    if seen == expected:
        return None
    if isinstance(seen, str) and not NAME.fullmatch(seen):
        return wrong("checks_tools.name_letters", seen=shown(seen), expected=expected)
    return wrong("checks_tools.name_other", seen=shown(seen), expected=expected)


@check
def one_round(messages: object, name: str) -> Outcome:
    """Judge the messages of one round: a question, the call of a tool, and the tool's result.

    They are what the second request sends. `name` is the tool's; a system message may come first.

    >>> checks.tools.one_round([{"role": "user", "content": "What is a small tea?"}], "get_price")
    wrong: The roles are user; expected user → assistant → tool...
    """
    if not isinstance(messages, list):
        return wrong("checks_tools.messages_not_list", seen=shown(messages))
    plain = [_plain(message) for message in messages]
    for number, message in enumerate(plain, 1):
        if not isinstance(message, dict):
            return wrong("checks_tools.message_other", number=number, seen=shown(message))
    if plain and plain[0].get("role") == "system":
        plain = plain[1:]
    return _roles_fault(plain) or _calls_fault(plain[1], name) or _results(plain)


def _plain(message: object) -> object:
    """A message as a dict; what the SDK answered is an object."""
    if isinstance(message, ChatCompletionMessage):
        return message.model_dump(warnings=False)
    return message


def _roles_fault(messages: list[dict]) -> Outcome | None:
    seen = [message.get("role") for message in messages]
    words = {"seen": shorten(" → ".join(map(str, seen)), 80), "expected": " → ".join(ROUND)}
    if seen[:2] == ["user", "tool"]:
        return wrong("checks_tools.call_left_out", **words)
    # A model that calls twice at once is told two results.
    if seen[:3] != list(ROUND) or set(seen[3:]) - {"tool"}:
        return wrong("checks_tools.roles_other", **words)
    return None


def _calls_fault(message: dict, name: str) -> Outcome | None:
    calls = message.get("tool_calls")
    if not isinstance(calls, list) or not calls:
        return wrong("checks_tools.no_calls", seen=shown(calls))
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(call.get("id"), str):
            return wrong("checks_tools.call_other", seen=shown(call))
        if fault := _name_fault(function.get("name"), name):
            return fault
        arguments = function.get("arguments")
        if not isinstance(arguments, str):
            return wrong("checks_tools.arguments_not_text", seen=shown(arguments))
    return None


def _results(messages: list[dict]) -> Outcome:
    waiting = [call["id"] for call in messages[1]["tool_calls"]]
    for message in messages[2:]:
        seen, content = message.get("tool_call_id"), message.get("content")
        if not waiting:
            return wrong("checks_tools.result_unasked", seen=shown(seen))
        if seen not in waiting:
            expected = " / ".join(map(brief, waiting))
            return wrong("checks_tools.id_other", seen=shown(seen), expected=expected)
        if not isinstance(content, str) or not content.strip():
            return wrong("checks_tools.content_not_text", seen=shown(content))
        waiting.remove(seen)
    if waiting:
        return wrong("checks_tools.unanswered", seen=shown(waiting[0]))
    return passed("checks_tools.round_passed")


@check
def runs(function: object, name: str, arguments: Mapping, result: object) -> Outcome:
    """Judge a function that runs the tool call it is given and returns a text for the model.

    `name` and `arguments` make a right call; `result` must stand in the text that it gives. For a
    call that names no tool, or whose arguments are broken or do not fit, the text must say so; an
    exception is wrong.

    >>> def run(call):
    ...     return "12 yuan"
    >>> checks.tools.runs(run, "get_price", {"size": "small"}, 12)
    wrong: For the unknown tool get_price_2 your function returned '12 yuan' (type str), as if...
    """
    if not callable(function):
        return wrong("checks_tools.not_function", seen=shown(function))
    right = json.dumps(arguments, ensure_ascii=False)
    said = _run(function, name, right)
    if said is None or said is ...:
        # A starter does so, and a function without its `return`.
        return not_yet("checks_tools.returned_none")
    if isinstance(said, Exception):
        return wrong("checks_tools.right_raised", arguments=right, error=told(said, 70))
    if not isinstance(said, str):
        return wrong("checks_tools.right_not_text", seen=shown(said))
    if str(result) not in said:
        return wrong("checks_tools.right_other", arguments=right, seen=shown(said), result=result)
    for case, other, text in _hostile(name, arguments):
        words = {"case": say(case, name=other, arguments=shorten(text, 60))}
        answer = _run(function, other, text)
        if isinstance(answer, Exception):
            return wrong("checks_tools.raised", error=told(answer, 70), **words)
        if not isinstance(answer, str) or not answer.strip():
            return wrong("checks_tools.no_text", seen=shown(answer), **words)
        if answer == said:
            return wrong("checks_tools.ran_anyway", seen=shown(answer), **words)
    return passed("checks_tools.runs_passed")


def _hostile(name: str, arguments: Mapping) -> Iterator[tuple[str, str, str]]:
    """Calls that a model may well make and that must not be run: words, name, arguments."""
    right = json.dumps(arguments, ensure_ascii=False)
    yield "checks_tools.case_unknown", f"{name}_2", right
    yield "checks_tools.case_cut", name, right[:-2]
    # Python that is not JSON: who evaluates the model's text has run it.
    yield "checks_tools.case_python", name, f"dict({arguments!r})"
    yield "checks_tools.case_missing", name, "{}"
    yield "checks_tools.case_list", name, json.dumps([*arguments.values()], ensure_ascii=False)
    for key, value in arguments.items():
        # One of another type, and one of the right type that no tool knows.
        for strange in ({"is": value}, "?" if isinstance(value, str) else -(10**9)):
            changed = json.dumps({**arguments, key: strange}, ensure_ascii=False)
            yield "checks_tools.case_value", name, changed


def _run(function: object, name: str, arguments: str) -> object:
    """What the function returns for such a call, or the exception it raises."""
    asked = {"name": name, "arguments": arguments}
    return called(function, Call(id="call_1", type="function", function=asked))
