"""Checks of tools, and of the messages that a call of one leaves behind."""

import json
import re
from collections.abc import Iterator, Mapping
from reprlib import repr as brief
from textwrap import shorten

from openai.types.chat import ChatCompletionMessage
from openai.types.chat import ChatCompletionMessageFunctionToolCall as Call

from ..words import say
from .functions import called, need_no_error, need_return
from .outcome import Outcome, check, is_text, need, passed, wrong
from .schema import Fields, need_fields

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
ROUND = ("user", "assistant", "tool")


@check
def definition(tool: object, name: str, fields: Fields) -> Outcome:
    """Judge that a tool has this name, a description, and these parameters, all required.

    `fields` maps each parameter to its type, or to the list of its values.

    >>> sizes = {"size": {"type": "string", "enum": ["small", "large"]}}
    >>> schema = {"type": "object", "properties": sizes, "required": ["size"]}
    >>> price = {"name": "get_price", "description": "What a tea costs", "parameters": schema}
    >>> tool = {"type": "function", "function": price}
    >>> checks.tools.definition(tool, "get_price", {"size": ["small", "large"]})
    passed: ...
    """
    need(isinstance(tool, dict), "checks_tools.not_dict", tool)
    kind, function = tool.get("type"), tool.get("function")
    need(kind == "function", "checks_tools.type_other", kind)
    need(isinstance(function, dict), "checks_tools.no_function", function)
    _need_name(function.get("name"), name)
    text = function.get("description")
    need(is_text(text), "checks_tools.no_description", text)
    if "parameters" not in function:
        raise wrong("checks_tools.no_parameters", seen=brief(list(function)))
    need_fields(function["parameters"], fields, closed=False)
    return passed("checks_tools.definition_passed", name=name, fields=", ".join(fields))


def _need_name(seen: object, expected: str) -> None:
    if seen == expected:
        return
    strange = isinstance(seen, str) and not NAME.fullmatch(seen)
    key = "checks_tools.name_letters" if strange else "checks_tools.name_other"
    raise wrong(key, seen, expected=expected)


@check
def one_round(messages: object, name: str) -> Outcome:
    """Judge the messages of one round: a question, the call of a tool, and the tool's result.

    They are what the second request sends. `name` is the tool's; a system message may come first.

    >>> checks.tools.one_round([{"role": "user", "content": "What is a small tea?"}], "get_price")
    wrong: The roles are user; expected user → assistant → tool...
    """
    need(isinstance(messages, list), "checks_tools.messages_not_list", messages)
    plain = [_plain(message) for message in messages]
    for number, message in enumerate(plain, 1):
        need(isinstance(message, dict), "checks_tools.message_other", message, number=number)
    if plain and plain[0].get("role") == "system":
        plain = plain[1:]
    _need_roles(plain)
    _need_calls(plain[1].get("tool_calls"), name)
    _need_results(plain[2:], [call["id"] for call in plain[1]["tool_calls"]])
    return passed("checks_tools.round_passed")


def _plain(message: object) -> object:
    """A message as a dict; what the SDK answered is an object."""
    if isinstance(message, ChatCompletionMessage):
        return message.model_dump(warnings=False)
    return message


def _need_roles(messages: list[dict]) -> None:
    seen = [message.get("role") for message in messages]
    words = {"seen": shorten(" → ".join(map(str, seen)), 80), "expected": " → ".join(ROUND)}
    need(seen[:2] != ["user", "tool"], "checks_tools.call_left_out", **words)
    # A model that calls twice at once is told two results.
    right = seen[:3] == list(ROUND) and set(seen[3:]) <= {"tool"}
    need(right, "checks_tools.roles_other", **words)


def _need_calls(calls: object, name: str) -> None:
    need(isinstance(calls, list) and calls, "checks_tools.no_calls", calls)
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        whole = isinstance(function, dict) and isinstance(call.get("id"), str)
        need(whole, "checks_tools.call_other", call)
        _need_name(function.get("name"), name)
        arguments = function.get("arguments")
        need(isinstance(arguments, str), "checks_tools.arguments_not_text", arguments)


def _need_results(messages: list[dict], waiting: list[str]) -> None:
    """Each of the calls, by their ids in `waiting`, must get one result."""
    for message in messages:
        seen, content = message.get("tool_call_id"), message.get("content")
        need(waiting, "checks_tools.result_unasked", seen)
        if seen not in waiting:
            raise wrong("checks_tools.id_other", seen, expected=" / ".join(map(brief, waiting)))
        need(is_text(content), "checks_tools.content_not_text", content)
        waiting.remove(seen)
    if waiting:
        raise wrong("checks_tools.unanswered", waiting[0])


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
    need(callable(function), "checks_tools.not_function", function)
    right = json.dumps(arguments, ensure_ascii=False)
    said = _run(function, name, right)
    need_return(said, "checks_tools.returned_none")
    need_no_error(said, "checks_tools.right_raised", 70, arguments=right)
    need(isinstance(said, str), "checks_tools.right_not_text", said)
    need(str(result) in said, "checks_tools.right_other", said, arguments=right, result=result)
    for case, other, text in _hostile(name, arguments, right):
        words = {"case": say(case, name=other, arguments=shorten(text, 60))}
        answer = _run(function, other, text)
        need_no_error(answer, "checks_tools.raised", 70, **words)
        need(is_text(answer), "checks_tools.no_text", answer, **words)
        need(answer != said, "checks_tools.ran_anyway", answer, **words)
    return passed("checks_tools.runs_passed")


def _hostile(name: str, arguments: Mapping, right: str) -> Iterator[tuple[str, str, str]]:
    """Calls that a model may well make and that must not be run: words, name, arguments."""
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
