import json

import pytest

from qwen_lab.endpoint import tools
from qwen_lab.endpoint.refusal import Refusal

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
TIME = {"type": "function", "function": {"name": "get_time"}}
BARE = '{"name": "get_weather", "arguments": {"city": "北京"}}'


def found(text):
    return [(call.name, call.arguments) for call in tools.calls(text, [WEATHER, TIME])]


@pytest.mark.parametrize(
    "text",
    [
        BARE,
        f"```json\n{json.dumps(json.loads(BARE), indent=2, ensure_ascii=False)}\n```",
        f"```json\n{BARE}\n```\n\n\n\n",
        f"<tool_call>\n{BARE}\n</tool_call>",
        f"<tools>{BARE}</tools>",
        f"[{BARE}]",
        '<name>get_weather</name>\n<arguments>{"city": "北京"}</arguments>',
        '<tool_call><name>get_weather</name><arguments>{"city": "北京"}',
        '{"type": "function", "function": ' + BARE + "}",
        '{"name": "get_weather", "parameters": {"city": "北京"}}',
        BARE + '\n{"name": ',
        BARE + "\nI hope that helps!",
    ],
)
def test_every_shape_in_which_the_model_writes_a_call_is_read(text):
    assert found(text) == [("get_weather", '{"city": "北京"}')]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "你好！",
        '{"name": "Joke", "arguments": {}}',
        '{"city": "北京"}',
        '{"name": "get_weather", "arguments": {"city": ',
        '{"name": ["get_weather"], "arguments": {}}',
        '{"name": "get_weather", "arguments": 7}',
        "```python\nprint(1)\n```",
        "[1, 2, 3]",
        "{" * 5_000,
        '{"a":' * 5_000,
    ],
)
def test_what_is_no_call_of_a_tool_is_text(text):
    assert found(text) == []


def test_several_calls_are_read_in_their_order():
    second = '{"name": "get_time", "arguments": {}}'
    calls = [("get_weather", '{"city": "北京"}'), ("get_time", "{}")]
    assert found(f"```json\n{BARE}\n```\n```json\n{second}\n```") == calls
    assert found(f"[{BARE}, {second}]") == calls


def test_each_call_has_an_id_of_its_own():
    first, second = tools.calls(f"{BARE}{BARE}", [WEATHER])
    assert first.id != second.id and first.id.startswith("call_") and len(first.id) == 29


@pytest.mark.parametrize(
    ("text", "may"),
    [("", True), ("\n {", True), ("`", True), ("```json", True), ("<na", True), ("[", True)]
    + [("你好", False), ("<b>", False), ("`x`", False)],
)
def test_text_is_held_only_while_it_may_become_a_call(text, may):
    assert tools.may_become(text) == may


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "[] is too short - 'tools'"),
        ([7], "'tools.type' must be 'function'"),
        ([{"type": "web", "function": {"name": "a"}}], "'tools.type' must be 'function'"),
        ([{"type": "function"}], "'tools.type' must be 'function'"),
        ([{"type": "function", "function": {}}], "'tools.function.name' must match"),
        ([{"type": "function", "function": {"name": "a b"}}], "'tools.function.name' must match"),
        ([{"type": "function", "function": {"name": "a" * 65}}], "'tools.function.name' must"),
        (
            [{"type": "function", "function": {"name": "search"}}],
            "Tool names are not allowed to be [search]",
        ),
        (
            [{"type": "function", "function": {"name": "a", "parameters": "x"}}],
            "'tools.function.parameters' must be Object",
        ),
    ],
)
def test_tools_that_are_none_are_refused(given, message):
    with pytest.raises(Refusal) as caught:
        tools.checked(given)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("any", 'tool_choice is one of the strings that should be ["none", "auto"]'),
        (7, "tool_choice is one of the strings"),
        ({"type": "function"}, "must be the name of one of the tools"),
        ({"type": "function", "function": {"name": "other"}}, "must be the name of one"),
    ],
)
def test_an_unknown_choice_is_refused(choice, message):
    with pytest.raises(Refusal) as caught:
        tools.demanded(choice, [WEATHER])
    assert message in str(caught.value)


def test_a_demanded_call_has_the_schema_of_its_tool():
    schema = tools.schema([WEATHER])
    assert schema["properties"]["name"] == {"const": "get_weather"}
    assert schema["properties"]["arguments"] == WEATHER["function"]["parameters"]
    assert len(tools.schema([WEATHER, TIME])["anyOf"]) == 2
