"""Checks of a response: the `ChatCompletion` that the SDK returns, and of code that reads one."""

import math
from collections.abc import Iterator, Mapping
from textwrap import shorten

from openai import AsyncStream, Stream
from openai.types.chat import ChatCompletion

from ..views.fields import field_tree
from ..views.html import percent
from ..words import joined, say
from .functions import need_return, result_of
from .outcome import Outcome, check, is_number, need, passed, shown, wrong

# Reasons that a learner can bring about, each with words on how.
ADVICE = {
    "length": "checks_response.reason_not_length",
    "stop": "checks_response.reason_not_stop",
}
# How near a value must be to be taken for the one that it is compared with.
NEAR = 1e-4
# To how many decimals a probability may be rounded.
DECIMALS = range(2, 8)
# What a function that reads `finish_reason` says where there is none.
UNKNOWN = "unknown"
# Reasons that it must hand on as they are: the last is not DashScope's, but other services' own.
REASONS = ("stop", "length", "tool_calls", "content_filter")


@check
def finish_reason(completion: object, expected: str) -> Outcome:
    """Judge that the response ended for this reason: "length", "stop", "tool_calls" …

    `completion` is the whole `ChatCompletion`; its first choice counts.

    >>> create = client.chat.completions.create
    >>> completion = create(model=lab.model, messages=messages, max_tokens=5)
    >>> checks.response.finish_reason(completion, "length")
    passed: ...
    """
    need_reason(completion, expected)
    return passed("checks_response.reason_passed", expected=expected)


@check
def fields(answers: Mapping[str, object], completion: object) -> Outcome:
    """Judge that each answer is what the response has in the field of that name.

    `answers` maps names of fields to values; where a field is null or missing, None is right.
    `completion` is the whole `ChatCompletion`.

    >>> create = client.chat.completions.create
    >>> completion = create(model=lab.model, messages=messages, max_tokens=5)
    >>> checks.response.fields({"finish_reason": "length", "completion_tokens": 5}, completion)
    passed: ...
    """
    need_completion(completion)
    values = {field.place: field.value for field in field_tree(completion).root.walk()}
    for name, answer in answers.items():
        _need_field(name, answer, values)
    return passed("checks_response.fields_passed", fields=joined(answers))


@check
def probability(answer: object, completion: object) -> Outcome:
    """Judge that `answer` is the probability of the response's first token, from 0 to 1.

    It may be rounded, to two decimals or more. `completion` is a whole `ChatCompletion` that was
    made with `logprobs=True`.

    >>> create = client.chat.completions.create
    >>> completion = create(model=lab.model, messages=messages, logprobs=True)
    >>> first = completion.choices[0].logprobs.content[0]
    >>> checks.response.probability(first.logprob, completion)
    wrong: ... is the logarithm of the probability; ...
    """
    need_completion(completion)
    logprobs = completion.choices and completion.choices[0].logprobs
    need(logprobs and logprobs.content, "checks_response.no_logprobs")
    need(is_number(answer), "checks_response.probability_not_number", answer)
    first, *others = logprobs.content
    right = math.exp(first.logprob)
    if _near(answer, right) or float(answer) in {round(right, digits) for digits in DECIMALS}:
        token = shorten(first.token, 20)
        told = {"token": token, "percent": percent(right)}
        return passed("checks_response.probability_passed", **told)
    need(not _near(answer, first.logprob), "checks_response.probability_logarithm", answer)
    need(abs(float(answer) - 100 * right) > 0.5, "checks_response.probability_percent", answer)
    for number, other in enumerate(others, 2):
        is_other = _near(answer, math.exp(other.logprob))
        need(not is_other, "checks_response.probability_of_another", answer, number=number)
    raise wrong("checks_response.probability_other", answer)


@check
def ending(function: object) -> Outcome:
    """Judge a function that takes any response and returns its `finish_reason`.

    Where the response has none, because it is null, or `choices` is empty or missing, the function
    must return "unknown".

    >>> checks.response.ending(lambda completion: completion.choices[0].finish_reason)
    wrong: ...
    """
    for case, choices, expected in _endings():
        words = {"reply": say(case, reason=expected), "expected": expected}
        completion = _completion(choices)
        seen = result_of(function, completion, raised="checks_response.ending_raised", **words)
        if expected == REASONS[0]:
            need_return(seen)
        need(type(seen) is str and seen == expected, "checks_response.ending_other", seen, **words)
    return passed("checks_response.ending_passed")


def need_reason(completion: object, expected: str) -> None:
    """The response must be whole and have ended for this reason."""
    need_completion(completion)
    need(completion.choices, "checks_response.completion_no_choices", expected=expected)
    reason = completion.choices[0].finish_reason
    if reason != expected:
        raise wrong(ADVICE.get(expected, "checks_response.reason_other"), reason, expected=expected)


def need_completion(answer: object, name: str = "") -> None:
    """The answer, or the part of it that has this name, must be a whole response."""
    name = name or say("checks_response.answer")
    is_stream = isinstance(answer, Stream | AsyncStream)
    need(not is_stream, "checks_response.completion_stream", name=name)
    need(isinstance(answer, ChatCompletion), "checks_response.completion_other", answer, name=name)


def _need_field(name: str, answer: object, values: dict[str, object]) -> None:
    place = next((place for place in values if place.rsplit(".", 1)[-1] == name), name)
    right = values.get(place)
    if _same(answer, right):
        return
    words = {"name": name, "place": place, "seen": shown(answer)}
    if type(answer) is str and answer == str(right):
        raise wrong("checks_response.field_text", **words, type=type(right).__name__)
    others = [other for other, value in values.items() if _same(answer, value)]
    # What many fields say (None), or anybody (0), does not tell where it was read.
    if len(others) == 1 and answer != 0:
        raise wrong("checks_response.field_of_another", **words, other=others[0])
    raise wrong("checks_response.field_other", **words)


def _same(one: object, other: object) -> bool:
    # Of the same plain type first: what the learner wrote may raise when it is compared.
    return type(one) is type(other) and type(one) in (str, int, float, type(None)) and one == other


def _near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=NEAR)


def _endings() -> Iterator[tuple[str, list[dict] | None, str]]:
    """Responses by their `choices`, each with words on it and the reason that it gives."""
    for reason in REASONS:
        yield "checks_response.reply_reason", [{"finish_reason": reason}], reason
    yield "checks_response.reply_null", [{"finish_reason": None}], UNKNOWN
    yield "checks_response.reply_two", [{"finish_reason": None}, {"finish_reason": "stop"}], UNKNOWN
    yield "checks_response.reply_empty", [], UNKNOWN
    # The SDK fills in None for what was not sent.
    yield "checks_response.reply_missing", None, UNKNOWN


def _completion(choices: list[dict] | None) -> ChatCompletion:
    """A response as the SDK makes it of what a service sent: built, not validated."""
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "qwen"}
    message = {"role": "assistant", "content": "Hi"}
    made = choices and [{"index": 0, "message": message, **choice} for choice in choices]
    return ChatCompletion.construct(**body, choices=made)
