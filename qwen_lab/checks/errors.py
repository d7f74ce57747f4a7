"""Checks of errors, and of code that handles them."""

from collections.abc import Callable
from functools import partial
from timeit import repeat

from openai import APIStatusError
from openai.types.chat import ChatCompletion

from ..watch.calls import Calls
from ..words import say
from .functions import need_function, result_of
from .made_errors import cases
from .outcome import Outcome, check, is_number, need, passed, wrong

# The rule of the lesson: the first wait and the longest one, in seconds.
FIRST, LONGEST = 0.5, 8
# After so many doublings any start is far beyond the longest.
ATTEMPTS = 8
# So many waits show which chance there is: one of full jitter among them is too short.
SAMPLES = 20
# A delay that is computed takes no time; one this slow has slept.
SLEPT = 0.2
KEY = "key-0123456789-abcdef"
CALM = "POST /chat/completions: 200"
ONCE = f"POST with {KEY}: 429"
OFTEN = f'"{KEY}" was refused, now again: {KEY}{KEY}'
# A key that a regular expression reads as a pattern, beside what it would take for it.
SIGNS = ("a+b.c: refused; aab-c: answered", "a+b.c")
HIDDEN = "…"


@check
def caught(error: object, status: int, *, without: str = "") -> Outcome:
    """Judge that `error` is the SDK's exception for a call refused with this HTTP `status`.

    A refusal that speaks of the parameter `without` does not count.

    >>> import openai
    >>> try:
    ...     client.chat.completions.create(model=lab.model, messages=[])
    ... except openai.BadRequestError as refusal:
    ...     error = refusal
    >>> checks.errors.caught(error, 400)
    passed: ...
    """
    if isinstance(error, type) and issubclass(error, BaseException):
        raise wrong("checks_errors.caught_class", name=error.__name__[:60], expected=status)
    need(not isinstance(error, ChatCompletion), "checks_errors.caught_answer", expected=status)
    need(isinstance(error, APIStatusError), "checks_errors.caught_other", error, expected=status)
    values = {"seen": error.status_code, "name": type(error).__name__, "expected": status}
    need(error.status_code == status, "checks_errors.caught_status", **values)
    again = bool(without) and without in str(error.body)
    need(not again, "checks_errors.caught_again", without=without)
    return passed("checks_errors.caught_passed", code=str(error.code)[:60], **values)


@check
def retryable(function: object) -> Outcome:
    """Judge a function that tells of an error of the SDK whether to try again, True or False.

    It is given refusals with several statuses and codes, a timeout, a connection that failed, and
    a refusal in the middle of a stream.

    >>> checks.errors.retryable(lambda error: True)
    wrong: For BadRequestError 400 invalid_parameter_error your function returns True...
    """
    for case, error, again, why in cases():
        words = {"case": case, "expected": again, "why": say(why)}
        said = result_of(function, error, raised="checks_errors.retryable_raised", **words)
        need(said is again, "checks_errors.retryable_wrong", said, **words)
    return passed("checks_errors.retryable_passed")


@check
def delay(function: object) -> Outcome:
    """Judge a function `delay(attempt, retry_after=None)` that gives the seconds to wait.

    Attempts count from 0. The whole wait is 0.5 seconds, doubles with each attempt, and is at most
    8; each time it must be another number from half of it to all of it, by chance. Where the
    service names a `retry_after`, it must be at least that, and not shorter for it.

    >>> checks.errors.delay(lambda attempt, retry_after=None: 1)
    wrong: delay(0) gave 1 s; ...
    """
    need_function(function)
    # Twice: once may be a busy computer.
    once = partial(result_of, function, 0, raised="checks_errors.delay_raised", call="delay(0)")
    need(min(repeat(once, repeat=2, number=1)) < SLEPT, "checks_errors.delay_slept")
    for attempt in range(ATTEMPTS):
        _need_waits(function, attempt)
    # The second asks for less than the wait is, which must stay as it was.
    for attempt, asked in ((0, 3), (4, 1), (0, 20)):
        _need_waits(function, attempt, retry_after=asked)
    return passed("checks_errors.delay_passed", first=FIRST, longest=LONGEST)


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
    # A refusal that the SDK tries again while it streams is left unread: the status counts.
    latest = [attempt.status or attempt.error for attempt in attempts[-times - 1 :]]
    wanted = [status] * times + [200]
    values = {"seen": " → ".join(map(str, latest)), "expected": " → ".join(map(str, wanted))}
    need(latest, "checks_errors.calls_empty", **values)
    need(latest[-1] == 200 or status not in latest, "checks_errors.through_gave_up", **values)
    header = f"{status};times={times}"
    need(latest == wanted, "checks_errors.through_other", header=header, times=times, **values)
    return passed("checks_errors.through_passed", **values)


@check
def safe(function: object) -> Outcome:
    """Judge a function `safe(text, key)` that puts `…` in place of each key in the text.

    The rest of the text must stay, and all of it where there is no key to hide.

    >>> checks.errors.safe(lambda text, key: text)
    wrong: safe(...) gives ...; expected ...
    """
    for text, key in ((ONCE, KEY), (OFTEN, KEY), (CALM, KEY), (CALM, ""), (CALM, None), SIGNS):
        call, hidden = f"safe({text!r}, {key!r})", text.replace(key or KEY, HIDDEN)
        made = result_of(function, text, key, raised="checks_errors.safe_raised", call=call)
        need(isinstance(made, str), "checks_errors.safe_no_text", made, call=call)
        values = {"call": call, "made": repr(made[:300]), "expected": repr(hidden)}
        words = "checks_errors.safe_signs" if key in SIGNS else "checks_errors.safe_other"
        need(made == hidden, words, **values)
    return passed("checks_errors.safe_passed", made=ONCE.replace(KEY, HIDDEN))


def _need_waits(function: Callable, attempt: int, **options: int) -> None:
    """Each must be from half to all of what the attempt may take, and chance be in them."""
    whole, asked = min(LONGEST, FIRST * 2**attempt), sum(options.values())
    call = f"delay({attempt}, retry_after={asked})" if asked else f"delay({attempt})"
    values = {"call": call, "asked": asked, "least": f"{whole / 2:g}", "most": f"{whole:g}"}
    once, waits = partial(function, attempt, **options), set()
    for _ in range(SAMPLES):
        wait = result_of(once, raised="checks_errors.delay_raised", call=call)
        need(is_number(wait), "checks_errors.delay_no_number", wait, call=call)
        values |= {"seen": f"{wait:.4g}", "attempt": attempt, "first": FIRST, "longest": LONGEST}
        # What the service asks for may be added, or chance on top of it.
        need(whole / 2 <= wait <= whole + 2 * asked, "checks_errors.delay_outside", **values)
        need(wait >= asked, "checks_errors.delay_impatient", **values)
        waits.add(wait)
    need(asked > whole or len(waits) > 1, "checks_errors.delay_same", **values)
