import re

import pytest

from qwen_lab.views.axis import Axis, lane, legend

from .hostile import HOSTILE, check


def placed(page):
    """Each part that is drawn: its kind, its beginning and its length, in percent of the axis."""
    found = re.findall(r'"qwen-part (\w+)" style="right:([\d.]+)%;width:([\d.]+)%', page)
    numbers = [(kind, float(right), float(width)) for kind, right, width in found]
    return [
        (kind, round(100 - right - width, 1), round(width, 1)) for kind, right, width in numbers
    ]


@pytest.mark.parametrize(
    ("seconds", "steps"),
    [(0.001, 0.0002), (0.37, 0.08), (1, 0.2), (1.01, 0.25), (5, 1), (6.1, 1.5), (90, 20)],
)
def test_five_round_steps_hold_all_and_not_much_more(seconds, steps):
    ticks = re.findall("<small>(.*?)</small>", Axis(seconds, "{:g}".format).head)
    # The end is one of them.
    assert ticks == [f"{steps * at:g}" for at in range(6)]
    assert seconds <= 5 * steps <= 1.34 * seconds


def test_a_part_lies_where_its_seconds_are_and_is_held_at_its_end():
    part = Axis(5, str).part("waiting", 1, 2.5)
    assert part == '<div class="qwen-part waiting" style="right:50.00%;width:30.00%"></div>'


def test_a_part_that_would_end_before_it_begins_has_no_length():
    assert "width:0.00%" in Axis(5, str).part("waiting", 0, -0.1)


def test_hostile_names_are_only_shown():
    for hostile in HOSTILE:
        check(lane(hostile, "") + legend({hostile: hostile}), "span div p small")
