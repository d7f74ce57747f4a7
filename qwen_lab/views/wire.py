"""What came over the wire: each line of a stream on one axis of time, and what it became."""

import statistics
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ..watch.stream import Line, Recording, pace, texts, usage
from ..words import joined, reason, say, within
from .axis import Axis, lane, legend
from .html import Html, View, breaking, brief, filled, fold, join, marked, sentence
from .tokens import SIGNS, visible

FIRST, LAST = 10, 4
LONGEST_LINE = 400
# A line of JSON may break between its parts.
JSON = '(?<=,)|(?<=":)'
LONGEST_TEXT = 200
SHORT = 40


class Wire(Recording):
    """Reads a stream of the SDK and keeps all that came: a stream itself, sync or async.

    A cell that ends with it shows every line as it came over the wire. `events` has them with their
    `seconds` since the request was sent, `chunks` what the SDK made of them, `text` the first
    answer so far, `texts` all of them (a call with `n` has several). `state` is "unread",
    "reading", "done", "left" (closed before its end) or "failed".

    >>> answer = client.chat.completions.create(model=lab.model, messages=messages, stream=True)
    >>> stream = qwen_lab.wire(answer)
    >>> for chunk in stream:
    ...     pass
    >>> stream.state, stream.events[-1].raw
    ('done', 'data: [DONE]')

    What the SDK raises passes through, and is kept in `error`. Raises `TypeError` for what is no
    stream.
    """

    def _repr_html_(self) -> str:
        return self._view()._repr_html_()

    def __repr__(self) -> str:
        return repr(self._view())

    def _view(self) -> View:
        return wire(self.events, self.state, self.error, at_once=self.at_once)


def wire(
    events: list[Line], state: str, error: Exception | None = None, *, at_once: bool = False
) -> View:
    """A recorded stream: each line on an axis of time, and on pointing what it became; its traps.

    `events` are those of a `Wire`, `state` how it stands, `error` what ended it early. What a tape
    gave `at_once` has no speed.
    """
    if not events:
        return sentence(say(f"wire.{'unread' if state == 'unread' else 'empty'}"))
    end = [_end(state, error)] if state != "done" else []
    look = "qwen-failed" if state == "failed" else "trap"
    parts = [filled("<p>{}</p>", filter(None, [_times(events, at_once)])), _rows(events)]
    parts += [Html('<p class="{}">{}</p>').format(look, words) for words in end]
    parts += [filled('<p class="trap">{}</p>', map(marked, _traps(events))), _whole(events)]
    html = Html('<div class="qwen-wire">{}</div>').format(join(parts))
    return View(html, "\n".join([*_lines(events), *end]))


def _end(state: str, error: Exception | None) -> str:
    """Why there is no more of it; what a service says of that, in its own words."""
    if state != "failed":
        return say(f"wire.{state}")
    said = getattr(error, "message", "") or reason(error)
    return say("wire.failed", error=type(error).__name__, reason=within(said))


def _times(events: list[Line], at_once: bool) -> str:
    """Time to the first text, gaps between pieces of it, tokens a second; in the HTML alone."""
    moments = [event.seconds for event in events if event.text]
    if not moments:
        return ""
    told = [say("wire.first", first=1000 * moments[0])]
    gaps = [1000 * (later - earlier) for earlier, later in pairwise(moments)]
    if len(gaps) > 1:
        told.append(say("wire.gaps", median=statistics.median(gaps), longest=max(gaps)))
    elif gaps:
        told.append(say("wire.gap", gap=gaps[0]))
    speed = None if at_once else pace(events)
    told += [say("wire.speed", speed=speed)] if speed else []
    return joined(told, "sentences")


def _traps(events: list[Line]) -> Iterator[str]:
    """What of this stream trips those who read one for the first time."""
    chunks = [event.chunk for event in events if event.chunk]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    if choices and choices[0].delta.role and not choices[0].delta.content:
        yield say("wire.trap_role")
    if any(choice.delta.content is None for choice in choices):
        yield say("wire.trap_none")
    if any(call.id == "" for choice in choices for call in choice.delta.tool_calls or []):
        yield say("wire.trap_id")
    if chunks and not chunks[-1].choices:
        yield say("wire.trap_choices")
    if usage(events):
        yield say("wire.trap_usage")


def meaning(event: Line) -> str:
    """What an event says, in a few words."""
    if event.chunk is None:
        return say(f"wire.{_unread(event.raw)}")
    if not event.chunk.choices:
        usage = event.chunk.usage
        counts = (usage.prompt_tokens, usage.completion_tokens) if usage else ("?", "?")
        return say("wire.usage", prompt=counts[0], completion=counts[1])
    return joined(map(_choice, event.chunk.choices), "clauses")


def _unread(raw: str) -> str:
    if raw.startswith(":"):
        return "comment"
    if "[DONE]" in raw:
        return "finished"
    return "refusal" if '"error"' in raw else "unreadable"


def _choice(choice: Any) -> str:
    delta = choice.delta
    said = [say("wire.role", role=delta.role)] if delta.role else []
    if thought := getattr(delta, "reasoning_content", None):
        said.append(say("wire.thought", text=visible(thought)))
    if delta.content:
        said.append(say("wire.text", text=visible(delta.content)))
    for call in delta.tool_calls or []:
        name, arguments = _function(call)
        arguments = arguments.translate(SIGNS)
        words = "wire.call" if name else "wire.call_goes_on"
        said.append(say(words, index=call.index, name=name, arguments=arguments))
    if choice.finish_reason:
        said.append(f"finish_reason: {choice.finish_reason}")
    words = joined(said, "phrases") or say("wire.nothing")
    return f"index {choice.index}: {words}" if choice.index else words


def _rows(events: list[Line]) -> Html:
    """The lines one below the other, each with the time that it took to come."""
    axis = Axis(max(events[-1].seconds, 1e-3), lambda seconds: f"{1000 * seconds:,.9g} ms")
    first = next((event for event in events if any(_pieces(event).values())), events[0])
    befores = (0, *(event.seconds for event in events))
    rows = [
        _row(event, so_far, axis, before, "open" * (event is first))
        for event, so_far, before in zip(events, _so_far(events), befores, strict=False)
    ]
    if len(rows) > FIRST + LAST + 2:
        title = say("wire.middle", count=len(rows[FIRST:-LAST]))
        rows[FIRST:-LAST] = [fold(title, join(rows[FIRST:-LAST]))]
    means = legend({kind: say(f"wire.part_{kind}") for kind in ("waiting", "reading", "other")})
    return Html('{}<div class="qwen-wire-rows">{}{}</div>').format(means, axis.head, join(rows))


def _so_far(events: list[Line]) -> Iterator[tuple[str, str]]:
    """After each event, the answer that it belongs to, or its tool call, so far: name and text."""
    found, place = defaultdict(str), (0,)
    for event in events:
        for part, piece in _pieces(event).items():
            found[part] += piece
            place = part if piece or part[0] != place[0] else place
        yield say("wire.so_far_call" if place[1:] else "wire.so_far"), found[place]


def _pieces(event: Line) -> dict[tuple, str]:
    """What it adds to each answer's text, and to each of its tool calls."""
    found = {(index,): text for index, text in event.texts.items()}
    for choice in event.chunk.choices if event.chunk else []:
        for call in choice.delta.tool_calls or []:
            name, arguments = _function(call)
            found[choice.index, call.index] = f"{name}(" * bool(name) + arguments
    return found


def _function(call: Any) -> tuple[str, str]:
    """What a piece of a tool call brings: the function's name, and arguments; "" for nothing."""
    function = call.function
    return (function.name or "", function.arguments or "") if function else ("", "")


def _row(event: Line, so_far: tuple[str, str], axis: Axis, before: float, kind: str) -> Html:
    parts = axis.part("waiting", before, event.seconds)
    parts += axis.part("reading" if event.text else "other", event.seconds, event.seconds)
    name = Html("<small>{:,.0f} ms</small> {}").format(1000 * event.seconds, meaning(event))
    # The end of a long text: what the chunk added is there.
    title, text = so_far
    shown = text if len(text) <= LONGEST_TEXT else "…" + text[-LONGEST_TEXT:]
    below = Html("<small>{}</small><q>{}</q>").format(title, shown) if text else ""
    raw = breaking(brief(event.raw, LONGEST_LINE), JSON)
    beside = Html("<small>{}</small><code>{}</code>{}").format(say("wire.raw"), raw, below)
    whole = Html('<div class="qwen-row {}" tabindex="0">{}<div>{}</div></div>')
    return whole.format(kind, lane(name, parts), beside)


def _whole(events: list[Line]) -> Html:
    raw = Html("\n\n").join(breaking(event.raw, JSON) for event in events)
    return fold(say("wire.whole", count=len(events)), Html("<pre>{}</pre>").format(raw))


def _lines(events: list[Line]) -> Iterator[str]:
    """The short form: what came, without times; the text of each answer in one piece."""
    pieces = sum(bool(event.text) for event in events)
    text = " | ".join(brief(text, SHORT) for text in texts(events))
    yield say("wire.short", events=len(events), pieces=pieces, text=text)
    for event in events:
        if not event.text and not event.raw.startswith(":"):
            yield meaning(event)
