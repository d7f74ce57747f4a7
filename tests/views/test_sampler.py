"""The sampler's picture: every candidate and stage says in words what it shows."""

import html
import re

import numpy
import pytest

from qwen_lab.views.html import percent
from qwen_lab.views.sampler import ROWS, sampler, token_name
from qwen_lab.watch.next_token import listed
from qwen_lab.watch.sampling import Settings, stages
from tests.views.hostile import HOSTILE, check


@pytest.fixture
def found():
    """Three thousand tokens, of which a hundred are listed; the context has the second, twice."""
    logits = -0.4 * numpy.arange(3000) ** 0.6
    logprobs = logits - numpy.log(numpy.exp(logits).sum())
    rows = [(n, b"t%d" % n, logprob) for n, logprob in enumerate(logprobs)]
    return listed(rows, [1, 1, 5_000], 2, 8.0).first(100)


def rows(view):
    """Each row as name, note and figure, and whether it is drawn as cut."""
    found = re.findall(r'<div class="row ([^"]*)">(.*?)</div>', view.html, re.S)
    parts = r'class="name">(.*?)</span>.*<small.*?>(.*?)</small>.*class="figure">(.*?)</span>'
    return [
        (*map(html.unescape, re.search(parts, row, re.S).groups()), "cut" in kind)
        for kind, row in found
    ]


def widths(view):
    return [float(width) for width in re.findall(r"width:([\d.]+)%", view.html)]


def test_each_candidate_has_its_probability_now_and_the_models_as_a_mark(found):
    view, last = sampler(found, Settings(temperature=0.5)), stages(found, Settings(0.5))[-1]
    assert rows(view)[0] == ("t0", "", percent(last.probabilities[0]), False)
    assert len(rows(view)) == ROWS + 1
    # Its axis ends at half of it all.
    assert re.findall(r'left:([\d.]+)%">([\d.]+)', view.html)[:3] == [
        ("0", "0"),
        ("50", "25"),
        ("100", "50"),
    ]
    assert widths(view)[0] == pytest.approx(200 * last.probabilities[0], abs=0.05)
    assert f"left:{200 * numpy.exp(found.logprobs[0]):.1f}%" in view.html


def test_all_the_others_have_one_row(found):
    *listed_rows, others = rows(sampler(found, Settings()))
    now = percent(1 - numpy.exp(found.logprobs[:ROWS].astype(float)).sum())
    assert others == ("2,988 others", "", now, False)


@pytest.mark.parametrize(
    ("settings", "stage"),
    [
        (Settings(top_k=3), "top_k"),
        (Settings(top_p=0.05), "top_p"),
        (Settings(temperature=0), "temperature"),
    ],
)
def test_what_is_cut_says_by_what_and_still_shows_what_it_had(found, settings, stage):
    view = sampler(found, settings)
    told = stages(found, settings)
    kept = told[-1].tokens
    assert [f"cut by {stage}" in note for _, note, *_ in rows(view)[:ROWS]] == (
        [False] * kept + [True] * (ROWS - kept)
    )
    assert rows(view)[-1][1:] == (f"cut by {stage}", "0\xa0%", True)
    assert sum(cut for *_, cut in rows(view)) == ROWS + 1 - kept
    end = float(re.search(r'class="end".*?>(\d+)', view.html)[1]) / 100
    had = told[1].probabilities[ROWS - 1] / end
    assert widths(view)[ROWS - 1] == pytest.approx(100 * had, abs=0.06)
    key = re.findall(r'class="key-(\w+)"', view.html)
    assert key == ["now", "raw", "cut"] and "cut" not in str(sampler(found, Settings()).html)


def test_a_candidate_of_the_context_says_how_often_it_occurs(found):
    notes = [note for _, note, *_ in rows(sampler(found, Settings()))]
    assert notes[:3] == ["", "2 × in the text", ""]


def test_a_word_of_the_system_message_alone_is_said_to_stand_there():
    names = [b"<|im_start|>", b"system", b"You", b"sea", b"user"]
    rows = [(n, name, -0.5 * n - 1) for n, name in enumerate(names)]
    for context, note in (
        ([0, 1, 2, 0, 4, 3], "1 × in the system message"),
        ([0, 1, 2, 0, 4, 2, 3], "2 × in the text"),
        # What begins otherwise has no system message that is known.
        ([0, 4, 2, 0, 4, 3], "1 × in the text"),
        ([2], "1 × in the text"),
        ([], ""),
    ):
        found = listed(rows, context, len(context), 1.0)
        assert rows_of(sampler(found, Settings()))["You"] == note, context


def rows_of(view):
    return {name: note for name, note, *_ in rows(view)}


def test_the_others_bar_is_as_long_on_the_axis_as_they_are_likely(found):
    view = sampler(found, Settings(temperature=1.9))
    full = int(re.search(r'class="end"[^>]*>(\d+)', view.html)[1])
    share = float(rows(view)[-1][2].rstrip("\xa0%"))
    width = re.findall(r'class="now" style="width:([\d.]+)%', view.html)[-1]
    assert share <= full and float(width) == pytest.approx(100 * share / full, abs=0.1)


def test_what_the_penalties_lower_says_so(found):
    settings = Settings(top_k=3, presence_penalty=2, frequency_penalty=2)
    notes = rows_of(sampler(found, settings))
    assert notes["t1"] == "2 × in the text: lowered, cut by top_k"
    assert notes["t5"] == "cut by top_k"
    # A bar beyond the model's own is not lower, nor is what stands beside one that was raised.
    colder = rows_of(sampler(found, Settings(temperature=0.7, repetition_penalty=1.01)))
    assert colder["t1"] == "2 × in the text"
    assert rows_of(sampler(found, Settings(top_k=1, presence_penalty=-2)))["t0"] == "cut by top_k"


def test_a_rare_token_that_is_lifted_gets_a_row():
    found = listed([(n, b"t%d" % n, -0.05 * n - 3) for n in range(200)], [150], 1, 3.0)
    assert "t150" not in str(rows(sampler(found, Settings())))
    assert rows(sampler(found, Settings(frequency_penalty=-9)))[ROWS - 1][0] == "t150"


def test_it_says_that_it_is_a_picture_and_of_which_settings(found):
    view = sampler(found, Settings(temperature=0.5))
    assert "A picture of the sampler" in view.html and "temperature=0.5, top_p=1" in view.html


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        (b" the", "␣the"),
        (b"\n\n", "↵↵"),
        (b"\xe7\xa7", "⟨E7 A7⟩"),
        (b"", "special token 9"),
        ("\u202e".encode(), "⟨202E⟩"),
        ("\u0301".encode(), "◌\u0301"),
        (b"x" * 99, "x" * 24 + "…"),
        ("秋天".encode(), "秋天"),
    ],
)
def test_a_token_is_shown_in_one_short_line(token, shown):
    assert token_name(token, 9) == shown


def test_no_token_becomes_a_tag():
    tags = "div span i small p"
    for text in HOSTILE:
        token = text.encode(errors="replace")
        found = listed([(1, token, -0.1), (2, token[::-1], -3.0)], [1], 1, 1.0)
        check(sampler(found, Settings()).html, tags, "class style scope")


def test_its_text_is_short_and_stable(found):
    view = sampler(found, Settings(top_k=2))
    assert repr(view) == "t0 59.87 %, t1 40.13 % … 2 tokens may be drawn"


def test_it_speaks_chinese(found, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    view = sampler(found, Settings(top_k=2))
    assert "被 top_k 排除" in view.html and "2 个 token 可能被抽到" in view.text
