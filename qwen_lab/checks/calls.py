"""Checks of many calls, as a `Calls` recorded them, and of the coroutines that make them.

A coroutine runs in the notebook's own loop, in the learner's cell: the checks judge what came of
it, and need no loop themselves.
"""

import inspect
from collections.abc import Sequence
from itertools import accumulate
from math import inf

from openai.types.chat import ChatCompletion

from ..watch.calls import Calls
from ..words import say
from .outcome import Outcome, check, is_text, need, passed, wrong

KINDS = {"answer": "checks_calls.kind_answer", "error": "checks_calls.kind_error"}


@check
def coroutine(function: object, answer: object) -> Outcome:
    """Judge that `function` is a coroutine function, and that awaiting it gave a text, `answer`.

    >>> async def ask(question):
    ...     return "Because of the air."
    >>> checks.calls.coroutine(ask, await ask("Why is the sky blue?"))
    passed: ...
    >>> checks.calls.coroutine(ask, None)
    wrong: ...
    """
    need(not inspect.isawaitable(function), "checks_calls.function_called")
    need(callable(function), "checks_calls.function_other", function)
    need(inspect.iscoroutinefunction(function), "checks_calls.function_plain")
    need(not inspect.isawaitable(answer), "checks_calls.answer_not_awaited")
    need(not isinstance(answer, ChatCompletion), "checks_calls.answer_whole")
    need(answer is not None, "checks_calls.answer_none")
    need(is_text(answer), "checks_calls.answer_other", answer)
    return passed("checks_calls.coroutine_passed")


@check
def together(answers: object, calls: object, count: int) -> Outcome:
    """Judge that `calls` recorded `count` calls, all under way at one moment, and all answered.

    `answers` is the list of what they gave, `calls` the `qwen_lab.Calls` that watched the client.

    >>> import asyncio
    >>> calls = qwen_lab.Calls()
    >>> watched = calls.watch(async_client)
    >>> call = {"model": lab.model, "messages": messages, "extra_headers": {"X-Lab-Latency": "0.3"}}
    >>> asked = (watched.chat.completions.create(**call) for _ in range(3))
    >>> answers = await asyncio.gather(*asked)
    >>> checks.calls.together(answers, calls, 3)
    passed: ...
    """
    _need_list(answers, count)
    _need_answered(calls, count)
    most = _most_at_once(calls)
    need(most >= count, "checks_calls.not_together", seen=most, count=count)
    return passed("checks_calls.together_passed", count=count)


@check
def at_most(answers: object, calls: object, limit: int, *, of: int) -> Outcome:
    """Judge that of `of` calls, all answered, `limit` were under way at once, and never more.

    `answers` is the list of what they gave, `calls` the `qwen_lab.Calls` that watched the client.
    Fewer than `limit` all the time is wrong too: the limit is there to be used.

    >>> checks.calls.at_most(["Red", "Blue", "Green"], qwen_lab.Calls(), 2, of=3)
    wrong: No call was recorded; ...
    """
    _need_list(answers, of)
    _need_answered(calls, of)
    most = _most_at_once(calls)
    need(most <= limit, "checks_calls.too_many_at_once", seen=most, limit=limit)
    need(most >= limit, "checks_calls.too_few_at_once", seen=most, limit=limit)
    return passed("checks_calls.at_most_passed", count=of, limit=limit)


@check
def results(answer: object, *expected: str) -> Outcome:
    """Judge a list of what several calls gave: in this order an "answer" or an "error" each.

    `answer` is that list. An answer in it is a text or a `ChatCompletion`, an error the exception
    itself; `expected` says which is where.

    >>> checks.calls.results(["Red", ValueError("no")], "answer", "error")
    passed: ...
    """
    if isinstance(answer, BaseException):
        raise wrong("checks_calls.results_raised", seen=type(answer).__name__)
    _need_list(answer)
    for number, item in enumerate(answer, 1):
        need(_kind(item), "checks_calls.result_other", item, number=number)
    seen = [_kind(item) for item in answer]
    words = {"seen": _kinds(seen), "expected": _kinds(expected), "count": len(expected)}
    need(len(seen) == len(expected), "checks_calls.results_count", number=len(seen), **words)
    need(sorted(seen) == sorted(expected), "checks_calls.results_kinds", **words)
    need(seen == list(expected), "checks_calls.results_order", **words)
    return passed("checks_calls.results_passed", **words)


@check
def timeout(in_time: object, late: object, calls: object) -> Outcome:
    """Judge a function that gives up: a text when the answer came in time, None when it was late.

    `in_time` is what it gave with time enough, `late` what it gave with too little, and `calls` the
    `qwen_lab.Calls` of both: it shows whether the late call was given up early, and not waited for
    to its end and then thrown away.

    >>> checks.calls.timeout("Red", "Blue", qwen_lab.Calls())
    wrong: With too little time your function gave 'Blue' (type str); ...
    """
    for given in (in_time, late):
        need(not inspect.isawaitable(given), "checks_calls.timeout_not_awaited")
    need(is_text(in_time), "checks_calls.in_time_other", in_time)
    need(late is None, "checks_calls.late_other", late)
    _need_recorded(calls)
    given_up = [call for call in calls.calls if not call.attempts[-1].ok]
    need(given_up, "checks_calls.late_waited")
    tries = max(len(call.attempts) for call in given_up)
    need(tries <= 1, "checks_calls.late_retried", seen=tries)
    return passed("checks_calls.timeout_passed")


def _need_list(answers: object, count: int | None = None) -> None:
    """The answers must be a list of things that were awaited, and `count` of them."""
    if inspect.isawaitable(answers):
        raise wrong("checks_calls.list_not_awaited", seen=type(answers).__name__)
    need(isinstance(answers, list | tuple), "checks_calls.list_other", answers)
    awaited = not any(inspect.isawaitable(item) for item in answers)
    need(awaited, "checks_calls.items_not_awaited")
    if count is not None:
        need(len(answers) == count, "checks_calls.list_count", seen=len(answers), count=count)


def _need_recorded(calls: object) -> None:
    need(isinstance(calls, Calls), "checks_calls.calls_other", calls)
    need(calls.calls, "checks_calls.calls_none")


def _need_answered(calls: object, count: int) -> None:
    """There must be a record of `count` calls, all answered."""
    _need_recorded(calls)
    made = len(calls.calls)
    need(made == count, "checks_calls.calls_count", seen=made, count=count)
    good = sum(call.attempts[-1].ok for call in calls.calls)
    need(good == count, "checks_calls.calls_failed", seen=good, count=count)


def _most_at_once(calls: object) -> int:
    """How many requests were on their way in the fullest moment."""
    attempts = [attempt for call in calls.calls for attempt in call.attempts]
    ended = [(inf if attempt.ended is None else attempt.ended, -1) for attempt in attempts]
    # Of one and the same moment the end comes first.
    moments = sorted([*ended, *((attempt.sent, 1) for attempt in attempts)])
    return max(accumulate(step for _, step in moments))


def _kind(item: object) -> str:
    if isinstance(item, Exception):
        return "error"
    return "answer" if is_text(item) or isinstance(item, ChatCompletion) else ""


def _kinds(kinds: Sequence[str]) -> str:
    return " → ".join(say(KINDS[kind]) for kind in kinds)
