"""`request.accepted` and `request.bolder`, of four kinds of answers."""

import pytest

from qwen_lab.checks.request import accepted, bolder
from qwen_lab.parameters import PARAMETERS

NAMES = ("temperature", "top_p")
RIGHT = {"temperature": 1.9, "top_p": 0.1}


class RaisingDict(dict):
    def items(self):
        raise RuntimeError("no")


class RaisingList(dict):
    def get(self, *names):
        raise RuntimeError("no")


MORE = [{}, {"stop": "5"}, {"extra_body": {"top_k": 0}}, {"extra_body": {"top_k": None}}, {"n": 4}]
UNTOUCHED = [..., [...], {"temperature": ...}, {**RIGHT, "extra_body": {"top_k": ...}}]
CRASHING = [RaisingDict(RIGHT), RaisingList(RIGHT)]
# What both checks say of a request that is none.
FAULTS = {
    "Your answer is None; expected a dict": None,
    "Your answer is 0.5; expected a dict": 0.5,
    "Your answer is an object of type set; expected a dict": {"temperature", 0.5},
    "Your answer is an object of type list; expected a dict": [RIGHT],
    "extra_body is 20; expected a dict": {"extra_body": 20},
    "There is no parameter 'temprature'; expected temperature": {"temprature": 1},
    "There is no parameter 'Top_P'; expected top_p": {"Top_P": 1},
    "There is no parameter 'topk'; expected top_k": {"extra_body": {"topk": 1}},
    "A name in your answer is 'colour'; expected a parameter": {"colour": "red"},
    "A name in your answer is 5; expected a parameter": {5: 1},
    "The SDK has no argument enable_search": {"enable_search": True},
    "temperature is 2, out of its range; expected a number in [0, 2)": {"temperature": 2},
    "top_p is 0, out of its range; expected a number in (0, 1]": {"top_p": 0},
    "temperature is -0.1, out of its range": {"temperature": -0.1},
    "top_p is 1.1, out of its range": {"top_p": 1.1},
    "presence_penalty is 3, out of its range; expected a number in [-2, 2]": {
        "presence_penalty": 3
    },
    "temperature is nan, out of its range": {"temperature": float("nan")},
    "temperature is '0.5'; expected a number, without quotes": {"temperature": "0.5"},
    "temperature is True; expected a number": {"temperature": True},
    "temperature is None; expected a number": {"temperature": None},
    "max_tokens is 0; expected a whole number in the range [1, 2048]": {"max_tokens": 0},
    "n is 2.0; expected a whole number in the range [1, 4]": {"n": 2.0},
    "max_tokens is 3000; expected a whole number in the range [1, 2048].": {"max_tokens": 3000},
    "stream is 'yes'; expected a value of type bool": {"stream": "yes"},
}
MISSING = {
    "The SDK has no argument top_k": {"top_k": 20},
    "top_k is -1; expected a whole number in the range [0, ∞)": {"extra_body": {"top_k": -1}},
    "temperature is missing; expected all of these: temperature, top_p": {},
    "top_p is missing": {"temperature": 1, "extra_body": {"top_k": 3}, "model": "qwen"},
}
PAIRS = {
    "Neither temperature nor top_p is in your dict; expected one": {},
    "Neither presence_penalty nor frequency_penalty": {"temperature": 1},
    "repetition_penalty is in your dict, but": {"temperature": 1, "repetition_penalty": 1.5},
    "Both temperature and top_p are in your dict; expected one": RIGHT,
    "Both presence_penalty and frequency_penalty are in your dict": {
        "temperature": 1.3,
        "presence_penalty": 1,
        "frequency_penalty": 0,
    },
    "temperature is 0.3, which isn't above its default, 0.7; expected more": {
        "temperature": 0.3,
        "presence_penalty": 1,
    },
    "top_p is 0.8, which isn't above": {"top_p": 0.8, "presence_penalty": 1},
    "frequency_penalty is -1, which isn't above its default, 0.0": {
        "top_p": 1,
        "frequency_penalty": -1,
    },
    "top_k is in your dict, but this exercise does without it; expected one": {
        "temperature": 1.2,
        "presence_penalty": 1,
        "extra_body": {"top_k": 1},
    },
}
ONES = [{"temperature": 1.2}, {"top_p": 0.9}, {"extra_body": {"top_p": 1}, "seed": 42}]
OTHERS = [{"presence_penalty": 1.5}, {"frequency_penalty": 0.1, "max_tokens": 60}]
WRONG = [
    *((accepted, words, answer) for words, answer in {**FAULTS, **MISSING}.items()),
    *((bolder, words, answer) for words, answer in {**FAULTS, **PAIRS}.items()),
]


def judged(check, answer):
    return check(answer, *(NAMES if check is accepted else ()))


def long():
    numbers = {name: row.default for name, row in PARAMETERS.items() if row.keyword and row.default}
    return {**numbers, "stop": "x" * 1000, "seed": 1, "presence_penalty": 1, "logprobs": False}


@pytest.mark.parametrize("check", [accepted, bolder])
@pytest.mark.parametrize("answer", UNTOUCHED)
def test_an_untouched_answer_is_not_yet(check, answer):
    assert judged(check, answer).status == "not yet"


@pytest.mark.parametrize(("check", "words", "answer"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_answer_is_told_what_was_seen_and_expected(check, words, answer):
    outcome = judged(check, answer)
    assert outcome.status == "wrong"
    assert words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize("check", [accepted, bolder])
@pytest.mark.parametrize("answer", CRASHING, ids=range(len(CRASHING)))
def test_a_crashing_answer_is_told_the_error(check, answer):
    outcome = judged(check, answer)
    assert outcome.status == "wrong" and "RuntimeError: no" in outcome.message
    assert "ended in an error" in outcome.message


@pytest.mark.parametrize("more", MORE)
def test_a_request_in_range_passes(more):
    outcome = accepted({**RIGHT, **more}, *NAMES)
    assert outcome.status == "passed" and "temperature=1.9, top_p=0.1" in outcome.message
    assert "in their ranges" in outcome.message


def test_a_request_may_name_what_is_no_parameter_of_sampling():
    assert accepted({"model": "qwen", "messages": [], **RIGHT}, *NAMES).status == "passed"


def test_a_parameter_counts_wherever_it_stands():
    assert accepted({"extra_body": RIGHT}, *NAMES).status == "passed"


@pytest.mark.parametrize("one", ONES)
@pytest.mark.parametrize("other", OTHERS)
def test_bolder_passes_whichever_it_is(one, other):
    assert bolder({**one, **other}).status == "passed"


def test_a_long_request_is_told_in_short():
    outcome = accepted(long())
    assert len(outcome.message) < 300 and outcome.status == "passed"
    assert "temperature=" in outcome.message and "logprobs=" not in outcome.message
    assert outcome.message.endswith(" ….")


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    for check in (accepted, bolder):
        for answer in [*UNTOUCHED, *CRASHING]:
            in_chinese(judged, check, answer)
    for check, _, answer in WRONG:
        in_chinese(judged, check, answer)
    for request in [*({**RIGHT, **more} for more in MORE), long()]:
        in_chinese(judged, accepted, request)
    for one in ONES:
        for other in OTHERS:
            in_chinese(bolder, {**one, **other})
