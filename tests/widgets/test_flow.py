import html
import re

import pytest

from qwen_lab.widgets.flow import SIZE, Flow, blocks

FAMILY, ACCENT = "👩\u200d👩\u200d👧\u200d👦", "e\u0301"
SPACED = ["word " * 900, "line\n" * 900]
UNSPACED = ["字" * 4_000, "x" * 4_000, FAMILY * 400, ACCENT * 2_000, "a" + "\u200d" * 4_000]


def seen(flow):
    return html.unescape(re.sub(r"<[^>]*>", "", flow.value))


@pytest.mark.parametrize("text", SPACED + UNSPACED)
def test_blocks_are_the_text_and_stay_as_it_grows(text):
    before = []
    for length in range(0, len(text), 97):
        pieces = blocks(text[:length])
        assert "".join(pieces) == text[:length]
        assert pieces[: len(before) - 1] == before[:-1]
        assert all(len(piece) <= 2 * SIZE for piece in pieces)
        before = pieces


@pytest.mark.parametrize(("text", "sign"), [(FAMILY * 400, FAMILY), (ACCENT * 2_000, ACCENT)])
def test_no_character_is_cut(text, sign):
    assert all(piece.replace(sign, "") == "" for piece in blocks(text))


def test_a_growing_text_sends_its_last_block_only():
    flow, sent = Flow(), 0
    text = "a word and another\n" * 400
    for length in range(0, len(text), 20):
        before = [block.value for block in flow.children]
        flow.show(text[:length], running=True)
        sent += sum(len(block.value) for block in flow.children if block.value not in before)
    assert sent / (len(text) / 20) < 3 * SIZE


def test_a_shorter_text_takes_the_blocks_away():
    flow = Flow()
    flow.show("x" * 5_000)
    flow.show("好")
    assert len(flow.children) == 1 and seen(flow) == "好"


def test_it_says_when_more_is_to_come():
    flow = Flow()
    flow.show("a", running=True)
    assert 'aria-busy="true"' in flow.value
    flow.show("a")
    assert 'aria-busy="false"' in flow.value


def test_before_an_answer_it_says_so_and_where_nothing_came_there_is_no_empty_box():
    flow = Flow()
    assert seen(flow) == "Your latest answer will show up here."
    flow.show("", running=True)
    assert flow.layout.display is None
    flow.show("")
    assert flow.layout.display == "none"
    flow.show("a")
    assert flow.layout.display is None
