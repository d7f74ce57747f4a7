"""What only the local Qwen shows, over a real connection, live and from a tape."""

import asyncio

import pytest

import qwen_lab
from qwen_lab.endpoint import tape
from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.lab import Lab
from qwen_lab.watch.next_token import listed
from qwen_lab.words import LabError

HELLO = [{"role": "user", "content": "你好"}]


def test_the_likeliest_tokens_are_listed_and_the_others_counted(lab, engine):
    found = lab.next_token(HELLO, "我")
    assert (len(found.ids), found.tokens[0], found.tail_counts.sum()) == (1000, "t1", 2000)
    assert engine.calls[0][:2] == (HELLO, "我")


def test_without_the_tail_the_engine_is_asked_for_the_likeliest_alone(lab, engine):
    assert len(lab.next_token(HELLO, tail=False).tail_counts) == 0
    assert engine.calls[0][2] == 1000


def test_the_whole_vocabulary_comes_when_asked_for(lab):
    assert len(lab.next_token(HELLO, whole=True).ids) == 3000


def test_a_prefix_may_be_tokens(lab, engine):
    first = lab.next_token(HELLO)
    lab.next_token(HELLO, first.ids[:2])
    assert engine.calls[1][1] == [1, 2]


@pytest.mark.parametrize("prefix", [[-1], [2**31]])
def test_a_prefix_that_is_neither_text_nor_tokens_is_refused(lab, prefix):
    with pytest.raises(LabError, match="'prefix' must be"):
        lab.next_token(HELLO, prefix)


def test_messages_that_are_no_conversation_are_refused(lab):
    with pytest.raises(LabError, match="is too short"):
        lab.next_token([])


def test_what_a_tape_does_not_have_is_said_in_its_own_words_alone(lab, engine, monkeypatch):
    async def refuse(*asked):
        raise Refusal("not recorded", status=404, code="not_on_tape")

    monkeypatch.setattr(engine, "next_token", refuse)
    with pytest.raises(LabError, match="^not recorded$"):
        lab.next_token(HELLO)


@pytest.mark.parametrize("kind", ["dashscope", "custom"])
def test_the_cloud_does_not_show_its_inside(kind):
    lab = Lab("https://example.com/v1", "qwen-plus", kind, "sk-…")
    for look in (lab.next_token, lab.search):
        with pytest.raises(LabError, match="only the local Qwen"):
            look(HELLO)


def test_a_server_that_is_gone_ends_in_one_sentence():
    with pytest.raises(LabError, match="Connect again"):
        Lab("http://127.0.0.1:9/v1", "fake-qwen", "local", "test-token").next_token(HELLO)


def test_a_next_token_is_taped_as_the_likeliest_and_the_tail(engine, tmp_path):
    file = tmp_path / "tape.jsonl"
    live = asyncio.run(tape.Recorder(engine, file).next_token(HELLO, "我", 1000))
    played = asyncio.run(tape.Player(file).next_token(HELLO, "我", 1000))
    assert len(live.ids) == len(played.ids) == 200
    assert live.tail_counts.sum() == played.tail_counts.sum() == 2800
    assert played.tokens == live.tokens and (played.logprobs == live.logprobs).all()


@pytest.fixture
def knowing(engine, monkeypatch):
    """The fake engine, which also knows what stands before the token."""

    async def next_token(messages, prefix, most):
        rows = [(number, b"t%d" % number, -0.5 * number) for number in range(1, 3001)]
        return listed(rows[:most], [3, 700, 4], 2, 15.5)

    monkeypatch.setattr(engine, "next_token", next_token)
    return engine


def test_the_context_comes_with_it_and_its_tokens_are_listed(lab, knowing):
    found = lab.next_token(HELLO, "我")
    assert found.context.tolist() == [3, 700, 4]
    assert (found.prompt_tokens, found.logit_offset) == (2, 15.5)


def test_the_context_is_taped(knowing, tmp_path):
    file = tmp_path / "tape.jsonl"
    asyncio.run(tape.Recorder(knowing, file).next_token(HELLO, "我", 1000))
    played = asyncio.run(tape.Player(file).next_token(HELLO, "我", 1000))
    assert played.context.tolist() == [3, 700, 4] and played.ids[-1] == 700
    assert (played.prompt_tokens, played.logit_offset) == (2, 15.5)


def test_the_tokens_of_a_key_do_not_reach_the_tape(knowing, tmp_path):
    file = tmp_path / "tape.jsonl"
    asked = [{"role": "user", "content": "My key is sk-planted-in-a-question."}]
    live = asyncio.run(tape.Recorder(knowing, file).next_token(asked, "", 1000))
    assert len(live.context) == 0 and 700 not in live.ids
    assert "t700" not in file.read_text(encoding="utf-8")


def test_a_tape_does_not_have_the_whole_vocabulary(engine, tmp_path, monkeypatch):
    file = tmp_path / "tape.jsonl"
    asyncio.run(tape.Recorder(engine, file).next_token(HELLO, "", 1000))
    monkeypatch.setenv("QWEN_LAB_TAPE", str(file))
    lab = qwen_lab.connect("replay")
    assert len(lab.next_token(HELLO).ids) == 200
    with pytest.raises(LabError, match="whole vocabulary"):
        qwen_lab.connect("replay").next_token(HELLO, whole=True)
