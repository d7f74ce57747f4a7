import json
import threading

import pytest

from qwen_lab import logbook
from qwen_lab.checks import messages
from qwen_lab.files import home

NOTHING = {"exercises": {}, "quizzes": {}}
HI = [{"role": "user", "content": "Hi"}]


def test_an_empty_log_holds_nothing():
    assert logbook.read() == NOTHING and not home().exists()


def test_what_passed_once_has_passed():
    for status in ("wrong", "passed", "wrong"):
        logbook.note_exercise("02.1", status)
    logbook.note_exercise("02.2", "wrong")
    assert logbook.read()["exercises"] == {"02.1": "passed", "02.2": "wrong"}


def test_the_best_time_of_a_quiz_counts():
    for right in (1, 3, 2):
        logbook.note_quiz("02", right)
    assert logbook.read()["quizzes"] == {"02": 3}


def test_a_check_notes_an_answer_and_not_a_starter():
    messages.roles(..., "user", exercise="01.1")
    assert logbook.read() == NOTHING
    messages.roles(HI, "user", "assistant", exercise="01.1")
    assert logbook.read()["exercises"] == {"01.1": "wrong"}
    messages.roles(HI, "user", exercise="01.1")
    assert logbook.read()["exercises"] == {"01.1": "passed"}


def test_a_check_that_is_told_no_exercise_notes_nothing():
    assert messages.roles(HI, "user").status == "passed"
    assert logbook.read() == NOTHING


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", '{"exercises": 7}', '{"exercises": [1]}', "\ufffe"]
)
def test_a_broken_file_counts_as_empty_and_is_written_anew(content):
    home().mkdir()
    (home() / "progress.json").write_text(content, encoding="utf-8")
    assert logbook.read() == NOTHING
    logbook.note_quiz("02", 3)
    assert logbook.read()["quizzes"] == {"02": 3}


def test_a_disk_that_cannot_be_written_costs_nobody_the_verdict(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QWEN_LAB_HOME", str(tmp_path / "file"))
    assert messages.roles(HI, "user", exercise="01.1").status == "passed"


def test_lessons_open_at_once_lose_nothing():
    numbers = [f"01.{number}" for number in range(1, 31)]
    threads = [
        threading.Thread(target=logbook.note_exercise, args=(number, "passed"))
        for number in numbers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(logbook.read()["exercises"]) == sorted(numbers)


def test_the_file_says_nothing_else():
    logbook.note_exercise("02.1", "passed")
    content = json.loads((home() / "progress.json").read_text(encoding="utf-8"))
    assert content == {"exercises": {"02.1": "passed"}, "quizzes": {}}
