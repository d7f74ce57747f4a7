"""Tool calls and thinking in the recorded grammar, read by the real SDK."""

import pytest
from openai import pydantic_function_tool
from pydantic import BaseModel

from qwen_lab.endpoint.engine import End, Piece, Prompt, Thought

HELLO = [{"role": "user", "content": "北京天气如何？"}]
CALL = ('{"name": "get_weather",', ' "arguments": {"city": "北京"}}')
SECOND = '{"name": "get_weather", "arguments": {"city": "上海"}}'


class get_weather(BaseModel):
    city: str


TOOLS = [pydantic_function_tool(get_weather)]


def ask(client, **fields):
    fields = {"model": "fake-qwen", "messages": HELLO, **fields}
    return client.chat.completions.create(**fields)


def deltas(chunks):
    return [chunk.choices[0].delta.model_dump(exclude_unset=True) for chunk in chunks]


def test_a_tool_call_has_the_fields_that_dashscope_records(client, engine):
    engine.reply(*CALL)
    choice = ask(client, tools=TOOLS).choices[0].model_dump(exclude_unset=True)
    (call,) = choice["message"].pop("tool_calls")
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {"content": "", "role": "assistant"}
    assert call.pop("id").startswith("call_")
    assert call == {
        "index": 0,
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city": "北京"}'},
    }


def test_a_streamed_call_names_itself_first_and_goes_on_under_an_empty_id(client, engine):
    engine.reply(*CALL)
    chunks = list(ask(client, tools=TOOLS, stream=True))
    opening, name, arguments, closing = deltas(chunks)
    assert opening == {"content": "", "role": "assistant"} and closing == {"content": ""}
    first, rest = name["tool_calls"][0], arguments["tool_calls"][0]
    assert first["id"] and first["function"] == {"name": "get_weather", "arguments": ""}
    assert rest["id"] == "" and rest["function"] == {"arguments": '{"city": "北京"}'}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_the_sdks_own_stream_reader_puts_the_call_together(client, engine):
    engine.reply(*CALL)
    with client.chat.completions.stream(model="fake-qwen", messages=HELLO, tools=TOOLS) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.tool_calls[0].function.parsed_arguments == get_weather(city="北京")


@pytest.mark.parametrize(("parallel", "count"), [(None, 1), (False, 1), (True, 2)])
def test_one_call_comes_unless_several_are_allowed(client, engine, parallel, count):
    engine.reply("".join(CALL), "\n", SECOND)
    fields = {} if parallel is None else {"parallel_tool_calls": parallel}
    calls = ask(client, tools=TOOLS, **fields).choices[0].message.tool_calls
    assert [call.index for call in calls] == list(range(count))
    assert len({call.id for call in calls}) == count


def test_an_answer_in_words_streams_at_once_though_tools_are_offered(client, engine):
    engine.reply("你", "好")
    chunks = deltas(ask(client, tools=TOOLS, stream=True))
    assert [delta["content"] for delta in chunks] == ["", "你", "好", ""]


def test_json_that_is_no_call_is_text_and_loses_nothing(client, engine):
    engine.reply('{"a"', ": 1}")
    choice = ask(client, tools=TOOLS).choices[0]
    assert (choice.message.content, choice.finish_reason) == ('{"a": 1}', "stop")
    assert choice.message.tool_calls is None


def test_a_call_cut_by_its_limit_is_text_and_says_so(client, engine):
    engine.reply(CALL[0], reason="length")
    choice = ask(client, tools=TOOLS).choices[0]
    assert (choice.message.content, choice.finish_reason) == (CALL[0], "length")


def test_without_tools_no_text_is_a_call(client, engine):
    engine.reply(*CALL)
    assert ask(client).choices[0].message.content == "".join(CALL)


@pytest.fixture
def thinking(engine):
    engine.thinks = True
    events = [
        Prompt(5),
        Thought("想"),
        Thought("好"),
        Piece("晴"),
        Piece("。"),
        End("stop", 5, 4, 0),
    ]
    engine.replies.append(events)
    return {"stream": True, "extra_body": {"enable_thinking": True}}


def test_thinking_comes_before_the_answer_in_a_field_of_its_own(client, thinking):
    assert deltas(ask(client, **thinking)) == [
        {"content": "", "reasoning_content": "", "role": "assistant"},
        {"content": None, "reasoning_content": "想"},
        {"content": None, "reasoning_content": "好"},
        {"content": "晴", "reasoning_content": None},
        {"content": "。", "reasoning_content": None},
        {"content": ""},
    ]


def test_thinking_is_counted_within_the_completion(client, thinking):
    *_, last = ask(client, stream_options={"include_usage": True}, **thinking)
    details = last.usage.completion_tokens_details.model_dump(exclude_unset=True)
    assert details == {"reasoning_tokens": 2, "text_tokens": 4}
    assert last.usage.completion_tokens == 4
