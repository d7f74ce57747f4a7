import asyncio
import html
import re
import time
from types import SimpleNamespace

from qwen_lab import words
from qwen_lab.views.timeline import timeline
from qwen_lab.watch.calls import Attempt, Call, Calls

from .hostile import HOSTILE, check
from .test_axis import placed


def recorded(*calls):
    found = Calls()
    found.calls += calls
    return found


RETRIED = Call("再试", None, [Attempt(10, 10.5, 10.5, 429), Attempt(11, 11.5, 12, 200)])
QUEUED = Call("排队", 10, [Attempt(11, 12, 14, 200)])


def seen(page):
    return html.unescape(re.sub(r"(?s)<[^>]*>|\xa0", " ", page))


def parts(view):
    """Each part of the calls: its kind, where it begins, and its length, in percent of the axis."""
    rows = view.html.split('<div class="qwen-timeline-sums">')[0]
    return placed(rows)


def test_every_part_has_its_place_on_the_axis_on_which_all_calls_fit_one_after_the_other():
    # All ended after four seconds, added up it is five: five steps of one second.
    assert parts(timeline(recorded(RETRIED, QUEUED))) == [
        ("failed", 0, 10),
        ("again", 10, 10),
        ("waiting", 20, 10),
        ("reading", 30, 10),
        ("queued", 0, 20),
        ("waiting", 20, 20),
        ("reading", 40, 40),
    ]
    page = timeline(recorded(RETRIED, QUEUED)).html
    assert re.findall(r"<small>([\d.]+\xa0s)</small>", page) == [f"{at}\xa0s" for at in range(6)]


def test_each_row_opens_to_its_times_in_words():
    page = timeline(recorded(RETRIED)).html.replace("\xa0", " ").replace("\u2060", "")
    assert re.findall(r"<div>([^<]+)</div>", page) == [
        "Try 1: failed 0.0–0.5 s (429)",
        "the SDK waits before it tries again 0.5–1.0 s",
        "Try 2: waiting for the answer 1.0–1.5 s; reading it 1.5–2.0 s (200)",
    ]
    assert page.count("<details") == 1 and "再试" in page.split("</summary>")[0]


def test_a_sign_says_how_each_call_stands():
    ended = [Attempt(10, 11, 12, 200), Attempt(10, 11, 11, 500), Attempt(10, 11, 12, 200, "left")]
    found = recorded(*(Call("问", None, [attempt]) for attempt in [*ended, Attempt(10, 11)]))
    assert re.findall(r'class="qwen-sign (\w+)" >(.)', timeline(found).html) == [
        ("passed", "✓"),
        ("wrong", "✗"),
        ("left", "–"),
        ("open", "…"),
    ]


def test_what_was_saved_is_two_bars_on_the_same_axis():
    sums = timeline(recorded(RETRIED, QUEUED)).html.split('<div class="qwen-timeline-sums">')[1]
    told = seen(sums)
    assert "All ended after 4.0 s" in told and "Their times added up: 5.0 s" in told
    assert placed(sums) == [
        ("together", 0, 80),
        ("apart", 0, 40),
        ("apart", 40, 60),
    ]
    assert "qwen-timeline-sums" not in timeline(recorded(RETRIED)).html


def test_what_the_caller_left_is_not_drawn_as_failed():
    left = Call("流", None, [Attempt(10, 11, 13, 200, "left")])
    cancelled = Call("停", None, [Attempt(10, None, 14, None, "CancelledError")])
    broken = Call("断", None, [Attempt(10, 11, 12, 200, "ReadError")])
    view = timeline(recorded(left, cancelled, broken))
    assert [kind for kind, *_ in parts(view)] == ["waiting", "left", "left", "waiting", "failed"]
    left_both = [f"{label}: {words.say('timeline.left')}" for label in "流停"]
    assert view.text.split("\n")[1:] == [*left_both, "断: ReadError"]


def test_the_legend_explains_the_parts_that_there_are_and_no_others():
    legend = timeline(recorded(RETRIED)).html.split('<div class="qwen-row">')[0]
    kinds = re.findall(r'qwen-part (\w+)"', legend)
    assert kinds == ["waiting", "reading", "failed", "again"]


def test_the_sum_is_held_against_the_whole():
    page = seen(timeline(recorded(RETRIED, QUEUED)).html)
    told = "Their times, waiting for a turn left out, add up to 5.0 s; all had ended after 4.0 s."
    assert f"Calls: 2. {told}" in page


def test_the_short_form_has_no_times():
    later = Call("再试", None, [Attempt(20, 21, 21, 429), Attempt(25, 26, 27, 200)])
    assert timeline(recorded(RETRIED)).text == timeline(recorded(later)).text
    assert timeline(recorded(RETRIED)).text == "calls: 1, answered: 1, retries: 1\n再试: 429, 200"


def test_a_call_that_is_still_open_lasts_until_now():
    now = time.perf_counter()
    opened = Call("开着", None, [Attempt(now - 2)])
    view = timeline(recorded(opened, Call("读着", None, [Attempt(now - 2, now - 1, None, 200)])))
    assert view.text.split("\n")[1:] == ["开着: still open", "读着: still open"]
    assert [kind for kind, *_ in parts(view)] == ["waiting", "waiting", "reading"]
    assert re.search(r"waiting for the answer 0\.0–\u2060[2-9]\.", view.html)
    # Nothing has ended yet, and nothing says so.
    assert re.search(r"Calls: 2; [2-9]\.\d\xa0s so far\.", view.html)
    assert "qwen-timeline-sums" not in view.html


def test_while_calls_are_under_way_what_is_shown_follows_them_to_their_end(monkeypatch):
    shown = []
    handle = SimpleNamespace(update=lambda bundle, raw: shown.append(bundle["text/plain"]))

    def display(bundle, raw, display_id):
        handle.update(bundle, raw)
        return handle

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr("qwen_lab.views.timeline.PAUSE", 0.01)
    attempt = Attempt(time.perf_counter())

    async def go():
        timeline(recorded(Call("问", None, [attempt])))._ipython_display_()
        await asyncio.sleep(0.1)
        attempt.status = 200
        attempt.end()
        await asyncio.sleep(0.1)
        return len(asyncio.all_tasks())

    assert asyncio.run(go()) == 1
    assert shown[0].endswith("问: still open") and shown[-1].endswith("问: 200")
    assert not hasattr(timeline(recorded(RETRIED)), "_ipython_display_")


def test_without_calls_it_says_what_to_do():
    assert timeline(Calls()).text.startswith("No calls yet")


def test_hostile_labels_are_only_shown():
    for hostile in HOSTILE:
        view = timeline(recorded(Call(hostile, None, [Attempt(1, error=hostile)])))
        check(view.html, "div p small span b details summary")
        assert "\ud800" not in view.text
