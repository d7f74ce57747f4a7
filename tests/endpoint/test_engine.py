"""The real model in this process."""

import math
import threading

import pytest

from qwen_lab.endpoint import weights
from qwen_lab.endpoint.engine import End, LlamaEngine, Piece, Prompt
from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.endpoint.rules import read

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def engine():
    path = weights.fetch()
    return LlamaEngine(path, weights.model_id(path))


def events(engine, prompt="你是谁？", *, seed=1, alone=True, stop_after=None, **fields):
    messages = [{"role": "user", "content": prompt}]
    call = read({"model": engine.model, "messages": messages, **fields}, engine.model)
    seen = []

    def emit(event):
        seen.append(event)
        return stop_after is not None and len(seen) >= stop_after

    engine.generate(call, seed, alone, emit)
    return seen


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


def test_one_seed_gives_one_text_ten_times(engine):
    asked = {"prompt": "写一句关于秋天的诗。", "temperature": 1.2, "max_tokens": 24}
    assert len({text(events(engine, seed=5, **asked)) for _ in range(10)}) == 1


def test_another_seed_gives_another_text(engine):
    asked = {"prompt": "写一句关于秋天的诗。", "temperature": 1.2, "max_tokens": 24}
    assert len({text(events(engine, seed=seed, **asked)) for seed in range(5)}) > 1


def test_temperature_zero_takes_the_likeliest_token_each_time(engine):
    seen = events(engine, temperature=0, logprobs=True, top_logprobs=5, max_tokens=8)
    rows = [row for event in seen if isinstance(event, Piece) for row in event.logprobs or []]
    assert len(rows) == 8
    assert all(row["logprob"] == max(top["logprob"] for top in row["top_logprobs"]) for row in rows)


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
    asked = {"temperature": 0, "max_tokens": 80, "repetition_penalty": 1}
    poem = text(events(engine, "写一首关于大海的诗。", **asked | penalty))
    return len(set(poem)) / len(poem)


def test_each_penalty_makes_the_model_repeat_itself_less(engine):
    plain = variety(engine)
    assert variety(engine, presence_penalty=2) > 1.5 * plain
    assert variety(engine, frequency_penalty=2) > 1.5 * plain
    assert variety(engine, repetition_penalty=1.3) > 1.5 * plain


def test_a_top_p_of_almost_nothing_leaves_only_the_likeliest_token(engine):
    narrow = {"temperature": 1.9, "top_p": 0.0001, "max_tokens": 12}
    greedy = text(events(engine, temperature=0, max_tokens=12))
    assert {text(events(engine, seed=seed, **narrow)) for seed in range(3)} == {greedy}


def test_top_p_cuts_what_the_temperature_has_evened_out(engine):
    # The likeliest first token has 0.8 of the mass: alone enough for a top_p of 0.75, not when
    # the temperature has taken from it first.
    asked = {"top_p": 0.75, "top_k": 0, "max_tokens": 1, "repetition_penalty": 1}
    asked["messages"] = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "你是谁？"},
    ]
    assert len({text(events(engine, seed=s, temperature=1, **asked)) for s in range(12)}) == 1
    assert len({text(events(engine, seed=s, temperature=1.9, **asked)) for s in range(12)}) > 1


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
