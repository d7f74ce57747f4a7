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
from .made_errors import cases
from .outcome import Outcome, called, check, not_yet, passed, shown, told, wrong

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


class Unfit(Exception):
    """What the learner's function gives cannot be judged further; holds the `Outcome`."""

    def __init__(self, key: str, **values: object) -> None:
        self.outcome = wrong(key, **values)


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
    if isinstance(error, type) and issubclass(error, BaseException):
        return wrong("checks_errors.caught_class", name=error.__name__[:60], expected=status)
    if isinstance(error, ChatCompletion):
        return wrong("checks_errors.caught_answer", expected=status)
    if isinstance(error, APIConnectionError):
        return wrong("checks_errors.caught_silence", name=type(error).__name__, expected=status)
    if not isinstance(error, APIStatusError):
        return wrong("checks_errors.caught_other", seen=shown(error), expected=status)
    values = {"seen": error.status_code, "name": type(error).__name__, "expected": status}
    if error.status_code != status:
        return wrong("checks_errors.caught_status", **values)
    return passed("checks_errors.caught_passed", code=_short(error.code), **values)


@check
def retryable(function: object) -> Outcome:
    """Judge a function that tells of an error of the SDK whether to try again, True or False.

    It is given refusals with several statuses and codes, a timeout, a connection that failed, and
    a refusal in the middle of a stream.

    >>> checks.errors.retryable(lambda error: True)
    wrong: For BadRequestError 400 invalid_parameter_error your function returns True...
    """
    if not callable(function):
        return wrong("checks_errors.no_function", name="retryable", seen=shown(function))
    given = list(cases())
    said = [called(function, case.error) for case in given]
    if any(value is ... for value in said):
        return not_yet()
    for case, value in zip(given, said, strict=True):
        values = {"case": case.words, "expected": case.again, "why": say(case.why)}
        if isinstance(value, Exception):
            return wrong("checks_errors.retryable_raised", error=_short(value), **values)
        if type(value) is not bool:
            return wrong("checks_errors.retryable_no_bool", seen=shown(value), **values)
        if value != case.again:
            return wrong("checks_errors.retryable_wrong", seen=value, **values)
    return passed("checks_errors.retryable_passed", count=len(given))


@check
def delay(function: object, longest: float = LONGEST) -> Outcome:
    """Judge a function `delay(attempt, retry_after=None)` that gives the seconds to wait.

    With each attempt, counted from 0, the delay must double, apart from chance, up to `longest`
    seconds. Where the service names a `retry_after`, it must be at least that.

    >>> checks.errors.delay(lambda attempt, retry_after=None: 1)
    wrong: ... on average 1 → 1 → 1 → 1 s; ...
    """
    if not callable(function):
        return wrong("checks_errors.no_function", name="delay", seen=shown(function))
    if called(function, 0) is ...:
        return not_yet()
    try:
        # One of each before many of any: a function that sleeps is noticed in time.
        waits = [_seconds(function, attempt) for attempt in range(ATTEMPTS)]
        means = [mean(_seconds(function, n) for _ in range(SAMPLES)) for n in range(4)]
        fault = _too_long(waits, longest) or _too_slow(means) or _impatient(function, longest)
    except Unfit as unfit:
        return unfit.outcome
    return fault or passed("checks_errors.delay_passed", waits=_listed(means), longest=longest)


@check
def got_through(calls: object, status: int, times: int) -> Outcome:
    """Judge that a `qwen_lab.Calls` ends with `times` refusals of this status and an answer.

    `calls` may hold more; its last tries count, in the order in which they were sent.

    >>> checks.errors.got_through(qwen_lab.Calls(), 429, times=2)
    wrong: The record is empty: ...
    """
    if not isinstance(calls, Calls):
        return wrong("checks_errors.no_calls", seen=shown(calls))
    attempts = [attempt for call in calls.calls for attempt in call.attempts]
    attempts.sort(key=lambda attempt: attempt.sent)
    latest = [attempt.error or attempt.status for attempt in attempts[-times - 1 :]]
    wanted = [status] * times + [200]
    values = {"seen": _listed(latest), "expected": _listed(wanted)}
    if not latest:
        return wrong("checks_errors.calls_empty", **values)
    if latest == wanted:
        return passed("checks_errors.through_passed", **values)
    if latest[-1] != 200:
        return wrong("checks_errors.through_gave_up", **values)
    if status not in latest:
        return wrong("checks_errors.through_calm", header=f"{status};times={times}", **values)
    # The endpoint counts the failures of a request, whoever sends it.
    return wrong("checks_errors.through_early", **values)


@check
def safe(function: object) -> Outcome:
    """Judge a function `safe(text, key)` that gives the text with no key left in it.

    The rest of the text must stay, and all of it where there is no key to hide.

    >>> checks.errors.safe(lambda text, key: text)
    wrong: The key is still there, 1 ×: ...
    """
    if not callable(function):
        return wrong("checks_errors.no_function", name="safe", seen=shown(function))
    once, calm = LINE.format(key=KEY), LINE.format(key="…")
    first = called(function, once, KEY)
    if first is ...:
        return not_yet()
    for text, key in ((once, KEY), (LINES, KEY), (calm, KEY), (calm, ""), (calm, None)):
        call, made = f"safe({_short(text)!r}, {key!r})", called(function, text, key)
        if isinstance(made, Exception):
            return wrong("checks_errors.safe_raised", call=call, error=_short(made))
        if not isinstance(made, str):
            return wrong("checks_errors.safe_no_text", call=call, seen=shown(made))
        if fault := _told(made) or _changed(made, text, call):
            return fault
    return passed("checks_errors.safe_passed", made=_short(first))


def _timed(function: Callable, *arguments: object, **options: object) -> tuple[object, float]:
    """What the learner's function gives or raises, and how long that took."""
    began = time.perf_counter()
    return called(function, *arguments, **options), time.perf_counter() - began


def _seconds(function: Callable, attempt: int, **options: float) -> float:
    """A delay, if it is a number of seconds; raises `Unfit` for any other."""
    words = "".join(f", {name}={value}" for name, value in options.items())
    call = f"delay({attempt}{words})"
    seconds, took = _timed(function, attempt, **options)
    # Once may be a busy computer.
    if took > SLEPT and _timed(function, attempt, **options)[1] > SLEPT:
        raise Unfit("checks_errors.delay_slept", call=call)
    if isinstance(seconds, Exception):
        raise Unfit("checks_errors.delay_raised", call=call, error=_short(seconds))
    if type(seconds) not in (int, float) or not 0 <= seconds < math.inf:
        raise Unfit("checks_errors.delay_no_number", call=call, seen=shown(seconds))
    return seconds


def _too_long(waits: list[float], longest: float) -> Outcome | None:
    for attempt, seconds in enumerate(waits):
        if seconds > longest:
            values = {"attempt": attempt, "seen": f"{seconds:.4g}", "longest": longest}
            return wrong("checks_errors.delay_long", **values)
    return None


def _too_slow(means: list[float]) -> Outcome | None:
    grows = all(before < after for before, after in pairwise(means))
    if grows and means[-1] >= ENOUGH * means[0]:
        return None
    return wrong("checks_errors.delay_slow", waits=_listed(means), times=GROWN)


def _impatient(function: Callable, longest: float) -> Outcome | None:
    for attempt, asked in ((0, 3), (2, 1), (0, 20)):
        seconds = _seconds(function, attempt, retry_after=asked)
        if not asked <= seconds <= asked + longest:
            values = {"attempt": attempt, "asked": asked, "seen": f"{seconds:.4g}"}
            return wrong("checks_errors.delay_impatient", **values)
    return None


def _told(made: str) -> Outcome | None:
    """What the text still tells of the key."""
    if KEY in made:
        return wrong("checks_errors.safe_told", count=made.count(KEY), made=_short(made))
    parts = (KEY[at : at + READABLE] for at in range(len(KEY) - READABLE + 1))
    part = next((part for part in parts if part in made), None)
    return wrong("checks_errors.safe_part", part=part, made=_short(made)) if part else None


def _changed(made: str, text: str, call: str) -> Outcome | None:
    """What the text has lost beside the key; where there was none, whether it changed at all."""
    if KEY not in text:
        same = made == text
        return None if same else wrong("checks_errors.safe_no_key", call=call, made=_short(made))
    at = 0
    for part in text.split(KEY):
        at = made.find(part, at)
        if at < 0:
            return wrong("checks_errors.safe_rest", call=call, made=_short(made))
    return None


def _listed(values: list) -> str:
    words = [f"{value:.2g}" if type(value) is float else str(value) for value in values]
    return " → ".join(words) or "—"


def _short(value: object) -> str:
    """A text, or an exception with its name, in at most 60 characters."""
    if isinstance(value, Exception):
        return told(value, 60)
    return shorten(str(value), 60, placeholder="…")
