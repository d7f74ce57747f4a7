"""The checks of errors: what each says to answers untouched, wrong, crashing and right."""

import random
import re
import time
from types import SimpleNamespace

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion

import qwen_lab
from qwen_lab.checks import errors, made_errors
from qwen_lab.checks.errors import caught, delay, got_through, retryable, safe

BILLS = {"CommodityNotPurchased", "PrepaidBillOverdue", "PostpaidBillOverdue"}
REQUEST = httpx2.Request("POST", "http://127.0.0.1/chat/completions")


def error(kind, status, code, message=""):
    response = httpx2.Response(status, request=REQUEST)
    return kind(code, response=response, body={"code": code, "message": message})


def calls(*outcomes, streamed=False):
    """A record of one call, whose tries ended with these: a status, or what broke.

    The SDK does not read a streamed refusal that it tries again.
    """
    record, attempts = qwen_lab.Calls(), []
    for sent, outcome in enumerate(outcomes):
        broke = isinstance(outcome, str)
        status, words = (None, outcome) if broke else (outcome, "left" if streamed else "")
        attempts.append(SimpleNamespace(sent=sent, status=status, error=words))
    record.calls.append(SimpleNamespace(attempts=attempts))
    return record


def rightly(error):
    if isinstance(error, openai.RateLimitError):
        return error.code not in BILLS
    return isinstance(error, openai.InternalServerError | openai.APIConnectionError)


def patient(attempt, retry_after=None):
    wait = min(8, 0.5 * 2**attempt) * random.uniform(0.5, 1)
    return max(wait, retry_after or 0)


def waiting(chance):
    """The right function, but for what it makes of the number of the attempt."""
    return lambda attempt, retry_after=None: max(chance(attempt), retry_after or 0)


def some(wait, least=0.5):
    return min(8, wait) * random.uniform(least, 1)


def hiding(text, key, sign="…"):
    return text.replace(key, sign) if key else text


def fails(*arguments, **options):
    raise RuntimeError("no")


class Raising(openai.APIStatusError):
    def __init__(self):
        pass

    @property
    def status_code(self):
        raise RuntimeError("no")


class RaisingCalls(qwen_lab.Calls):
    calls = property(fails, lambda *anything: None)


BAD = error(openai.BadRequestError, 400, "invalid_parameter_error")
SILENCE = openai.APITimeoutError(REQUEST)
CHECKS = {
    caught: lambda answer: caught(answer, 400, without="top_p"),
    retryable: retryable,
    delay: delay,
    got_through: lambda answer: got_through(answer, 429, times=2),
    safe: safe,
}
UNTOUCHED = [
    *((check, ...) for check in CHECKS),
    *((check, [...]) for check in CHECKS),
    (retryable, lambda error: ...),
    (retryable, lambda error: True if error.code == "limit_requests" else ...),
    (delay, lambda attempt, retry_after=None: ...),
    (safe, lambda text, key: ...),
]
WRONG = [
    (caught, None, "Your answer is None; expected an exception of the SDK with status 400"),
    (caught, "Error code: 400", "Your answer is 'Error code: 400'; expected"),
    (caught, ValueError("x" * 999), "Your answer is an object of type ValueError; expected"),
    (caught, openai.BadRequestError, "is the class BadRequestError; expected the exception itself"),
    (caught, type("x" * 999, (Exception,), {}), "is the class xxxxx"),
    (caught, ChatCompletion.construct(), "Your call was answered; expected a refusal"),
    (caught, SILENCE, "is an object of type APITimeoutError; expected"),
    (caught, openai.APIError("", REQUEST, body=None), "is an object of type APIError; expected"),
    (caught, error(openai.NotFoundError, 404, "x"), "NotFoundError with status 404; expected"),
    (
        caught,
        error(openai.BadRequestError, 400, "x", "Range of top_p"),
        "speaks of top_p; expected",
    ),
    (retryable, True, "Your answer is True; expected a function"),
    (retryable, lambda error: None, "400 invalid_parameter_error your function returns None"),
    (retryable, lambda error: 1, "returns 1; expected False"),
    (retryable, lambda error: True, "400 invalid_parameter_error your function returns True"),
    (retryable, lambda error: False, "429 limit_requests your function returns False"),
    (retryable, lambda e: rightly(e) or getattr(e, "status_code", 0) == 403, "PermissionDenied"),
    (retryable, lambda e: rightly(e) or e.code == "PostpaidBillOverdue", "429 PostpaidBill"),
    (retryable, lambda e: rightly(e) or e.code == "Arrearage", "400 Arrearage your function"),
    (retryable, lambda e: rightly(e) and e.code != "insufficient_quota", "tokens a minute"),
    (retryable, lambda e: rightly(e) or e.code in BILLS, "429 CommodityNotPurchased your"),
    (retryable, lambda e: rightly(e) and e is not None and e.code != "internal_error", "500"),
    (retryable, lambda e: rightly(e) and bool(e.code), "For APITimeoutError your function"),
    (retryable, lambda e: rightly(e) and type(e) is not openai.APIConnectionError, "Nobody"),
    (retryable, lambda e: rightly(e) or type(e) is openai.APIError, "in a stream has no status"),
    (retryable, lambda e: rightly(e) if e.status_code else 0, "For APITimeoutError your function"),
    (delay, 8, "Your answer is 8; expected a function"),
    (delay, lambda attempt, retry_after=None: None, "delay(0) gives None; expected a number"),
    (delay, lambda attempt, retry_after=None: "1", "delay(0) gives '1'; expected"),
    (delay, waiting(lambda n: -n), "delay(0) gave 0 s; expected 0.25 to 0.5 s"),
    (delay, lambda attempt, retry_after=None: float("nan"), "delay(0) gave nan s; expected"),
    (delay, waiting(lambda n: 0.5 * 2**n * random.uniform(0.5, 1)), "expected 4 to 8 s. The whole"),
    (delay, waiting(lambda n: some(0.5 * n**2)), "delay(0) gave 0 s; expected 0.25 to 0.5 s"),
    (delay, waiting(lambda n: some(0.5 * (n + 1) ** 2)), "delay(1) gave"),
    (delay, waiting(lambda n: some(0.5 * 2 ** (n - 1))), "s; expected 0.25 to 0.5 s"),
    (delay, waiting(lambda n: some(0.5 * 2 ** (n + 1))), "s; expected 0.25 to 0.5 s"),
    (delay, waiting(lambda n: some(0.5 * 2**n, least=0)), "s; expected 0.25 to 0.5 s. The whole"),
    (delay, waiting(lambda n: min(8, 0.5 * 2**n)), "delay(0) gave 0.5 s every time; expected"),
    (delay, waiting(lambda n: min(8, 0.5 * 2 ** (n - 1))), "delay(0) gave 0.25 s every time"),
    (delay, waiting(lambda n: some((n + 1) / 2)), "doubled 2 times"),
    (delay, waiting(lambda n: some(1)), "delay(0) gave"),
    (delay, waiting(lambda n: min(8, 0.5 * 2**n * random.uniform(0.5, 1))), "delay(5) gave 8 s ev"),
    (
        delay,
        lambda attempt, retry_after=None: retry_after or patient(attempt),
        "delay(4, retry_after=1) gave 1 s; expected 4 to 8 s",
    ),
    (
        delay,
        lambda attempt, retry_after=None: (
            max(0.5 * 2**attempt, retry_after) if retry_after else patient(attempt)
        ),
        "delay(4, retry_after=1) gave 8 s every time",
    ),
    (delay, lambda attempt: patient(attempt), "delay(0, retry_after=3) raised TypeError"),
    (delay, lambda attempt, retry_after=None: patient(attempt), "retry_after=3) gives 0."),
    (delay, lambda attempt, retry_after=None: min(8, patient(attempt, retry_after)), "=20) gives"),
    (delay, lambda attempt, retry_after=None: time.sleep(0.31) or 1, "delay(0) took its time"),
    (got_through, [429, 429, 200], "Your answer is an object of type list; expected the record"),
    (got_through, qwen_lab.Calls(), "The record is empty: no call went through"),
    (got_through, calls(429), "The last tries were 429; expected 429 → 429 → 200. It gave up"),
    (got_through, calls(429, 429, 429), "429 → 429 → 429; expected 429 → 429 → 200. It gave up"),
    (got_through, calls(429, 429, "ReadTimeout"), "429 → 429 → ReadTimeout; expected"),
    (got_through, calls(200), "The last tries were 200; expected 429 → 429 → 200. Look at the"),
    (got_through, calls(500, 500, 200), "X-Lab-Fault: 429;times=2"),
    (got_through, calls(500, 200, 404), "Look at the header: X-Lab-Fault: 429;times=2"),
    (got_through, calls(429, 200), "a try that an earlier run gave up counts too"),
    (safe, "text", "; expected a function"),
    (safe, lambda text, key: None, "gives None; expected a text"),
    (safe, lambda text, key: re.sub(key, "…", text) if key else text, "take the key as plain text"),
    (safe, lambda text, key: text.encode(), "gives an object of type bytes; expected a text"),
    (safe, lambda text, key: text, "gives 'POST with key-0123456789-abcdef: 429'; expected 'POST"),
    (
        safe,
        lambda text, key: text.replace(key, "…", 1) if key else text,
        "again: key-0123456789-abcdefkey-0123456789-abcdef'; expected",
    ),
    (
        safe,
        lambda text, key: hiding(text, key, "***"),
        "'POST with ***: 429'; expected 'POST with …",
    ),
    (safe, lambda text, key: hiding(text, key, f"{key[:4]}…"), "'POST with key-…: 429'; expected"),
    (safe, lambda text, key: hiding(text, key, "…" * len(key or "")), "…………: 429'; expected"),
    (safe, lambda text, key: "…", "gives '…'; expected"),
    (safe, lambda text, key: hiding(text, key).strip("P"), "gives 'OST with …: 429'; expected"),
    (safe, lambda text, key: hiding(text, key) + "\n", "429\\n'; expected"),
    (safe, lambda text, key: " ".join("…" if w == key else w for w in text.split()), "with key-"),
    (safe, lambda text, key: text.replace(key, "…"), "gives '…P…O…S…T"),
    (safe, lambda text, key: text if key == "" else text.replace(key, "…"), "None) raised TypeErr"),
]
CRASHING = [
    (caught, Raising()),
    (got_through, RaisingCalls()),
    (retryable, fails),
    (delay, fails),
    (safe, fails),
]
RIGHT = [
    (caught, BAD, "BadRequestError, status 400, code invalid_parameter_error"),
    (caught, error(openai.BadRequestError, 400, "x" * 999), "status 400, code xxx"),
    (retryable, rightly, "Every error is judged right"),
    (delay, patient, "never waits more than 8 s"),
    (delay, lambda attempt, retry_after=None: patient(attempt) + (retry_after or 0), "heeds"),
    (delay, waiting(lambda n: round(min(8, 0.5 * 2**n) * (1 - random.random() / 4), 2)), "chance"),
    (delay, waiting(lambda n: random.choice([1, 2]) * min(4, 2**n / 4)), "chance"),
    (got_through, calls(429, 429, 200), "429 → 429 → 200: it tried again"),
    (got_through, calls("ReadTimeout", 200, 429, 429, 200), "429 → 429 → 200: it tried again"),
    (got_through, calls(429, 429, 200, streamed=True), "429 → 429 → 200: it tried again"),
    (safe, hiding, "Fit for a log: POST with …: 429"),
    (safe, lambda text, key: "…".join(text.split(key)) if key else text, "Fit for a log"),
]


def judged(check, answer):
    outcome = CHECKS[check](answer)
    assert len(outcome.message) < 300
    return outcome


@pytest.mark.parametrize(("check", "answer"), UNTOUCHED)
def test_an_untouched_answer_is_not_yet(check, answer):
    outcome = judged(check, answer)
    assert outcome.status == "not yet"
    assert "again" in outcome.message


@pytest.mark.parametrize(("check", "answer", "words"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_answer_is_told_what_was_seen_and_expected(check, answer, words):
    outcome = judged(check, answer)
    assert outcome.status == "wrong"
    assert words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize(("check", "answer"), CRASHING)
def test_a_crashing_answer_is_told_the_error(check, answer):
    outcome = judged(check, answer)
    assert outcome.status == "wrong" and "RuntimeError: no" in outcome.message


@pytest.mark.parametrize(("check", "answer", "words"), RIGHT, ids=range(len(RIGHT)))
def test_a_right_answer_passes(check, answer, words):
    outcome = judged(check, answer)
    assert outcome.status == "passed", outcome
    assert words in outcome.message


def test_the_made_up_errors_are_what_the_sdk_makes_of_such_answers():
    refusals = [row[1] for row in made_errors.cases() if hasattr(row[1], "response")]
    assert len(refusals) == len(made_errors.TABLE["refusals"])
    for error in refusals:
        with openai.OpenAI(api_key="none") as client:
            real = client._make_status_error_from_response(error.response)
        seen = [type(real), real.status_code, real.code, real.body]
        assert [type(error), error.status_code, error.code, error.body] == seen


def test_a_function_that_sleeps_is_not_called_often():
    asked = []

    def sleepy(attempt, retry_after=None):
        asked.append(attempt)
        time.sleep(0.25 * 2**attempt)
        return 0.25 * 2**attempt

    assert "seems to sleep" in errors.delay(sleepy).message and asked == [0, 0]


def test_tries_count_in_the_order_in_which_they_were_sent():
    late, early = calls(429, 200), calls(429)
    for attempt in late.calls[0].attempts:
        attempt.sent += 10
    late.calls += early.calls
    assert got_through(late, 429, times=2).status == "passed"


def test_a_computer_that_was_busy_once_is_not_taken_for_sleep():
    busy = iter([0, 0.35])

    def right(attempt, retry_after=None):
        time.sleep(next(busy, 0))
        return patient(attempt, retry_after)

    assert errors.delay(right).status == "passed"


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    for check, answer, *_ in [*UNTOUCHED, *WRONG, *CRASHING, *RIGHT]:
        in_chinese(CHECKS[check], answer)
