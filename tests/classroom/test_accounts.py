"""The Unix accounts of a hub's learners: what they are called, and who needs one."""

import pytest

from qwen_lab.classroom import accounts
from qwen_lab.classroom.seats import Seat
from qwen_lab.words import LabError

pwd = pytest.importorskip("pwd")


@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("Ada", "ada"),
        ("Ada Lovelace", "ada-lovelace"),
        ("José.3", "jose-3"),
        ("小明", "learner"),
        ("3 小明", "learner-3"),
        ("root", "root-1"),
        ("../../etc", "etc"),
        ("a" * 60, "a" * 24),
        ("x:0:0::/:", "x-0-0"),
    ],
)
def test_an_account_is_called_after_its_learner_and_like_nobody_else(name, account):
    assert accounts._free(name) == account


@pytest.fixture
def system(monkeypatch):
    """Which programs of the system's were run, and what they were told."""
    ran = []
    monkeypatch.setattr(accounts, "run", lambda *command, told="": ran.append((command, told)))
    return ran


def test_who_has_no_account_is_told_and_nothing_is_made(system, tmp_path):
    with pytest.raises(LabError, match="小明, root") as caught:
        accounts.ready([Seat("小明", "c"), Seat("root", "c")], tmp_path / "made", make=False)
    assert caught.value.key == "classroom.no_accounts" and system == []


def test_an_account_that_is_there_is_used_and_its_password_left_alone(
    system, tmp_path, monkeypatch
):
    monkeypatch.setattr(accounts, "_is_there", lambda account: account in ("ada", "learner"))
    seats = [Seat("ada", "code-1"), Seat("小明", "code-2")]
    made = tmp_path / "made.json"
    for _ in range(2):
        found = accounts.ready(seats, made, make=True)
        assert found == {"ada": "ada", "小明": "learner"}
    assert [command[0] for command, _ in system] == ["useradd", "chpasswd", "chpasswd"]
    assert {told for command, told in system if command[0] == "chpasswd"} == {"learner:code-2\n"}


def test_what_the_system_says_when_it_makes_none_is_told():
    with pytest.raises(LabError, match="no-such-program"):
        accounts.run("no-such-program")
    with pytest.raises(LabError, match="certainly not"):
        accounts.run("sh", "-c", "echo certainly not >&2; exit 1")
