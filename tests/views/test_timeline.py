import html
import re

from qwen_lab.views.timeline import timeline
from qwen_lab.watch.calls import Attempt, Call, Calls

from .hostile import HOSTILE, check


def recorded(*calls):
    found = Calls()
    found.calls += calls
    return found


RETRIED = Call("再试", None, [Attempt(10, 10.5, 10.5, 429), Attempt(11, 11.5, 12, 200)])
QUEUED = Call("排队", 10, [Attempt(11, 12, 14, 200)])


def seen(page):
    return html.unescape(re.sub(r"(?s)<[^>]*>", " ", page))


def parts(view):
    table = view.html.split("<table>")[1]
    return re.findall(r'qwen-timeline-(\w+)" style="left:([\d.]+)%;width:([\d.]+)%', table)


def test_every_part_has_its_place_on_the_axis():
    assert parts(timeline(recorded(RETRIED, QUEUED))) == [
        ("failed", "0.00", "12.50"),
        ("waiting", "25.00", "12.50"),
        ("reading", "37.50", "12.50"),
        ("queued", "0.00", "25.00"),
        ("waiting", "25.00", "25.00"),
        ("reading", "50.00", "50.00"),
    ]


def test_each_row_says_its_times_in_words():
    page = seen(timeline(recorded(RETRIED)).html)
    assert "failed 0.00–0.50 s; waiting for the answer 1.00–1.50 s; reading it 1.50–2.00 s" in page
    assert "429; 200" in page


def test_what_the_caller_left_is_not_drawn_as_failed():
    left = Call("流", None, [Attempt(10, 11, 13, 200, "left")])
    cancelled = Call("停", None, [Attempt(10, None, 14, None, "CancelledError")])
    broken = Call("断", None, [Attempt(10, 11, 12, 200, "ReadError")])
    view = timeline(recorded(left, cancelled, broken))
    assert [kind for kind, *_ in parts(view)] == ["waiting", "left", "left", "waiting", "failed"]
    left_both = ["流: left by the caller", "停: left by the caller", "断: ReadError"]
    assert view.text.split("\n")[1:] == left_both


def test_the_legend_explains_the_parts_that_there_are_and_no_others():
    legend = timeline(recorded(RETRIED)).html.split("<table>")[0]
    kinds = re.findall(r'qwen-timeline-part qwen-timeline-(\w+)"', legend)
    assert kinds == ["waiting", "reading", "failed"]


def test_the_sum_is_held_against_the_whole():
    page = seen(timeline(recorded(RETRIED, QUEUED)).html)
    assert "Calls: 2. Their times add up to 5.0 s; all were done after 4.0 s." in page


def test_the_short_form_has_no_times():
    later = Call("再试", None, [Attempt(20, 21, 21, 429), Attempt(25, 26, 27, 200)])
    assert timeline(recorded(RETRIED)).text == timeline(recorded(later)).text
    assert timeline(recorded(RETRIED)).text == "calls: 1, answered: 1, retries: 1\n再试: 429, 200"


def test_a_call_that_is_still_open_is_shown_as_far_as_it_came():
    opened = Call("开着", None, [Attempt(10)])
    view = timeline(recorded(opened, Call("读着", None, [Attempt(10, 11, None, 200)])))
    assert view.text.split("\n")[1:] == ["开着: still open", "读着: still open"]
    assert [kind for kind, *_ in parts(view)] == ["waiting", "waiting", "reading"]


def test_without_calls_it_says_what_to_do():
    assert timeline(Calls()).text.startswith("No calls yet")


def test_hostile_labels_are_only_shown():
    for hostile in HOSTILE:
        view = timeline(recorded(Call(hostile, None, [Attempt(1, error=hostile)])))
        check(view.html, "div p small span table tr th td")
        assert "\ud800" not in view.text
