import re

import numpy
import pytest

import qwen_lab
from qwen_lab.watch.next_token import listed
from qwen_lab.watch.sampling import Settings, stages

from .hostile import HOSTILE, check
from .test_grid import seen


@pytest.fixture
def found():
    logprobs = -0.4 * numpy.arange(300.0)
    logprobs -= numpy.log(numpy.exp(logprobs).sum())
    rows = [(n, b"t%d" % n, logprob) for n, logprob in enumerate(logprobs)]
    return listed(rows, [1], 1, 1.0).first(50)


def columns(view):
    """The rows of the short form as (name, cells)."""
    lines = [line.rsplit("  ", 1) for line in view.text.splitlines()]
    return {name: cells.replace(" %", "%").split() for cells, name in lines}


def test_each_setting_is_a_column_with_the_chances_it_gives(found):
    hot, cut = {"temperature": 1.9}, {"temperature": 1.9, "top_k": 3}
    view = qwen_lab.odds(found, hot, cut, {})
    rows = columns(view)
    assert rows["temperature"] == ["1.9", "1.9"] and rows["top_k"] == ["3"]
    last = stages(found, Settings(**hot))[-1]
    assert rows["t0"] == ["18.98%", "40.54%", "32.97%"]
    assert float(rows["t0"][0].rstrip("%")) == pytest.approx(100 * last.probabilities[0], abs=0.005)
    assert rows["t3"][1] == "0%" and "t5" not in rows
    assert "<p>How likely each token is to come next, setting by setting.</p>" in view.html
    # What a setting leaves out is off.
    told = re.findall(r'<td data-name="temperature">(.*?)<', view.html)
    assert told == ["1.9", "1.9", "off"]


def test_the_others_have_the_rest_and_the_last_row_counts_who_may_be_drawn(found):
    view = qwen_lab.odds(found, {}, {"top_k": 5}, {"temperature": 0}, most=5)
    rows = columns(view)
    listed_part = sum(float(rows[f"t{n}"][0].rstrip("%")) for n in range(5))
    assert float(rows["all other tokens"][0].rstrip("%")) == pytest.approx(
        100 - listed_part, abs=0.1
    )
    assert rows["all other tokens"][1:] == ["0%", "0%"]
    assert rows["tokens in the draw"] == ["300", "5", "1"]
    assert "tokens in the draw 300 5 1" in seen(view.html)


def test_on_the_page_all_figures_have_as_many_decimals_and_a_bar_of_their_length(found):
    page = qwen_lab.odds(found, {"temperature": 0.05}, {"top_k": 3}).html
    cells = re.findall(r'style="--p:(.*?)">(.*?)</td>', page)
    for share, told in cells:
        figure = told.replace("\xa0", " ")
        assert figure in (f"{100 * float(share):.2f} %", "&lt; 0.01 %", "0 %")
    told = {figure.replace("\xa0", " ") for _, figure in cells}
    assert {"&lt; 0.01 %", "0 %"} < told


def test_a_cold_draw_shows_no_false_zero(found):
    assert columns(qwen_lab.odds(found, {"temperature": 0.01}))["t4"] == ["<", "0.01%"]


def test_penalties_move_what_was_met(found):
    rows = columns(qwen_lab.odds(found, {}, {"presence_penalty": 2}))
    assert float(rows["t1"][1].rstrip("%")) < float(rows["t1"][0].rstrip("%"))


def test_no_setting_is_the_models_own_odds(found):
    assert qwen_lab.odds(found).text == qwen_lab.odds(found, {}).text
    assert "32.97 %" in qwen_lab.odds(found).text


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"temp": 1}, "'temp' doesn't change the odds. These do: temperature, top_p, top_k, "),
        ({"max_tokens": 5}, "'max_tokens' doesn't change the odds. These do: temperature, "),
        ({"temperature": "hot"}, r"temperature is 'hot'; it must be float in \[0, 2\)"),
        ({"temperature": 5}, r"temperature is 5; it must be float in \[0, 2\)"),
        ({"top_p": 1, "temperature": -1}, r"temperature is -1; it must be float in \[0, 2\)"),
        ({"top_k": 2.5}, r"top_k is 2.5; it must be int in \[0, ∞\)"),
    ],
)
def test_what_cannot_be_set_is_an_error_that_says_what_can(found, setting, sentence):
    with pytest.raises(ValueError, match=sentence):
        qwen_lab.odds(found, {}, setting)


def test_it_says_what_it_takes(found, lab):
    for wrong in [(lab, {}), (found, 1), (found, [{}])]:
        with pytest.raises(
            TypeError, match=r"what lab.next_token\(messages\) returned, then .*dict"
        ):
            qwen_lab.odds(*wrong)


def test_without_the_local_qwen_it_says_so(found, monkeypatch):
    assert qwen_lab.odds(None, {}).text == (
        "This table of chances needs the probabilities of all tokens, and only the local Qwen "
        'gives them. Connect with qwen_lab.connect("local"), then run the cells again.'
    )
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    assert "参加抽取的 token 数" in qwen_lab.odds(found, {}).text


def test_hostile_tokens_are_only_shown():
    for text in HOSTILE:
        token = text.encode(errors="replace")
        found = listed([(1, token, -0.1), (2, token[::-1], -3.0)], [1], 1, 1.0)
        check(qwen_lab.odds(found, {}).html, "div p table tr th td code", "class style data-name")
