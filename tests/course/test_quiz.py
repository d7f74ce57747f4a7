import re

import pytest

from qwen_lab import quiz
from qwen_lab.course import lessons, log
from qwen_lab.course import quiz as quizzes
from qwen_lab.words import LANGUAGES, LabError

from ..views.hostile import HOSTILE, check

LESSONS = [name[:2] for name in lessons.names("en") if name[:2] != "00"]


def read(lesson, language, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", language)
    return quizzes.read(lesson)


def right(question):
    return [at for at, choice in enumerate(question["choices"], 1) if choice.get("right")]


def test_every_lesson_has_a_quiz():
    assert quizzes.names() == LESSONS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_quiz_has_three_questions_with_one_right_choice_each(lesson, language, monkeypatch):
    questions = read(lesson, language, monkeypatch)
    assert len(questions) == 3
    for question in questions:
        assert question["text"] and 3 <= len(question["choices"]) <= 4
        assert len(right(question)) == 1
        assert all(choice["text"] and len(choice["why"]) > 8 for choice in question["choices"])
        assert len({choice["text"] for choice in question["choices"]}) == len(question["choices"])


@pytest.mark.parametrize("lesson", LESSONS)
def test_both_editions_ask_the_same(lesson, monkeypatch):
    english, chinese = (read(lesson, language, monkeypatch) for language in ("en", "zh"))
    for one, two in zip(english, chinese, strict=True):
        assert right(one) == right(two) and len(one["choices"]) == len(two["choices"])


def test_the_right_choices_do_not_all_stand_in_one_place(monkeypatch):
    places = [right(question)[0] for lesson in LESSONS for question in quizzes.read(lesson)]
    assert max(map(places.count, places)) <= len(places) * 0.6


def test_a_choice_says_whether_it_is_right_and_why():
    box = quiz("01").questions[0]
    box.choose(1)
    wrong, right, *others = (why.value for why in box.whys)
    assert 'class="qwen-outcome wrong"' in wrong and "not why the text ended" in wrong
    assert 'class="qwen-outcome passed"' in right and "✓" in right and "✗" in wrong
    assert [button.description[0] for button in box.buttons[:2]] == ["✗", "✓"]
    # Green, but not the learner's own: the score has it among the wrong ones.
    assert "<b>The right one</b>" in right
    box = quiz("01").questions[0]
    box.choose(2)
    assert "<b>Right</b>" in box.whys[1].value
    # What was not chosen is explained, but it is no fault of anybody's.
    assert all(other and "qwen-outcome" not in other for other in others)


def test_a_decided_question_is_closed():
    box = quiz("01").questions[0]
    box.choose(1)
    assert all(button.disabled for button in box.buttons)
    box.choose(2)
    assert box.first == 1 and not box.right


def test_a_button_chooses():
    box = quiz("01").questions[0]
    box.buttons[1].click()
    assert box.first == 2 and box.right


def test_the_first_choices_count_and_go_into_the_log_once_all_are_made():
    box = quiz("01")
    for question, choice in zip(box.questions, (1, 3), strict=False):
        question.choose(choice)
    box.questions[0].choose(2)
    assert box.score is None and log.read()["quizzes"] == {}
    box.questions[2].choose(1)
    assert box.score == 2 and log.read()["quizzes"] == {"01": 2}
    assert "2 of 3" in box.children[-1].value


def test_its_text_is_short_and_stable():
    assert (
        repr(quiz(1)) == repr(quiz("1")) == repr(quiz("01")) == "Quiz(01): run this cell to see it"
    )


def test_code_is_marked_and_a_button_shows_no_backticks():
    questions = quiz("01").questions
    assert all("`" not in b.description for question in questions for b in question.buttons)
    assert re.search("<code>client</code>|<code>messages</code>", _why(questions[1], 3))


def _why(question, choice):
    question.choose(choice)
    return question.whys[choice - 1].value


def test_a_question_is_only_text():
    for text in HOSTILE:
        choices = [{"text": text, "why": text, "right": True}]
        box = quizzes.Question(1, {"text": text, "choices": choices}, lambda: None)
        box.choose(1)
        for part in (box.children[0].value, box.whys[0].value):
            # What remains are our own tags.
            check(part, "b div code span", "class style role")


def test_a_lesson_without_a_quiz_is_told_which_have_one():
    with pytest.raises(LabError, match=r"no quiz 00.*01"):
        quiz("00")
