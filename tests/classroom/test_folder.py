"""What a class keeps lies in one folder: one process holds it, and a teacher can take it away."""

import asyncio
import json

import pytest

from qwen_lab.classroom import door, folder
from qwen_lab.classroom.config import Config
from qwen_lab.classroom.progress import Progress
from qwen_lab.classroom.seats import Seats
from qwen_lab.paths import home
from qwen_lab.words import LabError


@pytest.fixture
def seats():
    (home() / "class").mkdir(parents=True)
    seats = Seats(home() / "class/seats.csv")
    seats.add(["Ada Lovelace", "小明"])
    return seats


def test_a_seat_that_is_taken_away_opens_nothing_at_once_and_the_others_stay(seats, capsys):
    gone, kept = seats.seats
    folder.remove("  Ada   Lovelace ", hub=False)
    assert "Ada" in capsys.readouterr().out and Seats(home() / "class/seats.csv").seats == [kept]
    # Those that the class which is open has had all along.
    assert asyncio.run(seats.identify(gone.code)) is None
    assert asyncio.run(seats.identify(kept.code)).name == "小明" and seats.names() == ["小明"]
    seats.add(["Ada Lovelace"])
    assert seats.seats[1].code != gone.code


def test_a_seat_that_nobody_has_is_told_with_those_that_there_are(seats):
    with pytest.raises(LabError, match="Ada Lovelace, 小明"):
        folder.remove("Ada", hub=False)
    assert len(Seats(home() / "class/seats.csv").seats) == 2


def test_a_list_that_was_spoilt_by_hand_locks_nobody_out_of_an_open_class(seats):
    path, code = home() / "class/seats.csv", seats.seats[0].code
    path.write_bytes(b"\xff\xfe\0")
    assert asyncio.run(seats.identify(code)).name == "Ada Lovelace"
    path.write_text(f"Bo\nAda Lovelace,{code}\n", encoding="utf-8")
    assert asyncio.run(seats.identify(code)).name == "Ada Lovelace" and len(seats.seats) == 1


def test_on_a_hub_a_seat_is_taken_away_and_the_account_that_stays_is_named(capsys):
    place = home() / "hub"
    place.mkdir(parents=True)
    Seats(place / "seats.csv").add(["小明"])
    (place / "accounts.json").write_text(json.dumps({"小明": "learner"}), encoding="utf-8")
    folder.remove("小明", hub=True)
    assert "next start" in (said := capsys.readouterr().out) and "--remove learner" in said
    assert not Seats(place / "seats.csv").seats


def test_forget_leaves_nothing_of_anybody(capsys, monkeypatch, engine):
    folder.forget()
    progress = Progress.__init__
    folders = []

    def run(app, listeners, watch):
        for each, _ in listeners:
            each.close()
        with pytest.raises(LabError, match="open already"):
            folder.forget()

    def noted(self, place, numbers):
        progress(self, place, numbers)
        self.note("Ada Lovelace", "01.1", "passed")
        folders.append(place)

    monkeypatch.setattr(Progress, "__init__", noted)
    monkeypatch.setattr(door.listener, "serve", run)
    monkeypatch.setattr(door, "_local", lambda place: lambda: engine)
    door.hold(["Ada Lovelace"], Config())
    assert len([*folders[0].iterdir()]) == 1
    folder.forget()
    assert {path.name for path in (home() / "class").rglob("*")} <= {"lock"}
    assert "forgotten" in capsys.readouterr().out
