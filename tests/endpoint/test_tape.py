"""The tape, with the real SDK on both ends: one app records, another plays back."""

import asyncio
import json
import os
import time
from pathlib import Path

import openai
import pytest
from openai import OpenAI
from starlette.testclient import TestClient

from qwen_lab.endpoint import tape
from qwen_lab.endpoint.app import BASE, create_app
from qwen_lab.endpoint.engine import End, Piece, Prompt, Thought
from qwen_lab.endpoint.learner import alone
from qwen_lab.endpoint.refusal import invalid
from qwen_lab.endpoint.rules import checked_request
from qwen_lab.views.wire import Wire
from qwen_lab.words import LabError

KEY = "sk-0123456789abcdef0123456789abcdef"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "tape" / "01_lesson.jsonl"


def client(engine, token="test-token", **headers):
    http = TestClient(
        create_app(engine, alone(token)), base_url="http://127.0.0.1", headers=headers
    )
    return OpenAI(
        base_url=f"http://127.0.0.1{BASE}", api_key=token, http_client=http, max_retries=0
    )


def ask(client, question="你好", **fields):
    asked = {"model": "fake-qwen", "messages": [{"role": "user", "content": question}]}
    return client.chat.completions.create(**asked | fields)


def text(completion):
    return completion.choices[0].message.content


@pytest.fixture
def recorded(engine, file):
    """Record these replies to these requests; gives the tape's lines."""

    def record(*requests, replies=("好",)):
        for reply in replies:
            engine.reply(*reply)
        recorder = client(tape.Recorder(engine, file))
        for request in requests:
            ask(recorder, **request)
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    return record


def test_what_was_recorded_is_played_back_whole(recorded, engine, file):
    recorded({"seed": 7}, replies=[("你", "好")])
    completion = ask(client(tape.Player(file)), seed=7)
    assert (text(completion), completion.model) == ("你好", "fake-qwen")
    assert completion.usage.total_tokens == 7
    assert completion.choices[0].finish_reason == "stop"


def test_a_long_answer_that_is_played_at_once_lets_others_have_their_turn(recorded, file):
    recorded({"seed": 7}, replies=["好" * 100])
    body = {"model": "fake-qwen", "messages": [{"role": "user", "content": "你好"}], "seed": 7}
    request, turns = checked_request(body, "fake-qwen"), []

    async def other():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def scenario():
        beside = asyncio.create_task(other())
        events = [event async for event in tape.Player(file).generate(request, 7, True)]
        beside.cancel()
        assert len(events) == 102 and 5 < len(turns) < 20

    asyncio.run(scenario())


def test_a_streamed_answer_is_played_in_the_same_chunks_and_without_a_stream_too(recorded, file):
    recorded({"seed": 7}, replies=[("你", "好", "吗")])
    player = client(tape.Player(file))
    chunks = [chunk.choices[0].delta.content for chunk in ask(player, seed=7, stream=True)]
    assert chunks == ["", "你", "好", "吗", ""]


def test_the_same_question_asked_again_gets_the_next_answer(recorded, file):
    recorded({}, {}, replies=[("一",), ("二",)])
    player = client(tape.Player(file))
    assert [text(ask(player)), text(ask(player))] == ["一", "二"]
    with pytest.raises(openai.NotFoundError, match="recorded 2 times"):
        ask(player)


def test_the_count_starts_again_with_each_player(recorded, file):
    recorded({}, {}, replies=[("一",), ("二",)])
    assert [text(ask(client(tape.Player(file)))) for _ in range(2)] == ["一", "一"]


def test_defaults_may_be_said_or_left_out(recorded, file):
    recorded({"temperature": 0.7, "max_tokens": 1024})
    assert text(ask(client(tape.Player(file)), top_p=0.8)) == "好"


@pytest.mark.parametrize(
    ("fields", "difference"),
    [
        ({"temperature": 0.9}, "temperature: 0.7 → 0.9"),
        ({"seed": 8}, "seed: 1234 → 8; alone: False → True"),
        ({"question": "再见"}, "再见"),
        ({"stop": ["。"]}, "stop: [] → ['。']"),
        ({"logprobs": True}, "top_logprobs: None → 0"),
    ],
)
def test_what_is_not_on_the_tape_is_refused_and_the_difference_named(
    recorded, file, fields, difference
):
    recorded({})
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client(tape.Player(file)), **fields)
    assert caught.value.code == "not_on_tape"
    assert difference in caught.value.body["message"]
    assert "python3 -m qwen_lab record" in caught.value.body["message"]


def test_a_number_is_the_same_whichever_way_it_is_written(recorded, file):
    recorded({"temperature": 0, "presence_penalty": 2})
    assert text(ask(client(tape.Player(file)), temperature=0.0, presence_penalty=2.0)) == "好"
    with pytest.raises(openai.NotFoundError):
        ask(client(tape.Player(file)), temperature=0.1, presence_penalty=2)


def test_the_rules_come_before_the_tape(recorded, file):
    recorded({})
    with pytest.raises(openai.BadRequestError):
        ask(client(tape.Player(file)), temperature=2)


def test_logprobs_and_several_choices_are_on_the_tape(engine, file):
    row = {"token": "好", "logprob": -0.1, "bytes": [229], "top_logprobs": []}
    for _ in range(2):
        engine.replies.append([Prompt(5), Piece("好", [row]), End("stop", 5, 1, 0)])
    recorder, asked = client(tape.Recorder(engine, file)), {"n": 2, "seed": 3, "logprobs": True}
    live = ask(recorder, **asked)
    played = ask(client(tape.Player(file)), **asked)
    assert played.choices == live.choices and len(played.choices) == 2


def test_what_few_requests_have_is_part_of_the_question(recorded, file):
    tool = {"type": "function", "function": {"name": "get_time"}}
    recorded({"tools": [tool]})
    assert text(ask(client(tape.Player(file)), tools=[tool])) == "好"
    with pytest.raises(openai.NotFoundError, match="tools: .*get_time.* → None"):
        ask(client(tape.Player(file)))


def test_the_result_of_a_tool_is_found_again_under_another_id(engine, file):
    tool = {"type": "function", "function": {"name": "get_time"}}
    engine.reply('{"name": "get_time", "arguments": {}}')
    engine.reply("九点")

    def talk(client):
        message = ask(client, tools=[tool]).choices[0].message
        call = message.tool_calls[0]
        result = {"role": "tool", "tool_call_id": call.id, "content": "9:00"}
        messages = [{"role": "user", "content": "你好"}, message, result]
        return call.id, text(ask(client, messages=messages, tools=[tool]))

    live, played = talk(client(tape.Recorder(engine, file))), talk(client(tape.Player(file)))
    assert live[0] != played[0] and live[1] == played[1] == "九点"


def test_thinking_is_on_the_tape(engine, file):
    engine.thinks = True
    events = [Prompt(5), Thought("想"), Thought("想"), Piece("好"), End("stop", 5, 3, 0)]
    engine.replies.append(events)
    asked = {"stream": True, "extra_body": {"enable_thinking": True}}
    live = [chunk.choices[0].delta for chunk in ask(client(tape.Recorder(engine, file)), **asked)]
    played = [chunk.choices[0].delta for chunk in ask(client(tape.Player(file)), **asked)]
    assert played == live and [delta.content for delta in played] == ["", None, None, "好", ""]


def test_a_refusal_of_the_model_is_on_the_tape(engine, file):
    engine.replies.append([invalid("Range of input length should be [1, 3072]")])
    for end in (client(tape.Recorder(engine, file)), None):
        with pytest.raises(openai.BadRequestError, match="Range of input length"):
            ask(end or client(tape.Player(file)))


def test_a_client_that_leaves_early_does_not_cut_the_tape_short(engine, file):
    engine.reply(*"一二三四五")
    with ask(client(tape.Recorder(engine, file)), stream=True) as stream:
        next(iter(stream))
    assert text(ask(client(tape.Player(file)))) == "一二三四五"


def test_a_reader_that_is_cancelled_does_not_cut_the_tape_short(engine, file):
    engine.replies.append([Prompt(5), *[0.01, Piece("字")] * 20, End("stop", 5, 20, 0)])
    recorder = tape.Recorder(engine, file)
    body = {"model": "fake-qwen", "messages": [{"role": "user", "content": "你好"}]}
    events = recorder.generate(checked_request(body, "fake-qwen"), 1234, False)

    async def leave():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                async for _ in events:
                    pass

    asyncio.run(leave())
    assert text(ask(client(tape.Player(file)))) == "字" * 20


def test_a_tape_plays_at_once_or_as_fast_as_it_was_recorded(recorded, file):
    recorded({})
    lines = file.read_text(encoding="utf-8").replace('"pieces": [[0, 1]]', '"pieces": [[1500, 1]]')
    file.write_text(lines, encoding="utf-8")
    seconds = []
    for timed in (False, True):
        began = time.monotonic()
        ask(client(tape.Player(file, timed=timed)))
        seconds.append(time.monotonic() - began)
    assert seconds[0] < 1.5 <= seconds[1]


def test_a_stream_that_is_played_at_once_says_so(recorded, file):
    recorded({})
    for timed in (False, True):
        stream = Wire(ask(client(tape.Player(file, timed=timed)), stream=True))
        assert stream.at_once is not timed


def test_a_tape_is_one_readable_line_an_exchange(recorded):
    head, exchange = recorded({"seed": 7}, replies=[("你", "好")])
    assert head == {"model": "fake-qwen"}
    assert exchange["ask"]["messages"] == [{"role": "user", "content": "你好"}]
    assert exchange["text"] == "你好" and exchange["end"] == ["stop", 5, 2, 0]


def test_no_key_reaches_the_tape(engine, file, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "planted-in-the-environment")
    engine.reply("sk-0123456789", "abcdef", " planted-in-the-", "environment")
    recorder = client(tape.Recorder(engine, file), KEY, **{"x-secret": "sk-planted-in-a-header"})
    ask(recorder, f"My key is {KEY}.", stop=["sk-planted-as-stop"], extra_query={"key": KEY})
    kept = file.read_text(encoding="utf-8")
    assert "0123456789" not in kept and "planted" not in kept
    assert "My key is sk-…." in kept


HIDDEN = "only-in-the-file"


@pytest.fixture
def dotenv(tmp_path, monkeypatch):
    """A key that stands in the learner's `.env` alone, above the working folder."""
    (tmp_path / ".env").write_text(f"QWEN_LAB_API_KEY={HIDDEN}\n")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def planted(secret):
    """A conversation with the secret wherever a request can have one."""
    function = {"name": "f", "description": secret, "parameters": {"enum": [secret]}}
    called = {"name": "f", "arguments": json.dumps({"key": secret})}
    call = {"id": secret, "type": "function", "function": called}
    said = [
        {"role": "user", "content": [{"type": "text", "text": secret}]},
        {"role": "assistant", "content": secret, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": secret, "content": secret},
    ]
    return {"messages": said, "tools": [{"type": "function", "function": function}], "stop": secret}


@pytest.mark.parametrize("secret", [KEY, HIDDEN])
def test_no_key_reaches_the_tape_by_whatever_way(engine, file, dotenv, secret):
    engine.thinks, parts = True, [secret[:9], secret[9:], "."]
    # The text was stopped before the token that the key ends with.
    rows = [{"token": part, "logprob": -0.1, "bytes": [], "top_logprobs": []} for part in parts]
    stopped = [Piece(parts[0], rows[:2])]
    for said in ([*map(Thought, parts)], [*map(Piece, parts)], stopped):
        engine.replies.append([Prompt(5), *said, End("stop", 5, 3, 0)])
    engine.replies.append([invalid(f"I cannot bear {secret}")])
    recorder = client(tape.Recorder(engine, file))
    for _ in range(3):
        asked = {"stream": True, "logprobs": True, "extra_body": {"enable_thinking": True}}
        list(ask(recorder, **planted(secret), **asked))
    with pytest.raises(openai.BadRequestError, match=secret):
        ask(recorder)
    body = {"messages": [{"role": "user", "content": secret}], "prefix": secret}
    recorder.post("/lab/next_token", body=body, cast_to=object)
    kept = file.read_text(encoding="utf-8")
    assert kept.count("\n") == 6 and "I cannot bear" in kept
    assert secret not in kept and parts[1] not in kept


def test_a_question_with_a_key_in_it_is_found_again(recorded, file):
    recorded({"question": f"My key is {KEY}."})
    assert text(ask(client(tape.Player(file)), f"My key is {KEY}.")) == "好"


def test_a_tape_that_cannot_be_written_is_one_sentence(engine, tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "a.jsonl", tmp_path):
        with pytest.raises(LabError, match="can't be written .*folder of yours"):
            tape.Recorder(engine, path)


@pytest.mark.parametrize("content", [None, "", "{", "[]\n", '{"model": "m"}\n{}\n', "[" * 100_000])
def test_a_file_that_is_no_tape_ends_in_one_sentence(file, content):
    if content is not None:
        file.parent.mkdir()
        file.write_text(content)
    with pytest.raises(LabError, match="isn't a tape"):
        tape.Player(file)


def test_a_device_that_never_ends_is_no_tape():
    with pytest.raises(LabError, match="isn't a tape"):
        tape.Player(Path(os.devnull).with_name("zero"))
