import json
import threading

import pytest

from qwen_lab.checks import messages
from qwen_lab.course import log
from qwen_lab.paths import home

NOTHING = {"exercises": {}, "quizzes": {}}
HI = [{"role": "user", "content": "Hi"}]


def test_an_empty_log_holds_nothing():
    assert log.read() == NOTHING and not home().exists()


def test_what_passed_once_has_passed():
    for status in ("wrong", "passed", "wrong"):
        log.note_exercise("02.1", status)
    log.note_exercise("02.2", "wrong")
    assert log.read()["exercises"] == {"02.1": "passed", "02.2": "wrong"}


def test_the_best_time_of_a_quiz_counts():
    for right in (1, 3, 2):
        log.note_quiz("02", right)
    assert log.read()["quizzes"] == {"02": 3}


def test_a_check_notes_an_answer_and_not_a_starter():
    messages.roles(..., "user", exercise="01.1")
    assert log.read() == NOTHING
    messages.roles(HI, "user", "assistant", exercise="01.1")
    assert log.read()["exercises"] == {"01.1": "wrong"}
    messages.roles(HI, "user", exercise="01.1")
    assert log.read()["exercises"] == {"01.1": "passed"}


def test_a_check_that_is_told_no_exercise_notes_nothing():
    assert messages.roles(HI, "user").status == "passed"
    assert log.read() == NOTHING


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", '{"exercises": 7}', '{"exercises": [1]}', "\ufffe"]
)
def test_a_broken_file_counts_as_empty_and_is_written_anew(content):
    home().mkdir()
    (home() / "progress.json").write_text(content, encoding="utf-8")
    assert log.read() == NOTHING
    log.note_quiz("02", 3)
    assert log.read()["quizzes"] == {"02": 3}


def test_a_home_that_cannot_be_written_costs_nobody_the_verdict_or_what_was_done(
    monkeypatch, tmp_path, capsys
):
    place = tmp_path / "file" / "home"
    place.parent.write_text("")
    monkeypatch.setenv("QWEN_LAB_HOME", str(place))
    for number in ("01.1", "01.2"):
        assert messages.roles(HI, "user", exercise=number).status == "passed"
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "Your progress can't be kept" in said and str(place) in said
    assert log.read()["exercises"] == {"01.1": "passed", "01.2": "passed"}
    place.parent.unlink()
    log.note_quiz("01", 2)
    kept = json.loads((place / "progress.json").read_text(encoding="utf-8"))
    assert kept == {"exercises": {"01.1": "passed", "01.2": "passed"}, "quizzes": {"01": 2}}


def test_lessons_open_at_once_lose_nothing():
    numbers = [f"01.{number}" for number in range(1, 31)]
    threads = [
        threading.Thread(target=log.note_exercise, args=(number, "passed")) for number in numbers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(log.read()["exercises"]) == sorted(numbers)


def test_the_file_says_nothing_else():
    log.note_exercise("02.1", "passed")
    content = json.loads((home() / "progress.json").read_text(encoding="utf-8"))
    assert content == {"exercises": {"02.1": "passed"}, "quizzes": {}}
