import errno
import html
import re

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from qwen_lab import words
from qwen_lab.views.wire import wire
from qwen_lab.watch.stream import Line

from . import recorded
from .hostile import HOSTILE, check
from .test_axis import placed


def events(chunks, pause=0.1):
    """The chunks as events, one each tenth of a second, and the end."""
    models = [ChatCompletionChunk.model_validate(chunk) for chunk in chunks]
    found = [Line(f"data: {n}", pause * n, model) for n, model in enumerate(models, 1)]
    return [*found, Line("data: [DONE]", pause * (len(found) + 1))]


def used(tokens):
    """The chunk that ends an answer of so many tokens."""
    end = recorded.CHUNKS[-1]
    return end | {"usage": end["usage"] | {"completion_tokens": tokens}}


def plain(text):
    """The text without spaces and backticks: code on the page has neither."""
    return re.sub(r"[\s`]", "", text)


def seen(page):
    return html.unescape(re.sub(r"(?s)<[^>]*>|\xa0", " ", page))


def test_a_recorded_stream_is_told_line_by_line():
    view = wire(events(recorded.CHUNKS), "done")
    assert view.text.split("\n") == [
        "6 events, 2 with text: Hello.",
        "role: assistant",
        "finish_reason: stop",
        "usage: 16 in, 3 out",
        "[DONE]: the end",
    ]
    rows = view.html.split('tabindex="0">')
    assert "<small>200 ms</small> text “Hello”</span>" in rows[2]
    assert "<code>data: 2</code><small>Text so far</small><q>Hello</q>" in rows[2]


def test_each_line_lies_on_the_axis_where_it_came_after_its_wait():
    page = wire(events(recorded.CHUNKS), "done").html
    parts = placed(page)
    # 600 ms are five steps of 120.
    assert parts[:6] == [
        ("waiting", 0, 16.7),
        ("other", 16.7, 0),
        ("waiting", 16.7, 16.7),
        ("reading", 33.3, 0),
        ("waiting", 33.3, 16.7),
        ("reading", 50, 0),
    ]
    assert re.findall(r"<small>(\d+ ms)</small>(?! )", page)[:6] == [
        f"{120 * at} ms" for at in range(6)
    ]


def test_the_first_line_with_text_is_open_at_first():
    page = wire(events(recorded.CHUNKS), "done").html
    assert page.split('class="qwen-row open"')[1].split("<code>")[1].startswith("data: 2<")


def test_the_raw_text_stands_whole_and_as_it_came():
    raw = 'data: {"choices": [], "usage": null, "id": "' + "x" * 900 + '"}'
    page = wire([Line(raw, 0.1), Line("data: [DONE]", 0.2)], "done").html
    whole = page.split("<pre>")[1].split("</pre>")[0]
    assert html.unescape(whole.replace("<wbr>", "")) == raw + "\n\ndata: [DONE]"
    assert "x" * 900 not in page.split("<pre>")[0]


def test_a_long_line_breaks_between_its_parts():
    raw = 'data: {"object":"chat.completion.chunk","created":1}'
    page = html.unescape(wire([Line(raw, 0.1)], "done").html)
    assert 'data: {"object":<wbr>"chat.completion.chunk",<wbr>"created":<wbr>1}' in page


def test_no_backtick_is_on_the_page():
    page = (
        wire(events(recorded.CHUNKS), "done").html
        + wire(events(recorded.tool_chunks()), "done").html
    )
    assert "`" not in page and "<code>chunk.choices[0]</code>" in page


def test_times_stand_in_the_page_and_not_in_the_short_form():
    slow, fast = (wire(events([*recorded.CHUNKS[:4], used(21)], n), "done") for n in (0.1, 0.01))
    told = "The first text came after 200 ms. The next piece came 100 ms later."
    assert f"{told} After the first token 50 tokens/s." in seen(slow.html)
    assert "200 ms" not in seen(fast.html)
    assert slow.text == fast.text


def test_a_single_piece_of_text_has_none_after_it_to_time():
    page = seen(wire(events(recorded.CHUNKS[:2]), "done").html)
    assert "The first text came after 200 ms." in page and "median" not in page


def test_of_several_pieces_after_the_first_the_median_and_the_slowest_are_told():
    found = events([*recorded.CHUNKS[:3], recorded.CHUNKS[2]])
    page = seen(wire(found, "done").html)
    assert "Each further piece took about 100 ms (median), the slowest 100 ms." in page


def test_thousands_of_milliseconds_have_their_comma():
    page = seen(wire(events(recorded.CHUNKS, 4), "done").html)
    for told in ("came after 8,000 ms", "8,000 ms text “Hello”", " 25,000 ms "):
        assert told in re.sub(" +", " ", page), told


def test_a_figure_of_usage_keeps_with_what_it_counts():
    page = wire(events(recorded.CHUNKS), "done").html
    assert "16\xa0in, 3\xa0out" in page


def test_what_a_tape_gave_at_once_has_no_speed():
    found = events([*recorded.CHUNKS[:4], used(21)])
    assert "tokens/s" in wire(found, "done").html
    assert "tokens/s" not in wire(found, "done", at_once=True).html


def test_what_it_thought_before_its_text_counts_for_the_speed():
    begun = recorded.CHUNKS[0]
    thinks = begun | {"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}
    found = events([thinks] * 8 + [recorded.CHUNKS[1], used(21)])
    # From 0.1 s, where the first thought came, to the end at 1.1 s.
    assert "After the first token 20 tokens/s." in seen(wire(found, "done").html)


def test_a_few_tokens_have_no_speed():
    speeds = [wire(events([*recorded.CHUNKS[:4], used(n)]), "done").html for n in (4, 5)]
    assert ["tokens/s" in each for each in speeds] == [False, True]


def test_beside_a_piece_of_a_tool_call_stands_the_call_so_far_and_no_empty_text():
    page = wire(events(recorded.tool_chunks()), "done").html
    shown = [html.unescape(each) for each in re.findall("<q>(.*?)</q>", page)]
    assert shown[0] == "square_root(" and 'square_root( {"number": 132413}' in shown
    assert page.count(words.say("wire.so_far_call")) == len(shown) and "" not in shown
    # The line that is open at first is the call's, not the one before it.
    assert "square_root(" in page.split('class="qwen-row open"')[1].split("<q>")[0]


def test_the_traps_of_this_stream_are_named_and_no_others():
    page = seen(wire(events(recorded.CHUNKS), "done").html)
    for trap, here in (("role", 1), ("choices", 1), ("usage", 1), ("id", 0), ("none", 0)):
        assert (plain(words.say(f"wire.trap_{trap}")) in plain(page)) == bool(here), trap
    tools = seen(wire(events(recorded.tool_chunks()), "done").html)
    for trap in ("id", "none"):
        assert plain(words.say(f"wire.trap_{trap}")) in plain(tools)
    assert "tool call 0: square_root(" in tools
    assert "tool call 0 goes on: “:␣132413}”" in tools


def test_white_space_is_a_sign_as_it_is_in_the_other_views():
    choice = recorded.CHUNKS[1]["choices"][0]
    delta = choice["delta"] | {"content": " the\n"}
    spaced = recorded.CHUNKS[1] | {"choices": [choice | {"delta": delta}]}
    assert "text “␣the↵”" in seen(wire(events([spaced]), "done").html)


def test_a_long_stream_folds_its_middle_and_shows_it_all():
    chunks = [recorded.CHUNKS[1]] * 60
    page = wire(events(chunks), "done").html
    assert words.say("wire.middle", count=61 - 14) in page
    assert page.count('class="qwen-row ') == 61


def test_two_answers_are_told_apart():
    [piece, other] = recorded.CHUNKS[1], recorded.CHUNKS[2]
    second = other | {"choices": [other["choices"][0] | {"index": 1}]}
    page = wire(events([piece, second, piece]), "done").html
    assert "index 1: text “.”</span>" in page
    assert re.findall("<q>(.*?)</q>", page)[:3] == ["Hello", ".", "HelloHello"]


@pytest.mark.parametrize("state", ["unread", "reading", "left", "failed"])
def test_a_stream_that_did_not_end_says_so(state):
    found = [] if state == "unread" else events(recorded.CHUNKS[:2])[:-1]
    view = wire(found, state, OSError(errno.ENOSPC, "x") if state == "failed" else None)
    assert words.say(f"wire.{state}", error="OSError", reason="the disk is full") in view.text


def test_a_stream_that_broke_off_is_a_failure_and_one_that_was_left_is_none():
    found, error = events(recorded.CHUNKS[:2]), openai.APIError("Try `later`.", None, body=None)
    page = wire(found, "failed", error).html
    [told] = re.findall('<p class="qwen-failed">(.*?)</p>', page)
    assert html.unescape(told).startswith("The stream broke off (APIError): Try `later`. What came")
    assert "qwen-failed" not in wire(found, "left").html + wire(found, "done").html


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
        tags = "div p small code pre q wbr details summary span"
        check(page, tags, "class style tabindex")
