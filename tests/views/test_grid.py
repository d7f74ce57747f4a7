import html
import re

from qwen_lab import words
from qwen_lab.views.grid import grid
from qwen_lab.watch.sweep import Answer, figures

from .hostile import HOSTILE, check


def answers(*texts, reason="stop", **setting):
    return [Answer({**setting, "seed": n}, words, reason) for n, words in enumerate(texts)]


def seen(page):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"(?s)<[^>]*>", " ", page)))


HEAT = [
    *answers("一样", "一样", temperature=0),
    *answers("一样", "不同", temperature=0.7),
    *answers("很长" * 60, "也很长" * 40, reason="length", temperature=1.5),
]


def test_each_setting_is_a_row_and_each_seed_a_column():
    page = seen(grid(figures(HEAT)).html)
    assert "seed=0 seed=1 temperature=0 ■□ 1 of 2 A 一样 A 一样 temperature=0.7 ■■ 2 of 2 A" in page
    assert words.say("sweep.same") in page


def test_what_all_settings_share_stands_once_above_them():
    found = [*answers("一", temperature=0, top_k=5), *answers("二", temperature=1, top_k=5)]
    page = seen(grid(figures(found)).html)
    title = " In all of them: top_k=5 Setting Different answers seed=0 "
    assert page.startswith(title + "temperature=0 ■ 1 of 1 A 一")
    assert page.count("top_k=5") == 1
    alone = seen(grid(figures(answers("一", top_k=5))).html)
    assert "Setting Different answers seed=0 top_k=5 ■ 1 of 1 A 一" in alone


def test_an_answer_that_was_cut_says_so_and_a_long_one_is_folded_whole():
    page = grid(figures(HEAT)).html
    assert page.count("✂ cut off") == 2 and "<pre>" + "很长" * 60 + "</pre>" in page


def test_a_poem_has_its_lines_in_a_cell_and_stays_as_it_is_where_it_is_opened():
    short, long = "秋风\n落叶", "秋风\n" * 60
    page = grid(figures(answers(short, long, temperature=1))).html
    assert "秋风\u2060↵ 落叶" in page and f"<pre>{long}</pre>" in page
    assert page.count("<pre>") == 1


def test_a_long_answer_is_not_cut_within_a_word_where_it_has_some():
    page = seen(grid(figures(answers("autumn leaves " * 20, "x" * 99, temperature=1))).html)
    assert "autumn leaves … " in page and "x" * 90 + "…" in page


def test_the_figures_are_open_where_the_squares_are_the_same_for_every_setting():
    alike = [*answers("一", "二", temperature=0), *answers("三", "四", temperature=1)]
    assert "<details open>" in grid(figures(alike)).html
    assert "<details open>" not in grid(figures(alike[:2])).html
    assert "<details open>" not in grid(figures(HEAT)).html


def test_the_figures_stand_below_with_what_they_mean():
    page = seen(grid(figures(HEAT)).html)
    assert "temperature=0 1 of 2 2 0.50 0.50 1.00 stop × 2" in page
    for name in ("distinct_1", "distinct_2", "overlap"):
        assert words.say(f"sweep.{name}_means") in page


def test_a_square_is_an_answer_and_a_full_one_differs_from_all_before_it():
    failed = Answer({"temperature": 1, "seed": 3}, error="429: x")
    page = grid(figures([*answers("一", "二", "一", temperature=1), failed])).html
    assert 'role="img" aria-label="2 of 3">■■□</span> 2 of 3' in page
    assert re.findall(r'<td data-head="seed=\d"><b class="(\w*)">(\w)</b>', page) == [
        ("new", "A"),
        ("new", "B"),
        ("", "A"),
    ]


def test_what_is_still_to_come_and_what_failed_has_its_place():
    found = [
        *answers("一", "二", temperature=0),
        Answer({"temperature": 1, "seed": 0}, error="429: x"),
    ]
    assert "temperature=1 — ✗ 429: x …" in seen(grid(figures(found)).html)
    # There are no figures of what did not come.
    assert "temperature=1 — — — — — error × 1" in seen(grid(figures(found)).html)


def test_settings_and_seeds_have_their_rows_and_columns_before_their_answers_come():
    settings = [{"temperature": heat, "seed": n} for heat in (0, 1) for n in (0, 1)]
    page = seen(grid(figures(answers("一", temperature=0), settings), (0, 1)).html)
    assert "seed=0 seed=1 temperature=0 ■ 1 of 1 A 一 … temperature=1 — … …" in page


def test_the_short_form_counts_the_different_answers():
    assert grid(figures(HEAT)).text.split("\n")[:2] == [
        "temperature=0: Different answers 1 of 2",
        "temperature=0.7: Different answers 2 of 2",
    ]
    assert grid([]).text == "No answers yet."


def test_hostile_answers_are_only_shown():
    tags = "div table tr th td b span details summary pre p small ul li"
    for hostile in HOSTILE:
        found = [Answer({"stop": [hostile], "seed": 0}, hostile, hostile)]
        found.append(Answer({"stop": [hostile], "seed": 1}, error=hostile))
        found.append(Answer({"stop": [hostile, "x"], "seed": 0}, hostile, "length"))
        view = grid(figures(found))
        check(view.html, tags, "class style role aria-label open data-head")
        assert "\ud800" not in view.text
