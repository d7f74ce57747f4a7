"""The checks of `response`, each of four kinds of answers: untouched, wrong, crashing, right."""

import math
from decimal import Decimal

import httpx2
import pytest
from openai import OpenAI, Stream
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from qwen_lab.checks.response import ending, fields, finish_reason, probability


def completion(reason, **changes):
    message = {"role": "assistant", "content": "Hi"}
    choices = [{"index": 0, "message": message, "finish_reason": reason}]
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "qwen"}
    # As the SDK does it: built from what the service sent, not validated.
    return ChatCompletion.construct(**{**body, "choices": choices, **changes})


def stream():
    response = httpx2.Response(200, request=httpx2.Request("GET", "http://127.0.0.1"))
    with OpenAI(api_key="none") as client:
        return Stream(cast_to=ChatCompletionChunk, response=response, client=client)


class Raising(ChatCompletion):
    @property
    def choices(self):
        raise RuntimeError("no")


UNTOUCHED = [..., [...]]
CRASHING = [
    Raising.model_construct(),
    completion("length", choices=7),
    completion("length", choices=[None]),
]
WRONG = {
    "Your answer is None; expected a ChatCompletion": None,
    "Your answer is 'Hi'; expected a ChatCompletion, the whole reply": "Hi",
    "Your answer is a stream": stream(),
    "Your answer is an object of type Choice; expected": completion("length").choices[0],
    "Your answer is an object of type dict; expected": completion("length").model_dump(),
    "The reply has no choices; expected one": completion("length", choices=[]),
    "The reply has no choices": ChatCompletion.construct(),
    "finish_reason is 'stop'; expected \"length\". ": completion("stop"),
    'finish_reason is None; expected "length". ': completion(None),
}


@pytest.mark.parametrize("answer", UNTOUCHED)
def test_an_untouched_answer_is_not_yet(answer):
    assert finish_reason(answer, "length").status == "not yet"


@pytest.mark.parametrize(("words", "answer"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_answer_is_told_what_was_seen_and_expected(words, answer):
    outcome = finish_reason(answer, "length")
    assert outcome.status == "wrong"
    assert words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize("answer", CRASHING, ids=range(len(CRASHING)))
def test_a_crashing_answer_is_told_the_error(answer):
    outcome = finish_reason(answer, "length")
    assert outcome.status == "wrong" and "Error: " in outcome.message
    assert "ended in an error" in outcome.message


REASONS = ("length", "stop", "tool_calls", "content_filter")


@pytest.mark.parametrize("reason", REASONS)
def test_a_right_answer_passes(reason):
    outcome = finish_reason(completion(reason), reason)
    assert outcome.status == "passed" and f'"{reason}"' in outcome.message


@pytest.mark.parametrize(
    ("expected", "way"), [("length", "a small max_tokens"), ("stop", "raise max_tokens")]
)
def test_a_wrong_reason_comes_with_the_way_to_the_right_one(expected, way):
    message = finish_reason(completion("content_filter"), expected).message
    assert way in message and f'"{expected}"' in message and "'content_filter'" in message


def test_a_reason_that_nobody_can_bring_about_comes_without_a_way():
    message = finish_reason(completion("stop"), "content_filter").message
    assert ". " not in message


def test_a_reason_that_nobody_can_bring_about_comes_without_a_way_in_chinese(monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    assert finish_reason(completion("stop"), "content_filter").message.count("。") == 1


USAGE = {
    "prompt_tokens": 33,
    "completion_tokens": 31,
    "total_tokens": 64,
    "prompt_tokens_details": {"cached_tokens": 24},
}
REPLY = completion("stop", usage=USAGE)
READ = {"model": "qwen", "finish_reason": "stop", "cached_tokens": 24}
NO_REPLIES = ["Hi", None, stream(), Raising.model_construct()]
NOT_READ = {
    "For model you have 5; expected what stands in model.": {"model": 5},
    "For model you have an object of type dict; expected": {"model": {}},
    "For finish_reason you have None; expected what stands in choices[0].finish_reason.": {
        "finish_reason": None
    },
    "For cached_tokens you have 33, which is what usage.prompt_tokens says; expected": {
        "cached_tokens": 33
    },
    "For cached_tokens you have '24', a text; expected a value of type int": {
        "cached_tokens": "24"
    },
}


class RaisingText(str):
    def __eq__(self, other):
        raise RuntimeError("no")

    __hash__ = str.__hash__


@pytest.mark.parametrize("name", READ)
def test_fields_of_which_one_is_untouched_are_not_yet(name):
    assert fields({**READ, name: ...}, REPLY).status == "not yet"


@pytest.mark.parametrize(("words", "slip"), NOT_READ.items(), ids=range(len(NOT_READ)))
def test_a_field_read_wrong_is_told_where_it_lies(words, slip):
    outcome = fields({**READ, **slip}, REPLY)
    assert outcome.status == "wrong"
    assert words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize("reply", NO_REPLIES)
def test_fields_of_no_reply_are_wrong(reply):
    assert fields(READ, reply).status == "wrong"


def test_a_field_that_raises_when_compared_is_only_another_type():
    assert "RaisingText" in fields({"model": RaisingText("qwen")}, REPLY).message


def test_fields_read_right_pass():
    outcome = fields(READ, REPLY)
    assert outcome.status == "passed" and "model, finish_reason, cached_tokens" in outcome.message


def test_a_field_that_the_reply_has_not_is_none():
    assert fields({"cached_tokens": None}, completion("stop")).status == "passed"
    assert fields({"cached_tokens": 0}, completion("stop")).status == "wrong"


def said(*logprobs):
    """A reply with one token for each of the logprobs."""
    rows = [
        {"token": f"t{i}", "logprob": each, "top_logprobs": []} for i, each in enumerate(logprobs)
    ]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "Hi"},
        "finish_reason": "stop",
    }
    return completion("stop", choices=[{**choice, "logprobs": {"content": rows}}])


SAID = said(-0.5, -0.1, -2.0)
UNCOUNTED = [completion("stop"), completion("stop", choices=[])]
IMPROBABLE = {
    "The probability is '61 %'; expected a number": "61 %",
    "The probability is True; expected a number": True,
    "The probability is None; expected a number": None,
    "-0.5 is the logarithm of the probability; expected": -0.5,
    " is in per cent; expected": 100 * math.exp(-0.5),
    " isn't it; expected math.exp of": 2**-0.5,
    " isn't it; expected math.exp of the first token's logprob": 10**-0.5,
    " is the probability of token 3; expected": math.exp(-2.0),
    " isn't it; expected math.exp of the first token's logprob, logp": math.exp(-2.6),
    "0.5 isn't it; expected": 0.5,
    "0.6 isn't it; expected": 0.6,
    "0.62 isn't it; expected": 0.62,
}


@pytest.mark.parametrize("answers", [(..., SAID), (0.6, ...), (..., ...)])
def test_a_probability_or_its_reply_untouched_is_not_yet(answers):
    assert probability(*answers).status == "not yet"


@pytest.mark.parametrize(("words", "answer"), IMPROBABLE.items(), ids=range(len(IMPROBABLE)))
def test_a_wrong_probability_is_told_what_it_is(words, answer):
    outcome = probability(answer, SAID)
    assert outcome.status == "wrong"
    assert words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize("reply", UNCOUNTED)
def test_a_reply_without_logprobs_is_told_how_to_get_them(reply):
    assert "logprobs=True" in probability(0.6, reply).message


def test_a_probability_that_crashes_is_wrong():
    for outcome in (probability(10**5000, SAID), probability(0.6, Raising.model_construct())):
        assert outcome.status == "wrong" and "Error: " in outcome.message


@pytest.mark.parametrize("answer", [math.exp(-0.5), 0.6065, 0.61, 0.607, Decimal("0.61")])
def test_the_right_probability_passes(answer):
    outcome = probability(answer, SAID)
    assert (
        outcome.status == "passed" and "t0" in outcome.message and "60.65\xa0%" in outcome.message
    )


def test_the_probability_of_a_token_hardly_less_certain_is_another():
    nearly = said(-0.004, -0.001)
    assert probability(1.0, nearly).status == probability(0.996, nearly).status == "passed"
    assert "token 2" in probability(math.exp(-0.001), nearly).message


def test_the_certain_token_has_the_probability_one():
    assert probability(1, said(0.0, -0.1)).status == "passed"


def starter(completion): ...


def forgetful(completion):
    right(completion)


def right(completion):
    return (completion.choices[0].finish_reason if completion.choices else None) or "unknown"


def fussy(completion):
    reason = right(completion)
    return reason if reason in ("stop", "length", "tool_calls") else "unknown"


UNENDING = {
    "Your answer is 'stop'; expected a function": "stop",
    'with the finish_reason "stop", your function returned False; ': lambda reply: False,
    "finish_reason \"length\", your function returned 'stop'; ": lambda reply: "stop",
    "finish_reason \"content_filter\", your function returned 'unknown'; ": fussy,
    "whose finish_reason is None, your function returned None; ": (
        lambda reply: reply.choices[0].finish_reason
    ),
    "with an empty list of choices, your function raised IndexError: ": (
        lambda reply: reply.choices[0].finish_reason or "unknown"
    ),
    "only the second has a finish_reason, your function returned 'stop'; ": (
        lambda reply: next((c.finish_reason for c in reply.choices if c.finish_reason), "unknown")
    ),
    "whose choices are None, your function raised TypeError: ": (
        lambda reply: right(reply) if len(reply.choices) else "unknown"
    ),
    "your function raised TypeError: ": lambda: "stop",
    'your function returned an object of type list; expected "stop".': lambda reply: ["stop"],
}


@pytest.mark.parametrize("function", [..., starter, forgetful])
def test_a_function_that_returns_nothing_is_not_yet(function):
    assert ending(function).status == "not yet"


@pytest.mark.parametrize(("words", "function"), UNENDING.items(), ids=range(len(UNENDING)))
def test_a_function_that_errs_is_told_for_which_reply(words, function):
    outcome = ending(function)
    assert outcome.status == "wrong"
    assert words.replace("False", "False") in outcome.message
    assert "expected" in outcome.message


def test_a_function_whose_very_error_raises_is_wrong():
    class Silent(Exception):
        def __str__(self):
            raise self

    def crash(reply):
        raise Silent

    assert ending(crash).status == "wrong"


def test_a_function_that_reads_every_reply_passes():
    assert ending(right).status == "passed"


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    for answer in [*UNTOUCHED, *WRONG.values(), *CRASHING]:
        in_chinese(finish_reason, answer, "length")
    for reason in REASONS:
        in_chinese(finish_reason, completion(reason), reason)
        in_chinese(finish_reason, completion("other"), reason)
    for slip in [{"model": ...}, *NOT_READ.values(), {}]:
        in_chinese(fields, {**READ, **slip}, REPLY)
    for reply in NO_REPLIES:
        in_chinese(fields, READ, reply)
    for answer in [..., *IMPROBABLE.values(), 10**5000, 0.6065]:
        in_chinese(probability, answer, SAID)
    for reply in [*UNCOUNTED, Raising.model_construct()]:
        in_chinese(probability, 0.6, reply)
    for function in [..., starter, forgetful, *UNENDING.values(), right]:
        in_chinese(ending, function)
