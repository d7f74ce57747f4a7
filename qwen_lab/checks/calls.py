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
from .outcome import Outcome, check, passed, shown, wrong

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
    if inspect.isawaitable(function):
        return wrong("checks_calls.function_called")
    if not callable(function):
        return wrong("checks_calls.function_other", seen=shown(function))
    if not inspect.iscoroutinefunction(function):
        return wrong("checks_calls.function_plain")
    if inspect.isawaitable(answer):
        return wrong("checks_calls.answer_not_awaited")
    if isinstance(answer, ChatCompletion):
        return wrong("checks_calls.answer_whole")
    if answer is None:
        return wrong("checks_calls.answer_none")
    if not _is_text(answer):
        return wrong("checks_calls.answer_other", seen=shown(answer))
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
    if fault := _list_fault(answers, count) or _calls_fault(calls, count):
        return fault
    most = _most_at_once(calls)
    if most < count:
        return wrong("checks_calls.not_together", seen=most, count=count)
    return passed("checks_calls.together_passed", count=count)


@check
def at_most(answers: object, calls: object, limit: int, *, of: int) -> Outcome:
    """Judge that of `of` calls, all answered, `limit` were under way at once, and never more.

    `answers` is the list of what they gave, `calls` the `qwen_lab.Calls` that watched the client.
    Fewer than `limit` all the time is wrong too: the limit is there to be used.

    >>> checks.calls.at_most(["Red", "Blue", "Green"], qwen_lab.Calls(), 2, of=3)
    wrong: No call was recorded; ...
    """
    if fault := _list_fault(answers, of) or _calls_fault(calls, of):
        return fault
    most = _most_at_once(calls)
    if most > limit:
        return wrong("checks_calls.too_many_at_once", seen=most, limit=limit)
    if most < limit:
        return wrong("checks_calls.too_few_at_once", seen=most, limit=limit)
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
        return wrong("checks_calls.results_raised", seen=type(answer).__name__)
    if fault := _list_fault(answer):
        return fault
    for number, item in enumerate(answer, 1):
        if not _kind(item):
            return wrong("checks_calls.result_other", number=number, seen=shown(item))
    seen = [_kind(item) for item in answer]
    words = {"seen": _kinds(seen), "expected": _kinds(expected), "count": len(expected)}
    if seen == list(expected):
        return passed("checks_calls.results_passed", **words)
    if len(seen) != len(expected):
        return wrong("checks_calls.results_count", number=len(seen), **words)
    if sorted(seen) == sorted(expected):
        return wrong("checks_calls.results_order", **words)
    return wrong("checks_calls.results_kinds", **words)


@check
def timeout(in_time: object, late: object, calls: object) -> Outcome:
    """Judge a function that gives up: a text when the answer came in time, None when it was late.

    `in_time` is what it gave with time enough, `late` what it gave with too little, and `calls` the
    `qwen_lab.Calls` of both: it shows whether the late call was given up early, and not waited for
    to its end and then thrown away.

    >>> checks.calls.timeout("Red", "Blue", qwen_lab.Calls())
    wrong: With too little time your function gave 'Blue' (type str); ...
    """
    if inspect.isawaitable(in_time) or inspect.isawaitable(late):
        return wrong("checks_calls.timeout_not_awaited")
    if not _is_text(in_time):
        return wrong("checks_calls.in_time_other", seen=shown(in_time))
    if late is not None:
        return wrong("checks_calls.late_other", seen=shown(late))
    if fault := _recorded_fault(calls):
        return fault
    given_up = [call for call in calls.calls if not call.attempts[-1].ok]
    if not given_up:
        return wrong("checks_calls.late_waited")
    tries = max(len(call.attempts) for call in given_up)
    if tries > 1:
        return wrong("checks_calls.late_retried", seen=tries)
    return passed("checks_calls.timeout_passed")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _list_fault(answers: object, count: int | None = None) -> Outcome | None:
    """What keeps `answers` from being a list, of `count` things that are there."""
    if inspect.isawaitable(answers):
        return wrong("checks_calls.list_not_awaited", seen=type(answers).__name__)
    if not isinstance(answers, list | tuple):
        return wrong("checks_calls.list_other", seen=shown(answers))
    if any(inspect.isawaitable(item) for item in answers):
        return wrong("checks_calls.items_not_awaited")
    if count is not None and len(answers) != count:
        return wrong("checks_calls.list_count", seen=len(answers), count=count)
    return None


def _recorded_fault(calls: object) -> Outcome | None:
    if not isinstance(calls, Calls):
        return wrong("checks_calls.calls_other", seen=shown(calls))
    return None if calls.calls else wrong("checks_calls.calls_none")


def _calls_fault(calls: object, count: int) -> Outcome | None:
    """What keeps `calls` from holding `count` calls that were answered."""
    if fault := _recorded_fault(calls):
        return fault
    if len(calls.calls) != count:
        return wrong("checks_calls.calls_count", seen=len(calls.calls), count=count)
    good = sum(call.attempts[-1].ok for call in calls.calls)
    return None if good == count else wrong("checks_calls.calls_failed", seen=good, count=count)


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
    return "answer" if _is_text(item) or isinstance(item, ChatCompletion) else ""


def _kinds(kinds: Sequence[str]) -> str:
    return " → ".join(say(KINDS[kind]) for kind in kinds)
