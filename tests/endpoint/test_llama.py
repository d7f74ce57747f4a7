"""The real model in this process."""

import asyncio
import json
import math
import threading
import time
from contextlib import aclosing
from dataclasses import replace

import numpy
import pytest

from qwen_lab.endpoint import tools
from qwen_lab.endpoint.engine import End, Piece, Prompt
from qwen_lab.endpoint.llama import LlamaEngine
from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.endpoint.rules import checked_request
from qwen_lab.endpoint.search import Note, insert
from qwen_lab.endpoint.weights import weights
from qwen_lab.parameters import MAX_INPUT, PARAMETERS
from qwen_lab.watch.next_token import WHOLE

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def engine():
    path = weights.fetch()
    return LlamaEngine(path, weights.model_id(path))


def events(engine, prompt="你是谁？", *, seed=1, alone=True, stop_after=None, **fields):
    messages = [{"role": "user", "content": prompt}]
    call = checked_request({"model": engine.model, "messages": messages, **fields}, engine.model)
    return asyncio.run(read(engine, call, seed, alone, stop_after))


async def read(engine, request, seed=1, alone=True, stop_after=None):
    """The events, all or the first ones; then the engine has stopped."""
    seen = []
    async with aclosing(engine.generate(request, seed, alone)) as events:
        async for event in events:
            seen.append(event)
            if len(seen) == stop_after:
                break
    return seen


def next_token(engine, *asked):
    return asyncio.run(engine.next_token(*asked))


def text(events):
    return "".join(event.text for event in events if isinstance(event, Piece))


def test_it_says_in_chinese_who_it_is(engine):
    seen = events(engine, temperature=0)
    assert isinstance(seen[0], Prompt) and isinstance(seen[-1], End)
    assert "阿里" in text(seen) and seen[-1].reason == "stop"


def test_the_recorded_prompt_has_as_many_tokens_as_the_cloud_counted(engine):
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "你是谁？"},
    ]
    end = events(engine, messages=messages, max_tokens=1)[-1]
    assert (end.prompt_tokens, end.completion_tokens) == (22, 1)


def test_max_tokens_cuts_the_answer_and_says_so(engine):
    end = events(engine, max_tokens=3)[-1]
    assert (end.reason, end.completion_tokens) == ("length", 3)


def test_a_stop_word_ends_the_answer_and_is_not_part_of_it(engine):
    seen = events(engine, "从一数到十，用逗号分开。", temperature=0, stop="5")
    assert seen[-1].reason == "stop" and text(seen).endswith("4,")


def test_one_seed_gives_one_text_every_time(engine):
    asked = {"prompt": "写一句关于秋天的诗。", "temperature": 1.2, "max_tokens": 12}
    assert len({text(events(engine, seed=5, **asked)) for _ in range(4)}) == 1


def test_another_seed_gives_another_text(engine):
    asked = {"prompt": "写一句关于秋天的诗。", "temperature": 1.2, "max_tokens": 6}
    assert len({text(events(engine, seed=seed, **asked)) for seed in range(3)}) > 1


def test_temperature_zero_takes_the_likeliest_token_each_time(engine):
    seen = events(engine, temperature=0, logprobs=True, top_logprobs=5, max_tokens=8)
    rows = [row for event in seen if isinstance(event, Piece) for row in event.logprobs or []]
    assert len(rows) == 8
    assert all(row["logprob"] == max(top["logprob"] for top in row["top_logprobs"]) for row in rows)


def test_logprobs_come_without_others_beside_them_too(engine):
    seen = events(engine, logprobs=True, max_tokens=3)
    rows = [row for event in seen if isinstance(event, Piece) for row in event.logprobs or []]
    assert [(row["top_logprobs"], row["logprob"] <= 0) for row in rows] == [([], True)] * 3


def test_logprobs_are_the_models_own_whatever_the_temperature(engine):
    def first(temperature):
        asked = {"logprobs": True, "top_logprobs": 5, "max_tokens": 1, "temperature": temperature}
        pieces = [event for event in events(engine, **asked) if isinstance(event, Piece)]
        return next(piece.logprobs[0] for piece in pieces if piece.logprobs)

    cold, hot = first(0), first(1.9)
    assert cold["top_logprobs"] == hot["top_logprobs"]
    assert sum(math.exp(top["logprob"]) for top in cold["top_logprobs"]) <= 1


def variety(engine, **penalty):
    """The share of different characters in a poem that, left alone, goes round in circles."""
    asked = {"temperature": 0, "max_tokens": 32, "repetition_penalty": 1}
    poem = text(events(engine, "写一首关于大海的诗。", **asked | penalty))
    return len(set(poem)) / len(poem)


def test_each_penalty_makes_the_model_repeat_itself_less(engine):
    plain = variety(engine)
    assert variety(engine, presence_penalty=2) > 1.5 * plain
    assert variety(engine, frequency_penalty=2) > 1.5 * plain
    assert variety(engine, repetition_penalty=1.3) > 1.5 * plain


def test_a_top_p_of_almost_nothing_leaves_only_the_likeliest_token(engine):
    narrow = {"temperature": 1.9, "top_p": 0.0001, "max_tokens": 6}
    greedy = text(events(engine, temperature=0, max_tokens=6))
    assert {text(events(engine, seed=seed, **narrow)) for seed in range(3)} == {greedy}


def test_top_p_cuts_what_the_temperature_has_evened_out(engine):
    # The likeliest first token has 0.8 of the mass: alone enough for a top_p of 0.75, not when
    # the temperature has taken from it first.
    asked = {"top_p": 0.75, "top_k": 0, "max_tokens": 1, "repetition_penalty": 1}
    asked["messages"] = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "你是谁？"},
    ]
    assert len({text(events(engine, seed=s, temperature=1, **asked)) for s in range(6)}) == 1
    assert len({text(events(engine, seed=s, temperature=1.9, **asked)) for s in range(6)}) > 1


def test_a_top_k_of_one_leaves_only_the_likeliest_token_and_above_100_is_off(engine):
    asked = {"temperature": 1.99, "top_p": 1, "max_tokens": 3}
    assert len({text(events(engine, seed=s, top_k=1, **asked)) for s in range(5)}) == 1
    unlimited = [text(events(engine, seed=s, top_k=0, **asked)) for s in range(5)]
    assert [text(events(engine, seed=s, top_k=101, **asked)) for s in range(5)] == unlimited
    assert [text(events(engine, seed=s, top_k=100, **asked)) for s in range(5)] != unlimited


def test_too_long_a_prompt_is_refused_before_it_is_read(engine):
    # 3 tokens each: more than is allowed, and more than a slot holds.
    for repeats in (1100, 3000):
        with pytest.raises(Refusal, match=r"Range of input length should be \[1, 3072\]"):
            events(engine, "天气很好。" * repeats)


def test_a_slot_holds_the_longest_prompt_and_the_longest_answer(engine):
    slot = engine._post("/props", None)["default_generation_settings"]["n_ctx"]
    assert slot >= MAX_INPUT + PARAMETERS["max_tokens"].high == 5120


def test_what_is_cached_is_said_and_a_call_alone_reads_all_afresh(engine):
    asked = {"prompt": "请记住这句话，" * 10, "max_tokens": 1}
    events(engine, alone=False, **asked)
    assert events(engine, alone=False, **asked)[-1].cached_tokens > 30
    assert events(engine, alone=True, **asked)[-1].cached_tokens == 0


def test_a_stopped_call_ends_at_once_even_while_the_prompt_is_read(engine):
    assert len(events(engine, "天气很好。" * 400, stop_after=2)) == 2
    assert len(events(engine, stop_after=4, max_tokens=500)) == 4


def test_four_calls_at_once_all_get_answers(engine):
    answers = []

    def ask(seed):
        answers.append(text(events(engine, seed=seed, alone=False, max_tokens=10)))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 4 and all(answers)


def test_tokens_can_stop_an_answer(engine):
    comma = engine._post("/tokenize", {"content": "，"})["tokens"]
    seen = events(engine, "写一首关于秋天的短诗", temperature=0, stop=comma)
    assert "，" not in text(seen) and seen[-1].reason == "stop"


def test_a_token_that_the_model_does_not_have_is_refused(engine):
    with pytest.raises(Refusal, match="'stop' has a token"):
        events(engine, stop=[10**6])


PEOPLE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("seed", range(3))
def test_an_answer_obeys_its_schema(engine, seed):
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": PEOPLE}}
    seen = events(engine, "小明今年十二岁。", seed=seed, temperature=1.5, response_format=form)
    person = json.loads(text(seen))
    assert list(person) == ["name", "age"] and isinstance(person["age"], int)


def test_a_schema_that_refers_to_itself_is_obeyed(engine):
    leaf = {"type": "array", "items": {"$ref": "#"}, "maxItems": 2}
    label = {"type": "string", "maxLength": 8, "minLength": 1}
    tree = {"type": "object", "properties": {"label": label, "children": leaf}}
    tree |= {"required": ["label", "children"], "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "tree", "schema": tree}}
    asked = "给出一棵树：根是“水果”，下面是“苹果”和“梨”，它们没有下级。"
    seen = events(engine, asked, temperature=0, response_format=form, max_tokens=200)
    nodes = [json.loads(text(seen))]
    for node in nodes:
        assert list(node) == ["label", "children"]
        nodes += node["children"]


def test_a_json_object_is_one(engine):
    form = {"type": "json_object"}
    seen = events(engine, "用 JSON 说：小明今年十二岁。", response_format=form, max_tokens=200)
    assert isinstance(json.loads(text(seen)), dict)


CIRCLE = {"$ref": "#"}
LOOP = {"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}]}}}
EMPTY = {"type": "integer", "minimum": 5, "maximum": 2}


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"items": 5}, LOOP, CIRCLE, EMPTY])
def test_a_schema_that_the_engine_cannot_use_is_refused(engine, schema):
    form = {"type": "json_schema", "json_schema": {"name": "bad", "schema": schema}}
    with pytest.raises(Refusal) as caught:
        events(engine, response_format=form)
    assert caught.value.status == 400 and str(caught.value).startswith("<400> InternalError")
    assert "parse grammar" not in str(caught.value)


def tool(name, field):
    schema = {"type": "object", "properties": {field: {"type": "string"}}, "required": [field]}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


TOOLS = [tool("get_weather", "city"), tool("get_time", "timezone")]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", ["get_weather", "get_time"])
def test_a_demanded_tool_is_called_with_its_arguments(engine, name, seed):
    choice = {"type": "function", "function": {"name": name}}
    seen = events(engine, "你好！", seed=seed, tools=TOOLS, tool_choice=choice)
    (call,) = tools.calls(text(seen), TOOLS)
    assert call.name == name and json.loads(call.arguments)


def test_tools_and_logprobs_go_together(engine):
    asked = {"tools": TOOLS, "temperature": 0, "max_tokens": 24}
    bare = events(engine, "杭州天气如何？", **asked)
    seen = events(engine, "杭州天气如何？", logprobs=True, top_logprobs=2, **asked)
    rows = [row for event in seen if isinstance(event, Piece) for row in event.logprobs or []]
    assert text(seen) == text(bare) and seen[-1] == bare[-1]
    assert len(rows) >= seen[-1].completion_tokens - 1
    assert {len(row["top_logprobs"]) for row in rows} == {2}


def test_the_model_sees_the_tools_and_their_results(engine):
    bare = events(engine, max_tokens=1)[-1].prompt_tokens
    assert events(engine, max_tokens=1, tools=TOOLS)[-1].prompt_tokens > bare + 100
    made = {"id": "1", "function": {"name": "get_weather", "arguments": '{"city": "成都"}'}}
    talk = [
        {"role": "user", "content": "成都天气如何？"},
        {"role": "assistant", "content": "", "tool_calls": [made]},
        {"role": "tool", "tool_call_id": "1", "content": "小雨，18 度"},
    ]
    assert "18" in text(events(engine, messages=talk, tools=TOOLS, temperature=0))


def test_what_a_search_found_is_read_and_counted(engine):
    talk = [{"role": "user", "content": "缅甸的首都是哪里？"}]
    call = checked_request(
        {"model": engine.model, "messages": talk, "temperature": 0}, engine.model
    )
    bare = asyncio.run(read(engine, call))
    notes = [Note("缅甸的首都", "缅甸的首都是内比都。")]
    found = replace(call, prompt=insert(call.prompt, notes))
    told = asyncio.run(read(engine, found))
    assert "内比都" not in text(bare) and "内比都" in text(told)
    assert told[-1].prompt_tokens > bare[-1].prompt_tokens + 15


def test_a_beginning_of_the_answer_is_gone_on_from(engine):
    talk = [
        {"role": "user", "content": "从 1 数到 6，用逗号分开。"},
        {"role": "assistant", "content": "1, 2, 3,", "partial": True},
    ]
    assert text(events(engine, messages=talk, temperature=0)).strip().startswith("4")


ASKED = [{"role": "user", "content": "写一首关于秋天的短诗"}]


def test_the_probabilities_of_the_whole_vocabulary_sum_to_one(engine):
    found = next_token(engine, ASKED, "", WHOLE)
    assert len(found.ids) == len(set(found.ids.tolist())) > 150_000
    assert numpy.exp(found.logprobs.astype(float)).sum() == pytest.approx(1, abs=2e-3)
    short = next_token(engine, ASKED, "", 1000).first(1000)
    assert (short.ids == found.ids[:1000]).all() and not len(short.tail_counts)


@pytest.mark.parametrize("length", [0, 1, 5, 12])
def test_the_likeliest_next_token_is_the_one_that_the_model_then_picks(engine, length):
    plain = {"temperature": 0, "repetition_penalty": 1, "logprobs": True, "messages": ASKED}
    rows = [
        row
        for event in events(engine, **plain)
        if isinstance(event, Piece)
        for row in event.logprobs or ()
    ]
    prefix = b"".join(bytes(row["bytes"]) for row in rows[:length]).decode()
    found = next_token(engine, ASKED, prefix, 5)
    assert found.bytes[0] == bytes(rows[length]["bytes"])
    assert found.logprobs[0] == pytest.approx(rows[length]["logprob"], abs=0.2)


def test_tokens_serve_as_a_prefix_as_their_text_does(engine):
    first = next_token(engine, ASKED, "", 1)
    by_token = next_token(engine, ASKED, [int(first.ids[0])], 5)
    by_text = next_token(engine, ASKED, first.bytes[0].decode(), 5)
    assert by_token.bytes == by_text.bytes


def test_a_next_token_comes_with_the_very_tokens_before_it(engine):
    bare, begun = next_token(engine, ASKED, "", 5), next_token(engine, ASKED, "秋风起", 5)
    prompt = events(engine, messages=ASKED, max_tokens=1)[-1].prompt_tokens
    assert bare.prompt_tokens == begun.prompt_tokens == len(bare.context) == prompt
    assert begun.context[:prompt].tolist() == bare.context.tolist()
    assert engine._prompts.text(begun.context[prompt:].tolist()) == "秋风起"


def test_a_prefix_of_unknown_tokens_is_refused(engine):
    with pytest.raises(Refusal):
        next_token(engine, ASKED, [10**6], 5)


def test_who_leaves_while_a_long_prompt_is_read_for_a_next_token_stops_it(engine):
    long = [{"role": "user", "content": "天气很好，我们去公园散步。" * 300}]

    async def leave():
        asking = asyncio.create_task(engine.next_token(long, "", 5))
        await asyncio.sleep(0.5)
        began = time.monotonic()
        asking.cancel()
        await asyncio.wait({asking})
        return time.monotonic() - began

    # To read all of it takes some 20 s.
    assert asyncio.run(leave()) < 6


@pytest.mark.parametrize("count", range(4))
def test_parts_of_a_character_come_next_and_before(engine, count):
    # 龘 is two tokens; the model wants to begin with the first, and can be asked after it.
    tokens = [82912, 246, 141334][:count]
    messages = [{"role": "user", "content": "照抄：龘"}]
    found = next_token(engine, messages, tokens, 10**6)
    assert numpy.exp(found.logprobs.astype(float)).sum() == pytest.approx(1, abs=0.002)
    assert found.context[-count:].tolist() == tokens or not count
