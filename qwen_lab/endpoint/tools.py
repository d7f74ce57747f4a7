"""Tools: what a request may offer, and the calls that the model's text makes of them.

The small model decides well whether to call and with what, but seldom writes the call in its
template's tags: it writes a JSON object, bare or fenced, or `<name>…</name><arguments>…`. All
these are read as calls when the name is one of the tools. For a call that is demanded the answer
is constrained to the tools' schemas.
"""

import json
import re
import secrets
from dataclasses import dataclass

from .refusal import invalid

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
CHOICES = ("none", "auto", "required")
# How a text begins that may become a call, and what may stand around a call.
OPENINGS = ("{", "[", "```", "<tool_call>", "<tools>", "<name>")
AROUND = re.compile(r"(?:```\w*|</?\w+>|[\s,\[\]]+)*")
TAGGED = re.compile(r"<name>\s*(.*?)\s*</name>\s*<arguments>\s*(.*?)\s*(?:</arguments>|$)", re.S)
DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class ToolCall:
    """A call that the model asks for; `arguments` is JSON text."""

    name: str
    arguments: str
    id: str


def checked(tools: object) -> list[dict]:
    """The tools, if a request may offer them; raises `Refusal`."""
    if tools is None:
        return []
    if not tools:
        raise invalid("[] is too short - 'tools'")
    for tool in tools:
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type") != "function":
            raise invalid("'tools.type' must be 'function', with an Object of that name")
        name, schema = function.get("name"), function.get("parameters", {})
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise invalid("'tools.function.name' must match [A-Za-z0-9_-], up to 64 characters")
        if name == "search":
            raise invalid("Tool names are not allowed to be [search]")
        if not isinstance(schema, dict):
            raise invalid("'tools.function.parameters' must be Object")
    return tools


def demanded(choice: object, tools: list[dict]) -> list[dict]:
    """The tools of which one must be called, none under "auto"; raises `Refusal`."""
    if isinstance(choice, dict):
        function = choice.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        named = [tool for tool in tools if tool["function"]["name"] == name]
        if not named:
            raise invalid("'tool_choice.function.name' must be the name of one of the tools")
        return named
    # The cloud's sentence leaves out "required", as its page does; yet it was taken (seen 2026).
    if choice not in (None, *CHOICES):
        raise invalid('tool_choice is one of the strings that should be ["none", "auto"]')
    return tools if choice == "required" else []


def schema(tools: list[dict]) -> dict:
    """The JSON schema of a call of one of the tools."""
    calls = [_call_schema(tool["function"]) for tool in tools]
    return calls[0] if len(calls) == 1 else {"anyOf": calls}


def _call_schema(function: dict) -> dict:
    arguments = function.get("parameters") or {"type": "object"}
    parts = {"name": {"const": function["name"]}, "arguments": arguments}
    return {"type": "object", "properties": parts, "required": [*parts]}


def may_become(text: str) -> bool:
    """Whether a text that has begun like this may turn out to be a call."""
    text = text.lstrip()
    return any(text.startswith(word) or word.startswith(text) for word in OPENINGS)


def calls(text: str, tools: list[dict]) -> list[ToolCall]:
    """The calls that a text begins with; none when it is an answer in words."""
    names = {tool["function"]["name"] for tool in tools}
    text = TAGGED.sub(r'{"name": "\1", "arguments": \2}', text)
    found, at = [], 0
    while (at := AROUND.match(text, at).end()) < len(text):
        try:
            value, at = DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        call = _call(value)
        if not call or call.name not in names:
            break
        found.append(call)
    return found


def _call(value: object) -> ToolCall | None:
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("function"), dict):
        return _call(value["function"])
    arguments = value.get("arguments", value.get("parameters", {}))
    if not isinstance(value.get("name"), str) or not isinstance(arguments, str | dict):
        return None
    if isinstance(arguments, dict):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return ToolCall(value["name"], arguments, f"call_{secrets.token_hex(12)}")
