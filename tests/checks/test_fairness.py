"""The checks judge every answer of the fairness bench rightly, in both languages."""

import gc
from collections import Counter

import pytest

from qwen_lab.course import lessons, record
from qwen_lab.course.exercises import exercises

from .fairness import answers
from .fairness.answers import HERE, Answer

LESSONS = [name[:2] for name in lessons.names("en")][1:]
ENOUGH, BY_READERS = 6, 3


@pytest.fixture
def on_tape(monkeypatch):
    """Give a function that lets the lab play the tape of a lesson's answers."""

    def play(lesson):
        for name, value in record.replaying(HERE / f"{lesson}.jsonl").items():
            monkeypatch.setenv(name, value)

    return play


# Some wrong answers forget an `await`.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
# Those with a client of their own leave it open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("lesson", LESSONS)
def test_no_answer_is_misjudged(lesson, on_tape):
    on_tape(lesson)
    found = answers.misjudged(lesson)
    # What they left open goes now, and not in a later test.
    gc.collect()
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_exercise_has_answers_enough_of_both_kinds(lesson):
    rows = answers.answers(lesson)
    right = Counter(row.exercise for row in rows if row.verdict == "passed")
    wrong = Counter(row.exercise for row in rows if row.verdict != "passed")
    by_readers = Counter((row.exercise, row.verdict) for row in rows if row.by == "reader")
    for exercise in exercises(answers.notebook(lesson)):
        number = exercise.number
        assert min(right[number], wrong[number]) >= ENOUGH, number
        read = by_readers[number, "passed"], by_readers[number, "wrong"]
        assert min(read) >= BY_READERS, number
        kinds = {row.code for row in rows if row.exercise == number}
        assert len(kinds) == right[number] + wrong[number], number


@pytest.mark.parametrize(("verdict", "says"), [("passed", ""), ("wrong", "words it has not")])
def test_a_misjudged_answer_is_noticed(verdict, says, on_tape, monkeypatch):
    on_tape(LESSONS[0])
    forged = Answer("01.1", verdict, "author", "no list", "messages = 1", says)
    monkeypatch.setattr(answers, "answers", lambda lesson: [forged])
    assert len(answers.misjudged(LESSONS[0])) == (2 if verdict == "passed" else 1)
