import html
import re
import tomllib

import pytest

from qwen_lab.views.html import (
    Html,
    View,
    breaking,
    brief,
    cards,
    in_line,
    marked,
    percent,
    sentence,
)
from qwen_lab.words import LANGUAGES, WORDS, printable, use

from .hostile import HOSTILE, check


@pytest.mark.parametrize("text", HOSTILE)
def test_html_shows_a_text_character_for_character(text):
    page = Html("<td>{}</td>").format(text)
    shown = page.removeprefix("<td>").removesuffix("</td>")
    assert not set("<>\"'") & set(shown)
    assert html.unescape(shown) == text.replace("\ud800", "\ufffd").replace("\udfff", "\ufffd")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_views_short_form_can_steer_no_terminal(text):
    assert repr(View(Html(""), text)) == printable(text)


def test_a_view_names_its_language_so_that_one_font_draws_all_of_a_text():
    for language, tag in (("zh", "zh-Hans"), ("en", "en")):
        use(language)
        assert f'<div class="qwen-view" lang="{tag}">' in sentence("，：")._repr_html_()


def test_html_stays_html_and_all_else_is_escaped_once():
    cell = Html("<td>{}</td>").format("<b>")
    assert Html("<tr>{}</tr>").format(cell) == "<tr><td>&lt;b&gt;</td></tr>"
    assert Html("").join([cell, "&"]) == "<td>&lt;b&gt;</td>&amp;"
    assert cell + "<" == "<td>&lt;b&gt;</td>&lt;"
    assert isinstance(cell + "<", Html)


@pytest.mark.parametrize("text", HOSTILE)
def test_each_cell_of_a_card_has_its_columns_head_and_both_are_only_text(text):
    page = cards([["a", 1, text]], "Name", "Count", text)
    check(page, "div table tr th td", "class data-head")
    assert '<tr><th>a</th><td data-head="Count">1</td><td data-head="' in page


def test_code_between_backticks_is_marked_and_all_else_escaped():
    assert marked("say `a<b` & `c`.") == "say <code>a&lt;b</code> &amp; <code>c</code>."
    assert marked("<plain>") == "&lt;plain&gt;"


@pytest.mark.parametrize(
    ("text", "shown"), [("", ""), ("秋天的诗", "秋天的诗"), ("秋天的小诗", "秋天的小…")]
)
def test_a_long_text_is_cut_with_an_ellipsis(text, shown):
    assert brief(text, 4) == shown


def test_where_a_poem_stands_in_one_line_a_sign_ends_each_of_its_lines():
    assert in_line("秋风 \n落叶\n\n尽", 99) == "秋风\u2060↵ 落叶\u2060↵↵ 尽"
    assert in_line("秋风\n落叶", 4) == "秋风\u2060↵ 落…"


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (1, "100.00\xa0%"),
        (0.9997, "99.97\xa0%"),
        (0.5, "50.00\xa0%"),
        (0.0123, "1.23\xa0%"),
        (0.00006, "0.01\xa0%"),
        (0.00004, "<\xa00.01\xa0%"),
        (0.0, "<\xa00.01\xa0%"),
    ],
)
def test_percentages_have_two_decimals_each_and_are_never_a_false_zero(probability, said):
    assert percent(probability) == said


def test_a_number_keeps_its_unit_on_a_page_and_its_short_form_has_ordinary_spaces():
    view = sentence(percent(0.5))
    assert "50.00\xa0%" in view.html and view.text == "50.00 %"


def test_a_date_is_not_torn_and_what_stands_beside_it_breaks_where_it_may():
    kept = '<span class="whole">2026-11-27</span>'
    assert breaking("qwen.A 2026-11-27 B.C", r"(?<=\.)") == f"qwen.<wbr>A {kept} B.<wbr>C"
    # Parts of an id look like a month.
    assert breaking("41035926-3b03-4101-81ec-9a0c") == "41035926-3b03-4101-81ec-9a0c"


def test_percentages_are_written_as_the_reader_writes_them(monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    assert percent(0.123) == "12.30%" and percent(1e-9) == "<0.01%"


@pytest.mark.parametrize("language", LANGUAGES)
def test_seconds_have_one_decimal_wherever_they_are_told(language):
    # An axis has round steps, and what is only about right has none.
    others = {"timeline.tick", "sweep.left"}
    for path in (WORDS / language).glob("*.toml"):
        for name, told in tomllib.loads(path.read_text("utf-8")).items():
            seconds = re.findall(r"[^ ]*\{\w+:[^}]*\}\s(?:s\b|秒)", str(told))
            found = set(re.findall(r":([^}]*)\}", "".join(seconds)))
            assert found <= {".1f"} or f"{path.stem}.{name}" in others, (path.stem, name)
