"""What a check says of an answer, and the frame that every check stands in.

A check judges the structure of a request or a response, never the wording of the model.
"""

import inspect
import reprlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import wraps
from numbers import Real
from textwrap import shorten

from IPython import get_ipython

from .. import report
from ..course import log
from ..views.html import View, verdict
from ..words import say

# What every check takes beside its answer, and what its help says of that.
EXERCISE = inspect.Parameter(
    "exercise", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=str | None
)
HELP = """With `exercise`, the number of an exercise, the outcome goes into the learner's log.
Returns an `Outcome`; what goes wrong is shown in it, not raised."""


@dataclass(frozen=True, repr=False)
class Outcome:
    """How an answer stands: `status` is "passed", "not yet" or "wrong", `message` says why.

    The message is in the language in use; a notebook shows it with a sign and the status in bold.

    >>> checks.answers.same(["Red", "Blue"], 2).status
    'wrong'
    """

    status: str
    message: str

    def __repr__(self) -> str:
        return f"{self.status}: {self.message}"

    def _repr_html_(self) -> str:
        status = say(f"checks.{self.status.replace(' ', '_')}")
        return View(verdict(self.status, status, self.message), "")._repr_html_()


class Judged(Exception):
    """Raised where the judgement ends: the check returns the `outcome`."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


def passed(key: str, **values: object) -> Outcome:
    """The answer is right; the words for `key` say what was right about it."""
    return Outcome("passed", say(key, **values))


def wrong(key: str, *seen: object, **values: object) -> Judged:
    """To raise: the answer is not right. The words for `key` say what was seen and expected.

    The value that was `seen` stands in the words as `shown` tells it, the `values` as they are.
    """
    if seen:
        values["seen"] = shown(*seen)
    return Judged(Outcome("wrong", say(key, **values)))


def not_yet(key: str = "checks.untouched", **values: object) -> Judged:
    """To raise: there is no answer yet, only the starter, or a function that returns nothing."""
    return Judged(Outcome("not yet", say(key, **values)))


def need(condition: object, key: str, *seen: object, **values: object) -> None:
    """Go on if the condition holds; if not, raise `wrong(key, ...)`.

    A value that must not be read while the condition holds, as it may raise, is given to `wrong`.
    """
    if not condition:
        raise wrong(key, *seen, **values)


def need_key(name: str, given: dict, place: str) -> None:
    """The dict must have this key; perhaps it has it in another spelling."""
    if name not in given:
        slip = near(name, given)
        need(not slip, "checks.key_misspelt", place=place, seen=reprlib.repr(slip), name=name)
        raise wrong("checks.key_missing", place=place, seen=reprlib.repr(list(given)), name=name)


def near(name: object, names: Iterable) -> str:
    """The one of the names that this one may be in another spelling; "" where there is none."""
    plain = {each.strip().lower(): each for each in names if isinstance(each, str)}
    found = get_close_matches(str(name).strip().lower(), plain, n=1, cutoff=0.7)
    return plain[found[0]] if found else ""


def check(judge: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Make a check of a function that judges an answer.

    The function returns `passed(...)`; all else it raises, by `need`, `wrong` or `not_yet`. The
    check never raises: it returns the `Outcome`. A `...` left in the answer is "not yet", and so is
    an answer whose cell has just failed; one that raises while it is read is "wrong". Told the
    `exercise`'s number, it notes what was tried and passed. Its help shows that option too.
    """

    @wraps(judge)
    def checked(*arguments: object, exercise: str | None = None, **options: object) -> Outcome:
        try:
            untouched = _untouched([*arguments, *options.values()])
            _need_new_answer(untouched)
            if untouched:
                raise not_yet()
            outcome = judge(*arguments, **options)
        except Judged as judged:
            outcome = judged.outcome
        except Exception as error:
            outcome = (_unrecorded(error) or wrong("checks.crashed", error=told(error))).outcome
        if exercise and outcome.status != "not yet":
            log.note_exercise(exercise, outcome.status)
            report.exercise(exercise, outcome.status)
        return outcome

    signature = inspect.signature(judge)
    checked.__signature__ = signature.replace(parameters=[*signature.parameters.values(), EXERCISE])
    checked.__doc__ = f"{inspect.cleandoc(judge.__doc__ or '')}\n\n{HELP}"
    return checked


def shown(value: object) -> str:
    """A value in a few words: plain values by their first characters, others by their type."""
    # Exact types: a subclass may show itself at any length, or raise.
    if type(value) in (str, int, float, bool, type(None)):
        return reprlib.repr(value)
    return say("checks.object", type=type(value).__name__)


def is_text(value: object) -> bool:
    """Whether it is a text that is not empty."""
    return isinstance(value, str) and bool(value.strip())


def is_number(value: object) -> bool:
    """Whether it is a number; True and False are none here."""
    return isinstance(value, Real | Decimal) and not isinstance(value, bool)


def _need_new_answer(untouched: bool) -> None:
    """Raise "not yet" where the cell run before this one failed: the answer is an older one.

    Run again with no other cell between, the check says so again. A call that a tape does not have
    may stand after an answer, which can be judged then.
    """
    shell = get_ipython()
    last = getattr(shell, "last_execution_result", None)
    if last:
        seen = getattr(shell, "qwen_lab_failure", {}).get(shell.execution_count - 1)
        error = last.error_before_exec or last.error_in_exec or seen
        shell.qwen_lab_failure = {shell.execution_count: error}
        if error and (untouched or not _unrecorded(error)):
            raise _unrecorded(error) or not_yet("checks.cell_failed", error=told(error))


def _unrecorded(error: Exception) -> Judged | None:
    """The judgement where a tape lacks what was asked, which is no fault; None for other errors."""
    if getattr(error, "code", None) == "not_on_tape":
        return not_yet("checks.unrecorded", message=error.body["message"])


def _untouched(answer: object) -> bool:
    """Whether a stub's `...` is still there, by itself or inside a list or dict."""
    if type(answer) in (list, tuple, dict):
        return any(map(_untouched, answer.values() if type(answer) is dict else answer))
    return answer is ...


def told(error: Exception, most: int = 120) -> str:
    """An exception's name and text, in at most so many characters."""
    name = type(error).__name__
    try:
        return shorten(f"{name}: {error}".rstrip(": "), most, placeholder=" …")
    except Exception:
        # Even the error's own text may raise.
        return name
