"""Checks of errors, and of code that handles them."""

import math
import time
from collections.abc import Callable
from itertools import pairwise
from statistics import mean
from textwrap import shorten

from openai import APIConnectionError, APIStatusError
from openai.types.chat import ChatCompletion

from ..watch.calls import Calls
from ..words import say
from .functions import called, need_no_error
from .made_errors import cases
from .outcome import Outcome, check, need, not_yet, passed, told, wrong

# No call of the SDK waits longer by itself.
LONGEST = 8
# After so many doublings any start is far beyond that.
ATTEMPTS = 20
# A delay that is computed takes no time; one this slow has slept.
SLEPT = 0.3
# Chance may be in each delay: the mean of so many shows whether it grows.
SAMPLES = 60
# Three doublings make 8 times as much; chance allowed for, so many times is enough.
GROWN = 8
ENOUGH = 5.5
KEY = "made-up-key-0123456789-abcdef"
LINE = "POST /chat/completions with {key}: 429"
LINES = f"{KEY} was refused, now again with {KEY}; {KEY} works"
# Fewer characters only tell one key from another.
READABLE = 8


@check
def caught(error: object, status: int) -> Outcome:
    """Judge that `error` is the SDK's exception for a call refused with this HTTP `status`.

    >>> import openai
    >>> try:
    ...     client.chat.completions.create(model=lab.model, messages=[])
    ... except openai.BadRequestError as refusal:
    ...     error = refusal
    >>> checks.errors.caught(error, 400)
    passed: ...
    """
    kind = type(error).__name__
    if isinstance(error, type) and issubclass(error, BaseException):
        raise wrong("checks_errors.caught_class", name=error.__name__[:60], expected=status)
    need(not isinstance(error, ChatCompletion), "checks_errors.caught_answer", expected=status)
    silent = isinstance(error, APIConnectionError)
    need(not silent, "checks_errors.caught_silence", name=kind, expected=status)
    need(isinstance(error, APIStatusError), "checks_errors.caught_other", error, expected=status)
    values = {"seen": error.status_code, "name": kind, "expected": status}
    need(error.status_code == status, "checks_errors.caught_status", **values)
    return passed("checks_errors.caught_passed", code=_short(error.code), **values)


@check
def retryable(function: object) -> Outcome:
    """Judge a function that tells of an error of the SDK whether to try again, True or False.

    It is given refusals with several statuses and codes, a timeout, a connection that failed, and
    a refusal in the middle of a stream.

    >>> checks.errors.retryable(lambda error: True)
    wrong: For BadRequestError 400 invalid_parameter_error your function returns True...
    """
    need(callable(function), "checks_errors.no_function", function, name="retryable")
    given = list(cases())
    said = [called(function, case.error) for case in given]
    if any(value is ... for value in said):
        raise not_yet()
    for case, value in zip(given, said, strict=True):
        words = {"case": case.words, "expected": case.again, "why": say(case.why)}
        need_no_error(value, "checks_errors.retryable_raised", **words)
        need(type(value) is bool, "checks_errors.retryable_no_bool", value, **words)
        need(value == case.again, "checks_errors.retryable_wrong", seen=value, **words)
    return passed("checks_errors.retryable_passed", count=len(given))


@check
def delay(function: object, longest: float = LONGEST) -> Outcome:
    """Judge a function `delay(attempt, retry_after=None)` that gives the seconds to wait.

    With each attempt, counted from 0, the delay must double, apart from chance, up to `longest`
    seconds. Where the service names a `retry_after`, it must be at least that.

    >>> checks.errors.delay(lambda attempt, retry_after=None: 1)
    wrong: ... on average 1 → 1 → 1 → 1 s; ...
    """
    need(callable(function), "checks_errors.no_function", function, name="delay")
    if called(function, 0) is ...:
        raise not_yet()
    # One of each before many of any: a function that sleeps is noticed in time.
    waits = [_seconds(function, attempt) for attempt in range(ATTEMPTS)]
    means = [mean(_seconds(function, n) for _ in range(SAMPLES)) for n in range(4)]
    _need_end(waits, longest)
    _need_growth(means)
    _need_patience(function, longest)
    return passed("checks_errors.delay_passed", waits=_listed(means), longest=longest)


@check
def got_through(calls: object, status: int, times: int) -> Outcome:
    """Judge that a `qwen_lab.Calls` ends with `times` refusals of this status and an answer.

    `calls` may hold more; its last tries count, in the order in which they were sent.

    >>> checks.errors.got_through(qwen_lab.Calls(), 429, times=2)
    wrong: The record is empty: ...
    """
    need(isinstance(calls, Calls), "checks_errors.no_calls", calls)
    attempts = [attempt for call in calls.calls for attempt in call.attempts]
    attempts.sort(key=lambda attempt: attempt.sent)
    latest = [attempt.error or attempt.status for attempt in attempts[-times - 1 :]]
    wanted = [status] * times + [200]
    values = {"seen": _listed(latest), "expected": _listed(wanted)}
    if latest == wanted:
        return passed("checks_errors.through_passed", **values)
    need(latest, "checks_errors.calls_empty", **values)
    need(latest[-1] == 200, "checks_errors.through_gave_up", **values)
    header = f"{status};times={times}"
    need(status in latest, "checks_errors.through_calm", header=header, **values)
    # The endpoint counts the failures of a request, whoever sends it.
    raise wrong("checks_errors.through_early", **values)


@check
def safe(function: object) -> Outcome:
    """Judge a function `safe(text, key)` that gives the text with no key left in it.

    The rest of the text must stay, and all of it where there is no key to hide.

    >>> checks.errors.safe(lambda text, key: text)
    wrong: The key is still there, 1 ×: ...
    """
    need(callable(function), "checks_errors.no_function", function, name="safe")
    once, calm = LINE.format(key=KEY), LINE.format(key="…")
    first = called(function, once, KEY)
    if first is ...:
        raise not_yet()
    for text, key in ((once, KEY), (LINES, KEY), (calm, KEY), (calm, ""), (calm, None)):
        call, made = f"safe({_short(text)!r}, {key!r})", called(function, text, key)
        need_no_error(made, "checks_errors.safe_raised", call=call)
        need(isinstance(made, str), "checks_errors.safe_no_text", made, call=call)
        _need_secret(made)
        _need_rest(made, text, call)
    return passed("checks_errors.safe_passed", made=_short(first))


def _timed(function: Callable, *arguments: object, **options: object) -> tuple[object, float]:
    """What the learner's function gives or raises, and how long that took."""
    began = time.perf_counter()
    return called(function, *arguments, **options), time.perf_counter() - began


def _seconds(function: Callable, attempt: int, **options: float) -> float:
    """The delay that the function gives, if it is a number of seconds."""
    words = "".join(f", {name}={value}" for name, value in options.items())
    call = f"delay({attempt}{words})"
    seconds, took = _timed(function, attempt, **options)
    # Once may be a busy computer.
    if took > SLEPT and _timed(function, attempt, **options)[1] > SLEPT:
        raise wrong("checks_errors.delay_slept", call=call)
    need_no_error(seconds, "checks_errors.delay_raised", call=call)
    number = type(seconds) in (int, float) and 0 <= seconds < math.inf
    need(number, "checks_errors.delay_no_number", seconds, call=call)
    return seconds


def _need_end(waits: list[float], longest: float) -> None:
    for attempt, seconds in enumerate(waits):
        values = {"attempt": attempt, "seen": f"{seconds:.4g}", "longest": longest}
        need(seconds <= longest, "checks_errors.delay_long", **values)


def _need_growth(means: list[float]) -> None:
    grows = all(before < after for before, after in pairwise(means))
    enough = means[-1] >= ENOUGH * means[0]
    need(grows and enough, "checks_errors.delay_slow", waits=_listed(means), times=GROWN)


def _need_patience(function: Callable, longest: float) -> None:
    for attempt, asked in ((0, 3), (2, 1), (0, 20)):
        seconds = _seconds(function, attempt, retry_after=asked)
        values = {"attempt": attempt, "asked": asked, "seen": f"{seconds:.4g}"}
        need(asked <= seconds <= asked + longest, "checks_errors.delay_impatient", **values)


def _need_secret(made: str) -> None:
    """The text must tell nothing of the key."""
    short = _short(made)
    need(KEY not in made, "checks_errors.safe_told", count=made.count(KEY), made=short)
    for at in range(len(KEY) - READABLE + 1):
        part = KEY[at : at + READABLE]
        need(part not in made, "checks_errors.safe_part", part=part, made=short)


def _need_rest(made: str, text: str, call: str) -> None:
    """The text must keep all but the key; where there is no key, all of it."""
    if KEY not in text and made != text:
        raise wrong("checks_errors.safe_no_key", call=call, made=_short(made))
    at = 0
    for part in text.split(KEY):
        at = made.find(part, at)
        if at < 0:
            raise wrong("checks_errors.safe_rest", call=call, made=_short(made))


def _listed(values: list) -> str:
    words = [f"{value:.2g}" if type(value) is float else str(value) for value in values]
    return " → ".join(words) or "—"


def _short(value: object) -> str:
    """A text, or an exception with its name, in at most 60 characters."""
    if isinstance(value, Exception):
        return told(value, 60)
    return shorten(str(value), 60, placeholder="…")
