import re

import qwen_lab
from qwen_lab.course import lessons, log
from qwen_lab.paths import home

from ..views.hostile import HOSTILE, check


def lines():
    return qwen_lab.progress().text.splitlines()


def test_at_first_everything_is_open():
    first, *rows, _ = lines()
    assert re.fullmatch(r"0 of \d+ exercises passed", first)
    assert rows[0].startswith("01 Basic call: · · ·") and rows[0].endswith("–")


def test_every_lesson_with_exercises_has_a_row():
    numbers = [row[:2] for row in lines()[1:-1]]
    assert numbers == [name[:2] for name in lessons.names("en") if name[:2] != "00"]


def test_what_passed_and_what_was_tried_can_be_told_apart_without_colour():
    log.note_exercise("01.1", "passed")
    log.note_exercise("01.2", "wrong")
    log.note_quiz("01", 2)
    assert lines()[0].startswith("1 of ") and lines()[1] == "01 Basic call: ✓ ✗ ·  2/3"
    html = qwen_lab.progress().html
    assert 'title="01.1: passed" aria-label="01.1: passed">✓' in html and "1/3" in html
    assert 'title="01.2: tried and not yet right"' in html


def test_a_row_leads_to_its_lesson():
    assert '<a href="01_basic_call.ipynb">01 Basic call</a>' in qwen_lab.progress().html


def test_it_says_what_comes_next_until_all_is_done():
    numbers = [f"01.{number}" for number in (1, 2, 3)]
    for number in numbers:
        assert lines()[-1] == f"Next: 01 Basic call, exercise {number}"
        log.note_exercise(number, "passed")
    assert lines()[-1] == "Next: 01 Basic call, the quiz at its end"
    log.note_quiz("01", 0)
    assert lines()[-1] == "Next: 02 Parameters, exercise 02.1"
    assert '<a href="02_parameters.ipynb">Next: 02' in qwen_lab.progress().html
    for at in range(2, 8):
        log.note_quiz(f"0{at}", 3)
        for exercise in range(1, 10):
            log.note_exercise(f"0{at}.{exercise}", "passed")
    assert lines()[-1].startswith("07 ")


def test_it_speaks_the_language_in_use(monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    assert "基本调用" in lines()[1] and "练习通过 0 道" in lines()[0]


def test_a_file_that_was_tampered_with_does_no_harm():
    home().mkdir()
    for text in HOSTILE:
        log._note("exercises", "01.1", text)
        log._note("quizzes", "01", text)
        attributes = "class style title role aria-label href"
        check(qwen_lab.progress().html, "div p table tr th td a b small span", attributes)
