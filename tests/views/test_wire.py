import html
import re

import pytest
from openai.types.chat import ChatCompletionChunk

from qwen_lab import words
from qwen_lab.views.wire import wire
from qwen_lab.watch.stream import Line

from . import recorded
from .hostile import HOSTILE, check


def events(chunks, pause=0.1):
    """The chunks as events, one each tenth of a second, and the end."""
    models = [ChatCompletionChunk.model_validate(chunk) for chunk in chunks]
    found = [Line(f"data: {n}", pause * n, model) for n, model in enumerate(models, 1)]
    return [*found, Line("data: [DONE]", pause * (len(found) + 1))]


def seen(page):
    return html.unescape(re.sub(r"(?s)<[^>]*>", " ", page))


def test_a_recorded_stream_is_told_line_by_line():
    view = wire(events(recorded.CHUNKS), "done")
    assert view.text.split("\n") == [
        "6 events, 2 with text: Hello.",
        "role: assistant",
        "finish_reason: stop",
        "usage: 16 tokens in, 3 out",
        "[DONE]: the end",
    ]
    assert "<code>data: 2</code></td><td>text “Hello”</td><td>Hello</td>" in view.html


def test_times_stand_in_the_page_and_not_in_the_short_form():
    slow, fast = wire(events(recorded.CHUNKS), "done"), wire(events(recorded.CHUNKS, 0.01), "done")
    assert "First text after 200 ms; then a piece every 100 ms" in seen(slow.html)
    assert "20 tokens/s" in seen(slow.html) and "200 ms" not in seen(fast.html)
    assert slow.text == fast.text


def test_the_traps_of_this_stream_are_named_and_no_others():
    page = seen(wire(events(recorded.CHUNKS), "done").html)
    for trap, here in (("role", 1), ("choices", 1), ("usage", 1), ("id", 0), ("none", 0)):
        assert (words.say(f"wire.trap_{trap}") in page) == bool(here), trap
    tools = seen(wire(events(recorded.tool_chunks()), "done").html)
    assert words.say("wire.trap_id") in tools and words.say("wire.trap_none") in tools
    assert "tool call 0: square_root(" in tools


def test_a_long_stream_folds_its_middle_and_shows_it_all():
    chunks = [recorded.CHUNKS[1]] * 60
    page = wire(events(chunks), "done").html
    assert words.say("wire.middle", count=61 - 14) in page
    assert page.count("<tr><td>") == 61


def test_the_slow_motion_keeps_the_proportions():
    page = wire(events(recorded.CHUNKS), "done").html
    assert re.findall(r"animation-delay:([\d.]+)s", page) == ["5.33", "8.00"]


def test_two_answers_are_told_apart():
    [piece, other] = recorded.CHUNKS[1], recorded.CHUNKS[2]
    second = other | {"choices": [other["choices"][0] | {"index": 1}]}
    page = wire(events([piece, second, piece]), "done").html
    assert "<td>index 1: text “.”</td><td>.</td>" in page and "<td>HelloHello</td>" in page
    slow = [seen(answer) for answer in re.findall(r'(<div class="qwen-wire-slow">.*?)</div>', page)]
    assert [text.split() for text in slow] == [["Hello", "Hello"], ["."]]


@pytest.mark.parametrize("state", ["unread", "reading", "left", "failed"])
def test_a_stream_that_did_not_end_says_so(state):
    found = [] if state == "unread" else events(recorded.CHUNKS[:2])[:-1]
    view = wire(found, state, OSError("x") if state == "failed" else None)
    assert words.say(f"wire.{state}", error="OSError") in view.text


@pytest.mark.parametrize(
    ("raw", "said"),
    [(": waiting", "comment"), ('data: {"error": {}}', "refusal"), ("data: {", "unreadable")],
)
def test_what_is_no_chunk_is_named(raw, said):
    page = wire([Line(raw, 0.1)], "failed", ValueError()).html
    assert html.escape(words.say(f"wire.{said}")) in page


def test_hostile_lines_are_only_shown():
    for hostile in HOSTILE:
        [first, *_] = events([recorded.CHUNKS[1]])
        first.chunk.choices[0].delta.content = hostile
        page = wire([Line(hostile, 0.1, first.chunk), Line(hostile, 0.2)], "done").html
        check(page, "div p table tr th td code details summary span")
