"""Checks of many calls, as a `Calls` recorded them, and of the coroutines that make them.

A coroutine runs in the notebook's own loop, in the learner's cell: the checks judge what came of
it and what was recorded, and need no loop themselves.
"""

import dis
import inspect
import re
from collections.abc import Callable, Sequence
from itertools import accumulate
from math import inf
from textwrap import shorten

from openai.types.chat import ChatCompletion

from ..watch.calls import Calls
from ..words import say
from .outcome import Outcome, check, is_text, need, passed

# What an item of a list of results may be, by the words for it.
ANSWER, ERROR = "checks_calls.kind_answer", "checks_calls.kind_error"


@check
def coroutine(function: object, answer: object, calls: object, question: str) -> Outcome:
    """Judge that `function` is a coroutine function that asks `question`, and `answer` its text.

    `calls` is the `qwen_lab.Calls` that watched the asynchronous client: with another one, such as
    the ordinary client, nothing is recorded.

    >>> async def ask(question):
    ...     return "Because of the air."
    >>> checks.calls.coroutine(ask, await ask("Why?"), qwen_lab.Calls(), "Why?")
    wrong: No call was recorded; ...
    """
    need(inspect.iscoroutinefunction(function), "checks_calls.function_plain")
    need(not inspect.isawaitable(answer), "checks_calls.waiting", answer)
    need(is_text(answer), "checks_calls.answer_other", answer)
    _need_recorded(calls)
    _need_asked(calls, [question], repr, "checks_calls.not_as_it_is")
    need(_reads_parameter(function), "checks_calls.function_deaf")
    return passed("checks_calls.coroutine_passed")


@check
def together(answers: object, calls: object, topics: Sequence[str]) -> Outcome:
    """Judge a call for each of the `topics`: all under way at one moment, and all answered.

    `answers` is the list of what they gave, `calls` the `qwen_lab.Calls` that watched the client.

    >>> import asyncio
    >>> calls = qwen_lab.Calls()
    >>> watched = calls.watch(async_client)
    >>> call = {"model": lab.model, "messages": messages, "extra_headers": {"X-Lab-Latency": "0.3"}}
    >>> asked = (watched.chat.completions.create(**call) for _ in range(3))
    >>> answers = await asyncio.gather(*asked)
    >>> checks.calls.together(answers, calls, ["autumn"] * 3)
    passed: ...
    """
    count = len(topics)
    _need_answered(answers, calls, topics)
    _need_together(calls, count)
    return passed("checks_calls.together_passed", count=count)


@check
def at_most(answers: object, calls: object, limit: int, *, of: Sequence[str]) -> Outcome:
    """Judge a call for each topic `of` a list: `limit` were under way at once, and never more.

    `answers` is the list of what they gave, `calls` the `qwen_lab.Calls` that watched the client.
    Fewer than `limit` all the time is wrong too: the limit is there to be used.

    >>> checks.calls.at_most(["Red", "Blue"], qwen_lab.Calls(), 2, of=["roses", "the sky"])
    wrong: No call was recorded; ...
    """
    _need_answered(answers, calls, of)
    most = _most_at_once(calls)
    need(most <= limit, "checks_calls.too_many_at_once", seen=most, limit=limit)
    need(most >= limit, "checks_calls.too_few_at_once", seen=most, limit=limit)
    return passed("checks_calls.at_most_passed", count=len(of), limit=limit)


@check
def results(answers: object, calls: object, name: str, values: Sequence[object]) -> Outcome:
    """Judge one question that was asked at once with several `values` of the parameter `name`.

    `calls` is the `qwen_lab.Calls` that watched the client, `answers` the list of the results, in
    the order of the values: the answer, or the exception itself where the call was refused.

    >>> checks.calls.results(["Red", ValueError("no")], qwen_lab.Calls(), "top_p", [1, 0])
    wrong: No call was recorded; ...
    """
    _need_list(answers, ANSWER, ERROR)
    _need_recorded(calls)
    refused = {call.asked.get(name): call.attempts[-1].refused for call in calls.calls}
    words = {"name": name, "seen": [*refused], "expected": [*values]}
    need(refused.keys() == set(values), "checks_calls.values_other", **words)
    questions = {str(call.asked.get("messages")) for call in calls.calls}
    need(len(questions) == 1, "checks_calls.questions_differ", seen=len(questions))
    _need_together(calls, len(values))
    expected = [ERROR if refused[value] else ANSWER for value in values]
    kinds = [_kind(item) for item in answers]
    words = {"seen": " → ".join(map(say, kinds)), "expected": " → ".join(map(say, expected))}
    need(kinds == expected, "checks_calls.results_other", **words)
    return passed("checks_calls.results_passed", **words)


@check
def timeout(in_time: object, late: object, calls: object) -> Outcome:
    """Judge a function that gives up: a text when the answer came in time, None when it was late.

    `in_time` is what it gave with time enough, `late` what it gave with too little, and `calls` the
    `qwen_lab.Calls` of both: it shows whether the late call was given up, or runs on unheeded.

    >>> checks.calls.timeout("Red", "Blue", qwen_lab.Calls())
    wrong: With too little time your function gave 'Blue'; ...
    """
    need(is_text(in_time), "checks_calls.in_time_other", in_time)
    need(late is None, "checks_calls.late_other", late)
    _need_recorded(calls)
    need(len(calls.calls) > 1, "checks_calls.late_not_asked", seen=len(calls.calls))
    # Pressed early, a call that nobody cancelled is still open; pressed late, it is answered.
    opened = any(call.attempts[-1].ended is None for call in calls.calls)
    tries = [len(call.attempts) for call in calls.calls if call.attempts[-1].error]
    need(tries and not opened, "checks_calls.late_not_given_up")
    need(max(tries) == 1, "checks_calls.late_retried", seen=max(tries))
    return passed("checks_calls.timeout_passed")


def _need_list(answers: object, *kinds: str) -> None:
    """The answers must be a list of things of these kinds, all awaited."""
    need(not inspect.isawaitable(answers), "checks_calls.waiting", answers)
    need(isinstance(answers, list | tuple), "checks_calls.list_other", answers)
    for number, item in enumerate(answers, 1):
        need(not inspect.isawaitable(item), "checks_calls.waiting", item)
        need(_kind(item) in kinds, "checks_calls.item_other", item, number=number)


def _need_recorded(calls: object) -> None:
    need(isinstance(calls, Calls), "checks_calls.calls_other", calls)
    need(calls.calls, "checks_calls.calls_none")


def _reads_parameter(function: Callable) -> bool:
    """Whether a function does anything with what it is given; True where nobody can tell."""
    names = "|".join(inspect.signature(function).parameters)
    read = rf"LOAD_(FAST|DEREF|CLOSURE).*\b({names})\b"
    return not inspect.isfunction(function) or bool(re.search(read, dis.Bytecode(function).dis()))


def _need_asked(
    calls: Calls, topics: Sequence[str], form: Callable = str, other: str = "checks_calls.not_asked"
) -> None:
    """There must be a call for each of the topics; with `repr` it must be a whole text."""
    seen = shorten(calls.calls[-1].label, 80, placeholder=" …")
    for topic in topics:
        asked = any(form(topic) in str(call.asked.get("messages")) for call in calls.calls)
        need(asked, other, topic=topic, seen=seen)


def _need_answered(answers: object, calls: object, topics: Sequence[str]) -> None:
    """There must be a list of answers, and the record of a call for each of the topics."""
    _need_list(answers, ANSWER)
    _need_recorded(calls)
    made, count = len(calls.calls), len(topics)
    need(made == count, "checks_calls.calls_count", seen=made, count=count)
    _need_asked(calls, topics)
    good = sum(call.attempts[-1].ok for call in calls.calls)
    need(good == count, "checks_calls.calls_failed", seen=good, count=count)
    need(len(answers) == count, "checks_calls.list_count", seen=len(answers), count=count)


def _need_together(calls: Calls, count: int) -> None:
    most = _most_at_once(calls)
    need(most >= count, "checks_calls.not_together", seen=most, count=count)


def _most_at_once(calls: Calls) -> int:
    """How many requests were on their way in the fullest moment."""
    attempts = [attempt for call in calls.calls for attempt in call.attempts]
    ended = [(inf if attempt.ended is None else attempt.ended, -1) for attempt in attempts]
    # Of one and the same moment the end comes first.
    moments = sorted([*ended, *((attempt.sent, 1) for attempt in attempts)])
    return max(accumulate(step for _, step in moments))


def _kind(item: object) -> str:
    if isinstance(item, Exception):
        return ERROR
    return ANSWER if is_text(item) or isinstance(item, ChatCompletion) else ""
