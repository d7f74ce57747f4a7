import html
import re

import pytest

from qwen_lab.views.difference import difference
from qwen_lab.words import say

from .hostile import HOSTILE, check
from .test_tokens import row
from .test_xray import answer


def marked(view):
    return [html.unescape(word) for word in re.findall(r"<mark>(.*?)</mark>", view.html, re.S)]


@pytest.mark.parametrize(
    ("a", "b", "begins", "words"),
    [
        ("ab wonderful cd", "ab wonder, cd", "They begin alike", [" wonderful", " wonder"]),
        ("秋风起", "秋雨落", "They begin alike", ["风", "雨"]),
        ("cafe\u0301!", "cafe", "They differ from the first word", ["cafe\u0301", "cafe"]),
        ("一样的开头", "一样", "The same for 2 characters", ["的"]),
        ("", "有", "The same for 0 characters", ["有"]),
        ("ab cd", "xy", "They differ from the first word", ["ab", "xy"]),
    ],
)
def test_texts_part_at_a_word_or_a_sign(a, b, begins, words):
    view = difference(a, b)
    assert view.text.startswith(begins) and marked(view) == words


def test_where_one_ends_the_words_say_which_and_how_the_other_goes_on():
    there = "There “{}” ends; “{}” goes on with “的”."
    assert difference("一样的", "一样").text.endswith(there.format("B", "A"))
    assert difference("一样", "一样的", labels=("1", "2")).text.endswith(there.format("1", "2"))


def test_beside_a_text_an_answer_with_tokens_parts_at_a_word_and_loses_no_letter():
    a = answer(row("fall", 0.9), row("'s", 0.5), row(" breath", 0.5))
    view = difference(a, "fall' end")
    assert marked(view) == ["s", " end"]
    assert "fall's breath" in html.unescape(re.sub(r"<[^>]*>", "", view.html))


def test_the_same_answers_say_so():
    view = difference("一样", "一样")
    assert view.text == "Both answers are the same, 2 characters." and marked(view) == []


def test_with_logprobs_the_fork_tells_what_was_likely_in_both():
    tops = [("秋", 0.6), ("春", 0.3)]
    a = answer(row("是", 0.9), row("秋", 0.6, top=tops))
    b = answer(row("是", 0.9), row("冬", 0.05, top=tops))
    view = difference(a, b, labels=("T=0", "T=1.5"))
    assert marked(view) == ["秋", "冬"]
    told = "“秋” 60.00 %; “冬” 5.00 % (only “T=1.5” lists it, as it chose it)."
    assert f"Probability there: {told}" in view.text.split("\n")


def test_where_both_round_otherwise_each_figure_says_whose_it_is():
    a = answer(row("是", 0.9), row("秋", 0.61, top=[("秋", 0.61), ("冬", 0.3)]))
    b = answer(row("是", 0.9), row("冬", 0.3, top=[("秋", 0.62), ("冬", 0.3)]))
    told = "Probability there: “秋” 61.00 % (A), 62.00 % (B); “冬” 30.00 %."
    assert told in difference(a, b).text.split("\n")


def test_where_both_give_the_same_probabilities_they_are_said_once():
    tops = [("秋", 0.6), ("冬", 0.3)]
    a, b = (answer(row("是", 0.9), row(*each, top=tops)) for each in tops)
    told = difference(a, b, labels=("T=0", "T=1.5")).text.split("\n")
    assert told[1:] == [
        "Probability there: “秋” 60.00 %; “冬” 30.00 %.",
        say("difference.own"),
    ]


def test_tokens_that_spell_alike_part_where_the_tokens_do():
    a = answer(row("一", 0.9), row("二三", 0.5))
    b = answer(row("一二", 0.1), row("四", 0.5))
    assert marked(difference(a, b)) == ["一", "一二"]


def test_every_character_of_both_stands_in_the_view():
    page = difference("一二三四", "一二五六").html
    for text in ("一二", "三", "四", "五", "六"):
        assert text in page


def test_hostile_text_is_only_shown():
    for hostile in HOSTILE:
        for view in (
            difference(hostile, "a"),
            difference("a", f"a{hostile}", labels=[hostile] * 2),
        ):
            check(view.html, "p div b span mark")
            assert "\ud800" not in view.text
