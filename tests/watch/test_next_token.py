from dataclasses import replace

import numpy
import pytest

from qwen_lab.watch.next_token import listed, load


@pytest.fixture
def whole():
    """A vocabulary like the real one: 150,000 tokens, a few likely, a long tail."""
    logits = numpy.sort(numpy.random.default_rng(7).normal(0, 2.5, 150_000))[::-1]
    logits[:3] += (9, 7, 6)
    logprobs = logits - numpy.log(numpy.exp(logits).sum())
    return listed([(n, b"\xe7\xa7\x8b"[: n % 4], logprob) for n, logprob in enumerate(logprobs)])


def mass(found, temperature):
    """The likeliest tokens' and the tail's part of the probability."""
    head = numpy.exp(found.logprobs.astype(float) / temperature)
    tail = numpy.exp(found.tail_logprobs.astype(float) / temperature) * found.tail_counts
    total = head.sum() + tail.sum()
    return head.sum() / total, tail.sum() / total


@pytest.mark.parametrize("temperature", [0.1, 0.3, 0.7, 1, 1.3, 1.9, 1.99])
def test_the_tail_weighs_what_its_tokens_weigh_at_any_temperature(whole, temperature):
    weights = numpy.exp(whole.logprobs.astype(float) / temperature)
    real = weights[1000:].sum() / weights.sum()
    assert mass(whole.first(1000), temperature)[1] == pytest.approx(real, rel=0.01)


def test_no_token_is_lost_in_the_tail(whole):
    found = whole.first(1000)
    assert len(found.ids) == len(found.bytes) == len(found.logprobs) == 1000
    assert found.tail_counts.sum() == 149_000 and len(found.tail_counts) < 2_000
    assert list(found.tail_logprobs) == sorted(found.tail_logprobs, reverse=True)


def test_a_tail_can_be_cut_shorter_again(whole):
    again = whole.first(1000).first(200)
    assert again.tail_counts.sum() == 149_800
    assert mass(again, 1.3)[1] == pytest.approx(mass(whole.first(200), 1.3)[1], rel=1e-4)


def test_a_list_without_a_tail_has_an_empty_one(whole):
    found = listed([(1, b"a", -0.1), (2, b"b", -3.0)]).first(1000)
    assert list(found.ids) == [1, 2] and len(found.tail_counts) == len(found.tail_logprobs) == 0


def test_tokens_of_the_context_stay_listed_wherever_they_stand(whole):
    found = replace(whole, context=numpy.array([5, 140_000, 2_000_000])).first(1000)
    assert found.ids.tolist() == [*range(1000), 140_000]
    assert found.logprobs[-1] == whole.logprobs[140_000] and found.bytes[-1] == whole.bytes[140_000]
    assert found.tail_counts.sum() == 148_999


def test_what_is_dumped_is_loaded(whole):
    found = replace(
        whole.first(1000),
        context=numpy.arange(9, dtype=numpy.int32),
        prompt_tokens=7,
        logit_offset=16.2,
    )
    again = load(found.dump())
    for name in ("ids", "logprobs", "tail_logprobs", "tail_counts", "context"):
        assert numpy.array_equal(getattr(again, name), getattr(found, name))
    assert again.bytes == found.bytes
    assert (again.prompt_tokens, again.logit_offset) == (7, 16.2)


def test_a_part_of_a_character_shows_as_a_sign():
    found = listed([(1, "秋".encode(), -0.1), (2, b"\xe7\xa7", -3.0)])
    assert found.tokens == ["秋", "�"]
