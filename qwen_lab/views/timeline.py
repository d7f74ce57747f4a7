"""Many calls as bars on one axis of time: waiting for their turn, for an answer, and reading it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate, chain
from typing import Any

from ..watch.calls import Attempt, Call, Calls
from ..words import joined, need_type, say
from .axis import Axis, lane, legend
from .html import Html, View, filled, in_line, join, sentence, sign

KINDS = ("queued", "waiting", "reading", "left", "failed", "again")
LABEL, LONGEST_LABEL = 40, 200
# How often calls that are under way are shown anew.
PAUSE = 0.25


def timeline(calls: Calls) -> View:
    """The calls that a `Calls` recorded, on one axis: total time against the sum of the calls.

    While calls are under way what is shown follows them to their end, so long as a cell awaits or
    none runs. A row opens to the call's times in figures.

    >>> calls = qwen_lab.Calls()
    >>> watched = calls.watch(client)
    >>> answer = watched.chat.completions.create(model=lab.model, messages=messages)
    >>> qwen_lab.timeline(calls)
    calls: 1, answered: 1, retries: 0
    Write a line about autumn: 200
    """
    need_type("timeline.no_calls", calls, Calls)
    found = calls.calls
    if not found:
        return sentence(say("timeline.none"))
    now = time.perf_counter()
    tries = [[*_tries(call, now)] for call in found]
    spans = [[*chain(*each)] for each in tries]
    begin, end = min(parts[0][1] for parts in spans), max(parts[-1][2] for parts in spans)
    # Waiting for a turn is not part of what a call itself takes.
    each = [parts[-1][2] - call.attempts[0].sent for call, parts in zip(found, spans, strict=True)]
    total = max(end - begin, 1e-3)
    axis = Axis(max(total, sum(each)), lambda seconds: say("timeline.tick", seconds=seconds))
    opened = any(call.attempts[-1].ended is None for call in found)
    words = "timeline.sum_open" if opened else "timeline.sum"
    told = say(words, count=len(found), together=sum(each), total=total)
    rows = [_row(call, each, axis, begin) for call, each in zip(found, tries, strict=True)]
    parts = [filled("<p>{}</p>", [told]), _legend(spans), axis.head, *rows]
    # What was saved shows when all have ended.
    parts += [_held(axis, total, each)] if len(found) > 1 and not opened else []
    html = Html('<div class="qwen-timeline">{}</div>').format(join(parts))
    shown = html, "\n".join(_lines(found))
    return _Live(calls, *shown) if opened else View(*shown)


class _Live(View):
    """A timeline with calls that are under way; once displayed, it follows them."""

    def __init__(self, calls: Calls, *shown: str) -> None:
        super().__init__(*shown)
        self._calls = calls

    def _ipython_display_(self) -> None:
        from IPython.display import display

        shown = display(_bundle(self), raw=True, display_id=True)
        # Where no loop runs, nothing could change it.
        with suppress(RuntimeError):
            asyncio.get_running_loop().create_task(self._follow(shown))

    async def _follow(self, shown: Any) -> None:
        view = self
        while isinstance(view, _Live):
            await asyncio.sleep(PAUSE)
            view = timeline(self._calls)
            shown.update(_bundle(view), raw=True)


def _bundle(view: View) -> dict[str, str]:
    return {"text/html": view._repr_html_(), "text/plain": repr(view)}


def _tries(call: Call, now: float) -> Iterator[list[tuple[str, float, float]]]:
    """What a call did in each of its attempts, as (kind, from, to), after the wait before it."""
    before = call.queued
    for number, attempt in enumerate(call.attempts):
        wait = ("again" if number else "queued", before, attempt.sent)
        before = now if attempt.ended is None else attempt.ended
        yield [*([wait] if wait[1] is not None else []), *_parts(attempt, before)]


def _parts(attempt: Attempt, end: float) -> Iterator[tuple[str, float, float]]:
    last = "left" if attempt.left else "reading" if attempt.ok else "failed"
    if attempt.answered is None:
        yield last if attempt.error else "waiting", attempt.sent, end
    elif attempt.refused:
        yield last, attempt.sent, end
    else:
        yield "waiting", attempt.sent, attempt.answered
        yield last, attempt.answered, end


def _row(call: Call, tries: list[list[tuple]], axis: Axis, begin: float) -> Html:
    bars = (axis.part(kind, start - begin, end - begin) for kind, start, end in chain(*tries))
    name = Html("{} {}").format(
        sign(_status(call.attempts[-1])), in_line(call.label, LONGEST_LABEL)
    )
    whole = Html('<details class="qwen-row"><summary>{}</summary><div>{}</div></details>')
    told = filled("<div>{}</div>", _told(call, tries, begin))
    return whole.format(lane(name, join(bars)), told)


def _told(call: Call, tries: list[list[tuple]], begin: float) -> Iterator[str]:
    """A call's times in words: a line for each attempt, and for each wait between two."""
    for number, (attempt, parts) in enumerate(zip(call.attempts, tries, strict=True), 1):
        told = [_part(kind, start - begin, end - begin) for kind, start, end in parts]
        if number > 1:
            yield told.pop(0)
        words = joined(told, "clauses")
        # That it was given up, its last part says.
        if not attempt.left:
            words = say("timeline.ended", told=words, outcome=_outcome(attempt))
        retried = len(call.attempts) > 1
        yield say("timeline.try", number=number, told=words) if retried else words


def _part(kind: str, start: float, end: float) -> str:
    return say("timeline.part", kind=say(f"timeline.{kind}"), start=start, end=end)


def _status(last: Attempt) -> str:
    ended = "passed" if last.ok else "left" if last.left else "wrong"
    return "not yet" if last.ended is None else ended


def _held(axis: Axis, total: float, each: list[float]) -> Html:
    """When all had ended, and under it what their times add up to: two bars."""
    ends = [*accumulate(each)]
    apart = join(axis.part("apart", end - one, end) for one, end in zip(each, ends, strict=True))
    rows = [
        lane(say("timeline.together", seconds=total), axis.part("together", 0, total)),
        lane(say("timeline.apart", seconds=ends[-1]), apart),
    ]
    inner = filled('<div class="qwen-row">{}</div>', rows)
    return Html('<div class="qwen-timeline-sums">{}</div>').format(inner)


def _outcomes(call: Call) -> list[str]:
    """How each attempt ended: a status, what broke it, or that the caller left it."""
    return [_outcome(attempt) for attempt in call.attempts]


def _outcome(attempt: Attempt) -> str:
    if attempt.left or attempt.ended is None:
        return say("timeline.left" if attempt.left else "timeline.open")
    return attempt.error or str(attempt.status)


def _legend(spans: list[list[tuple]]) -> Html:
    """What the parts that there are mean."""
    there = {kind for parts in spans for kind, *_ in parts}
    return legend({kind: say(f"timeline.{kind}") for kind in KINDS if kind in there})


def _lines(calls: list[Call]) -> Iterator[str]:
    """The short form, without times: how many, how they ended, and what each was asked."""
    good = sum(call.attempts[-1].ok for call in calls)
    retries = sum(len(call.attempts) - 1 for call in calls)
    yield say("timeline.count", count=len(calls), good=good, retries=retries)
    for call in calls:
        yield f"{call.label[:LABEL]}: {joined(_outcomes(call))}"
