"""The sampler's picture: every candidate and stage says in words what it shows."""

import html
import re

import numpy
import pytest

from qwen_lab.views.html import percent
from qwen_lab.views.sampler import sampler, token_name
from qwen_lab.watch.next_token import listed
from qwen_lab.watch.sampling import Settings, draw, stages
from tests.views.hostile import HOSTILE, check


@pytest.fixture
def found():
    """Three thousand tokens, of which a hundred are listed; the context has the second, twice."""
    logits = -0.4 * numpy.arange(3000) ** 0.6
    logprobs = logits - numpy.log(numpy.exp(logits).sum())
    rows = [(n, b"t%d" % n, logprob) for n, logprob in enumerate(logprobs)]
    return listed(rows, [1, 1, 5_000], 2, 8.0).first(100)


def cells(view):
    """The table's rows as words; bars have none."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", view.html, re.S)
    return [
        [html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<td>(.*?)</td>", row)]
        for row in rows[1:]
    ]


def lines(view):
    return [html.unescape(line) for line in re.findall(r"<li>(.*?)</li>", view.html)]


def test_each_candidate_has_its_probability_before_and_now(found):
    view, last = sampler(found, Settings(temperature=0.5)), stages(found, Settings(0.5))[-1]
    first = cells(view)[0]
    assert first[0] == "1. t0" and len(cells(view)) == 17
    assert first[2:] == [percent(numpy.exp(found.logprobs[0])), percent(last.probabilities[0])]


def test_all_the_others_have_one_row(found):
    *listed_rows, (title, note, before, now) = cells(sampler(found, Settings()))
    assert (title, note) == ("2,984 other tokens", "2,984 of them may still be drawn")
    assert before == now == percent(1 - numpy.exp(found.logprobs[:16].astype(float)).sum())


@pytest.mark.parametrize(
    ("settings", "stage"),
    [
        (Settings(top_k=3), "top_k"),
        (Settings(top_p=0.05), "top_p"),
        (Settings(temperature=0), "temperature"),
    ],
)
def test_what_is_cut_says_by_what_and_is_drawn_another_way(found, settings, stage):
    view = sampler(found, settings)
    kept = stages(found, settings)[-1].tokens
    assert [f"cut by {stage}" in row[1] for row in cells(view)[:16]] == [False] * kept + [True] * (
        16 - kept
    )
    assert cells(view)[-1][1] == "0 of them may still be drawn"
    assert view.html.count('class="cut"') == 17 - kept


def test_a_candidate_of_the_context_says_how_often_it_occurs(found):
    assert [row[1] for row in cells(sampler(found, Settings()))[:3]] == [
        "",
        "occurs 2 × before",
        "",
    ]


def test_a_rare_token_that_is_lifted_gets_a_row():
    rows = [(n, b"t%d" % n, -0.05 * n - 3) for n in range(200)]
    found = listed(rows, [150], 1, 3.0)
    assert "t150" not in str(cells(sampler(found, Settings())))
    assert cells(sampler(found, Settings(frequency_penalty=-9)))[-2][0] == "16. t150"


def test_every_stage_says_what_it_does_with_its_numbers(found):
    told = lines(sampler(found, Settings(1.5, 0.5, 40, 1.2)))
    starts = ["raw: 3,000 tokens", "penalties: applied to 1 listed", "temperature 1.5 evens"]
    starts += ["top_k 40: keeps 40 of 3,000", "top_p 0.5: keeps", "drawn: one of "]
    assert len(told) == 6
    for line, start in zip(told, starts, strict=True):
        assert line.startswith(start)
    last = stages(found, Settings(1.5, 0.5, 40, 1.2))[-1]
    assert f"The nucleus is {last.tokens} of 40 tokens with {percent(last.mass)}" in told[4]


def test_what_is_off_says_so(found):
    told = lines(sampler(found, Settings()))
    for line in (told[1], told[3], told[4]):
        assert "off" in line
    assert told[2] == "temperature 1: nothing changes." and "are cut" not in " ".join(told)


def test_draws_stand_beside(found):
    draws = draw(stages(found, Settings())[-1], 1000, numpy.random.default_rng(1))
    rows = cells(sampler(found, Settings(), draws=draws))
    assert [int(row[4].replace(",", "")) for row in rows[:16]] == draws[:16].tolist()
    assert sum(int(row[4].replace(",", "")) for row in rows) == 1000


def test_a_tail_that_is_still_being_counted_is_said(found):
    view = sampler(found, Settings(), counting=True)
    assert "still being counted" in view.html and "others so far" in cells(view)[-1][0]


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
    tags = "div table thead tbody tr th td code b small ol li"
    for text in HOSTILE:
        token = text.encode(errors="replace")
        found = listed([(1, token, -0.1), (2, token[::-1], -3.0)], [1], 1, 1.0)
        check(sampler(found, Settings()).html, tags, "class style scope")


def test_its_text_is_short_and_stable(found):
    view = sampler(found, Settings(top_k=2))
    assert repr(view) == "t0 59.9 %, t1 40.1 % … 2 tokens may be drawn"


def test_it_speaks_chinese(found, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    view = sampler(found, Settings(top_k=2))
    assert "被 top_k 排除" in view.html and "2 个 token 可能被抽到" in view.text
