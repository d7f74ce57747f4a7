"""Checks of tools, and of the messages that a call of one leaves behind."""

import json
import re
import reprlib
from collections.abc import Iterator, Mapping
from textwrap import shorten

from openai.types.chat import ChatCompletionMessageFunctionToolCall as Call

from ..words import say
from .functions import need_return, result_of
from .messages import plain, text
from .outcome import Outcome, check, is_text, need, passed
from .schema import Values, need_fields

ROUND = ["user", "assistant", "tool"]


@check
def definition(tool: object, name: str, good: Values, bad: Values) -> Outcome:
    """Judge that a tool has this name, a description, and a schema of these parameters.

    The schema is judged by what it lets through: `good` maps each parameter to values that it may
    have, `bad` to values that must be refused.

    >>> schema = {"type": "object", "properties": {"size": {"enum": ["small", "large"]}}}
    >>> price = {"name": "get_price", "description": "What a tea costs", "parameters": schema}
    >>> good, bad = {"size": ["small", "large"]}, {"size": ["huge"]}
    >>> checks.tools.definition({"type": "function", "function": price}, "get_price", good, bad)
    wrong: Your answer lets {} through, without size; expected it to demand size...
    """
    tool = plain(tool)
    need(isinstance(tool, dict), "checks_tools.not_dict", tool)
    kind, function = tool.get("type"), tool.get("function")
    need(kind == "function", "checks_tools.type_other", kind)
    need(isinstance(function, dict), "checks_tools.no_function", function)
    _need_name(function, name)
    said = function.get("description")
    need(is_text(said), "checks_tools.no_description", said)
    need("parameters" in function, "checks_tools.no_parameters", seen=reprlib.repr(list(function)))
    fields = need_fields(function["parameters"], good, bad)
    return passed("checks_tools.definition_passed", name=name, fields=fields)


@check
def one_round(messages: object, name: str, arguments: Mapping, result: object) -> Outcome:
    """Judge the messages of one round: a question, the call of a tool, and the tool's result.

    They are what the second request sends; a system message may come first. The call must be of
    the tool `name` with these `arguments`, and `result` must stand in the text handed back.

    >>> small = {"size": "small"}
    >>> checks.tools.one_round([{"role": "user", "content": "A tea?"}], "get_price", small, 12)
    wrong: The roles are user; expected user → assistant → tool...
    """
    messages = plain(messages)
    need(isinstance(messages, list), "checks_tools.messages_not_list", messages)
    for number, message in enumerate(messages, 1):
        whole = isinstance(message, dict) and "role" in message
        need(whole, "checks_tools.message_other", number=number)
    if messages and messages[0]["role"] == "system":
        messages = messages[1:]
    _need_roles([message["role"] for message in messages])
    calls, results = messages[1].get("tool_calls"), messages[2:]
    need(isinstance(calls, list) and calls, "checks_tools.no_calls", calls)
    for call in calls:
        _need_call(call, name, arguments)
    _need_ids(calls, results)
    for said in map(text, results):
        need(_holds(said, result), "checks_tools.content_other", said, result=result)
    return passed("checks_tools.round_passed")


def _need_name(function: dict, expected: str) -> None:
    name = function.get("name")
    need(name == expected, "checks_tools.name_other", name, expected=expected)


def _need_roles(seen: list) -> None:
    words = {"seen": shorten(" → ".join(map(str, seen)), 80), "expected": " → ".join(ROUND)}
    # A model that calls twice at once is told two results.
    need(seen[:2] == ROUND[:2], "checks_tools.roles_other", **words)
    need(seen[2:3] == ROUND[2:], "checks_tools.roles_no_result", **words)
    need(set(seen[3:]) <= {"tool"}, "checks_tools.roles_many", **words)


def _need_call(call: object, name: str, arguments: Mapping) -> None:
    function = call.get("function") if isinstance(call, dict) else None
    whole = isinstance(function, dict) and isinstance(call.get("id"), str)
    need(whole, "checks_tools.call_other", call)
    _need_name(function, name)
    seen, expected = function.get("arguments"), json.dumps(arguments, ensure_ascii=False)
    need(_read(seen) == arguments, "checks_tools.arguments_other", seen, expected=expected)


def _need_ids(calls: list[dict], results: list[dict]) -> None:
    """Each call must get one result, under its id."""
    asked = [call["id"] for call in calls]
    seen = [message.get("tool_call_id") for message in results]
    right = sorted(map(str, seen)) == sorted(asked)
    need(right, "checks_tools.ids_other", seen=reprlib.repr(seen), expected=reprlib.repr(asked))


def _holds(said: object, result: object) -> bool:
    """Whether it is a text with the result in it, and not as a part of a longer number."""
    found = rf"(?<!\d){re.escape(str(result))}(?!\d)"
    return isinstance(said, str) and re.search(found, said) is not None


def _read(said: object) -> object:
    """The value that a JSON text holds; None where it is no JSON, or no text."""
    try:
        return json.loads(said) if isinstance(said, str) else None
    except ValueError:
        return None


@check
def runs(function: object, name: str, arguments: Mapping, result: object) -> Outcome:
    """Judge a function that runs the tool call it is given and returns a text for the model.

    `name` and `arguments` make a right call; `result` must stand in the text that it gives. For a
    call that names no tool, or whose arguments are broken or do not fit, the text must name what
    is wrong or would be right, and not be the same for all; an exception is wrong.

    >>> def run(call):
    ...     return "12 yuan"
    >>> checks.tools.runs(run, "get_price", {"size": "small"}, 12)
    wrong: For the unknown tool get_price_2 your function returned '12 yuan'; expected...
    """
    right = json.dumps(arguments, ensure_ascii=False)
    words = {"raised": "checks_tools.right_raised", "arguments": right}
    said = result_of(function, _call(name, right), **words)
    need_return(said)
    need(_holds(said, result), "checks_tools.right_other", said, arguments=right, result=result)
    texts = set()
    for case, other, asked, names in _hostile(name, arguments, right):
        words = {"case": say(case, name=other, arguments=shorten(asked, 60))}
        made = result_of(function, _call(other, asked), raised="checks_tools.raised", **words)
        need(made is not None, "checks_tools.none_told", **words)
        need(is_text(made) and _kind(made) != _kind(said), "checks_tools.not_told", made, **words)
        need(any(each in made for each in names), "checks_tools.not_named", made, **words)
        texts.add(made)
    # For an unknown tool, for broken JSON, and for what does not fit.
    need(len(texts) > 2, "checks_tools.same_texts")
    return passed("checks_tools.runs_passed")


def _hostile(name: str, arguments: Mapping, right: str) -> Iterator[tuple[str, str, str, tuple]]:
    """Calls that must not be run: words, name, arguments, and what the text may name."""
    yield "checks_tools.case_unknown", f"{name}_2", right, (name,)
    yield "checks_tools.case_cut", name, right[:-2], ("",)
    # Python that is not JSON: who evaluates the model's text has run it.
    yield "checks_tools.case_python", name, f"dict({arguments!r})", ("",)
    yield "checks_tools.case_missing", name, "{}", (*arguments, *map(str, arguments.values()))
    yield "checks_tools.case_list", name, json.dumps([*arguments.values()]), ("",)
    for key, value in arguments.items():
        # One of another type, and one of the right type that no tool knows.
        for strange in ({"is": value}, f"{value}?" if isinstance(value, str) else -(10**9)):
            changed = json.dumps({**arguments, key: strange}, ensure_ascii=False)
            yield "checks_tools.case_value", name, changed, (key, str(value), str(strange))


def _kind(said: str) -> object:
    """What two results of one tool have in common: their keys and types, if they are JSON."""
    found = _read(said)
    return {key: type(found[key]) for key in found} if isinstance(found, dict) else said


def _call(name: str, arguments: str) -> Call:
    return Call(id="call_1", type="function", function={"name": name, "arguments": arguments})
