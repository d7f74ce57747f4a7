"""Many calls as bars on one axis of time: waiting for their turn, for an answer, and reading it."""

from collections.abc import Iterator

from ..watch.calls import Attempt, Call, Calls
from ..words import need_type, say
from .html import Html, View, brief, row, sentence, table

KINDS = ("queued", "waiting", "reading", "left", "failed")
LABEL = 40
BAR = Html('<div class="qwen-timeline-part qwen-timeline-{}" style="{}"></div>')


def timeline(calls: Calls) -> View:
    """The calls that a `Calls` recorded, on one axis: total time against the sum of the calls.

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
    begin, end = _span(found)
    rows = [_row(n, call, begin, end - begin) for n, call in enumerate(found, 1)]
    names = ("number", "call", "bars", "parts")
    bars = table(rows, *(say(f"timeline.{name}") for name in names))
    html = Html('<div class="qwen-timeline"><p>{}</p>{}{}</div>')
    html = html.format(_sum(found), _legend(found), bars)
    return View(html, "\n".join(_lines(found)), "timeline")


def _moments(call: Call) -> list[float]:
    """All that is known of when something happened to a call."""
    known = [call.queued, *(m for a in call.attempts for m in (a.sent, a.answered, a.ended))]
    return [moment for moment in known if moment is not None]


def _span(calls: list[Call]) -> tuple[float, float]:
    moments = [moment for call in calls for moment in _moments(call)]
    return min(moments), max(max(moments), min(moments) + 1e-3)


def _parts(call: Call) -> Iterator[tuple[str, float, float]]:
    """What a call did, as (kind, from, to)."""
    if call.queued is not None:
        yield "queued", call.queued, call.attempts[0].sent
    for attempt in call.attempts:
        end = attempt.ended if attempt.ended is not None else attempt.answered or attempt.sent
        last = "left" if attempt.left else "reading" if attempt.ok else "failed"
        if attempt.answered is None:
            yield last if attempt.error else "waiting", attempt.sent, end
        elif attempt.refused:
            yield last, attempt.sent, end
        else:
            yield "waiting", attempt.sent, attempt.answered
            yield last, attempt.answered, end


def _row(number: int, call: Call, begin: float, length: float) -> Html:
    bars, told = Html(""), []
    for kind, start, end in _parts(call):
        left, width = (100 * seconds / length for seconds in (start - begin, end - start))
        bars += BAR.format(kind, f"left:{left:.2f}%;width:{width:.2f}%")
        moments = {"start": start - begin, "end": end - begin}
        told.append(say("timeline.part", kind=say(f"timeline.{kind}"), **moments))
    words = "; ".join([*told, *_outcomes(call)])
    return row(number, brief(call.label, LABEL), bars, words)


def _outcomes(call: Call) -> list[str]:
    """How each attempt ended: a status, what broke it, or that the caller left it."""
    return [_outcome(attempt) for attempt in call.attempts]


def _outcome(attempt: Attempt) -> str:
    if attempt.left or attempt.ended is None:
        return say("timeline.left" if attempt.left else "timeline.open")
    return attempt.error or str(attempt.status)


def _legend(calls: list[Call]) -> Html:
    """What the parts that there are mean."""
    there = {kind for call in calls for kind, *_ in _parts(call)}
    # The part is placed within its cell; here it stands in the line.
    style = "display:inline-block;position:static;vertical-align:middle;width:24px"
    mark = Html('<span class="qwen-timeline-part qwen-timeline-{}" style="{}"></span> {}')
    marks = Html(" ").join(
        mark.format(kind, style, say(f"timeline.{kind}")) for kind in KINDS if kind in there
    )
    return Html("<p><small>{}</small></p>").format(marks)


def _sum(calls: list[Call]) -> str:
    begin, end = _span(calls)
    # Waiting for a turn is not part of what a call itself takes.
    each = [max(_moments(call)) - call.attempts[0].sent for call in calls]
    return say("timeline.sum", count=len(calls), together=sum(each), total=end - begin)


def _lines(calls: list[Call]) -> Iterator[str]:
    """The short form, without times: how many, how they ended, and what each was asked."""
    good = sum(call.attempts[-1].ok for call in calls)
    retries = sum(len(call.attempts) - 1 for call in calls)
    yield say("timeline.count", count=len(calls), good=good, retries=retries)
    for call in calls:
        yield f"{call.label[:LABEL]}: {', '.join(_outcomes(call))}"
