"""What the lab's views show of calls, parameters and the learner's own work."""

import time
from unittest.mock import patch

import qwen_lab
from qwen_lab.course import log
from qwen_lab.views.html import View
from qwen_lab.watch.calls import Attempt, Call, Calls

from . import pick, state, unfold
from .answers import AUTUMN, CAPITAL, SEA, WEATHER, answer, asked
from .tape import lab


def timeline(*calls: Call) -> View:
    found = Calls()
    found.calls += calls
    shown = qwen_lab.timeline(found)
    # One that follows its calls is never still.
    return View(shown.html, shown.text)


def call(question: tuple[str, str], *attempts: tuple, queued: float | None = None) -> Call:
    return Call(pick(*question), queued, [Attempt(*each) for each in attempts])


RETRIED = call(AUTUMN, (10, 10.5, 10.5, 429), (11, 11.5, 12, 200))


@state()
def timeline_many():
    """Twelve calls, three at once: most wait for their turn first; two bars below show the gain."""
    turns = [(10 + 1.2 * (at // 3) + 0.1 * (at % 3)) for at in range(12)]
    return timeline(
        *(call(CAPITAL, (at, at + 0.6, at + 1, 200), queued=10.0) for at in turns),
    )


@state(unfold)
def timeline_retries():
    """A call that got through at the second try, one that failed, one left; their times open."""
    return timeline(
        RETRIED,
        call(CAPITAL, (10, 10.4, 10.4, 500), (10.9, 11.2, 11.2, 500)),
        call(SEA, (10.2, None, 12.4, None, "APIConnectionError")),
        call(WEATHER, (10.1, 10.6, 11.4, 200, "left")),
    )


@state()
def timeline_open():
    """Calls under way: one still waits, one is being read."""
    now = time.perf_counter()
    return timeline(call(AUTUMN, (now - 2, now - 1.2, None, 200)), call(SEA, (now - 1.5,)))


@state()
def timeline_none():
    """No calls yet: what to do."""
    return qwen_lab.timeline(Calls())


@state()
def odds_settings():
    """The next token's chances under four settings, in columns; what is cut shows 0 %."""
    found = lab().next_token(asked(AUTUMN)["messages"])
    hot = {"temperature": 1.9}
    return qwen_lab.odds(found, {}, {"temperature": 0.2}, hot, hot | {"top_k": 3})


@state()
def odds_none():
    """A sentence: the table needs the local Qwen, and how to have it."""
    return qwen_lab.odds(None)


@state()
def knobs_all():
    """The table of all parameters, with the dated source below."""
    return qwen_lab.knobs()


@state()
def knobs_two():
    """A table of two parameters, temperature and top_k."""
    return qwen_lab.knobs("temperature", "top_k")


def progress(exercises: dict, quizzes: dict) -> View:
    with patch.object(log, "read", lambda: {log.EXERCISES: exercises, log.QUIZZES: quizzes}):
        return qwen_lab.progress()


@state()
def progress_none():
    """Nothing done yet: empty bars, and where to begin."""
    return progress({}, {})


@state()
def progress_part():
    """Lesson 01 done with its quiz, 02 begun with one wrong, and what comes next."""
    done = {f"01.{at}": "passed" for at in range(1, 6)}
    return progress(done | {"02.1": "passed", "02.2": "wrong"}, {"01": 3})


@state()
def progress_all():
    """All exercises passed and all quizzes done: full bars, nothing next."""
    numbers = (f"0{lesson}.{at}" for lesson in range(1, 8) for at in range(1, 9))
    return progress(dict.fromkeys(numbers, "passed"), {f"0{at}": at % 2 + 2 for at in range(1, 8)})


@state()
def check_passed():
    """A check's verdict: passed, with its sign and what was right."""
    return qwen_lab.checks.response.finish_reason(answer(AUTUMN, max_tokens=5), "length")


@state()
def check_wrong():
    """A check's verdict: not right yet, what it saw and what it wants."""
    return qwen_lab.checks.response.finish_reason(answer(CAPITAL), "length")


@state()
def check_not_yet():
    """A check's verdict: nothing to judge yet, the starter is untouched."""
    return qwen_lab.checks.response.finish_reason(..., "length")
