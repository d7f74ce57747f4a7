"""A report holds nothing of the learner's: no key, password, user, computer or home."""

import os
import socket
from pathlib import Path

import pytest

from qwen_lab.setup import doctor, private
from qwen_lab.words import LabError

KEY = "sk-0123456789abcdef0123456789abcdef"


@pytest.fixture
def learner(monkeypatch, tmp_path):
    """A learner with a name, a home and a computer to be found in all that is shown."""
    before = dict(os.environ)
    home = tmp_path / "Users" / "lihua"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "lihua")
    monkeypatch.setattr(socket, "gethostname", lambda: "Lihuas-Laptop.fritz.box")
    monkeypatch.chdir(home)
    yield home
    os.environ.clear()
    os.environ.update(before)


def test_a_report_of_a_machine_full_of_secrets_holds_none(learner, monkeypatch, capsys):
    # A folder that cannot be written, named like all of them, is quoted in the table.
    (learner / "LIHUAS-LAPTOP").write_text("")
    monkeypatch.setenv("QWEN_LAB_HOME", str(learner / "LIHUAS-LAPTOP" / "home"))
    monkeypatch.setenv("https_proxy", "http://lihua:hunter2@192.0.2.1:7897")
    monkeypatch.setenv("all_proxy", "lihua:hunter3@:none")
    monkeypatch.setenv("SSL_CERT_FILE", str(learner / "ca.pem"))
    monkeypatch.setenv("QWEN_LAB_ENDPOINT", "http://lihua:hunter4@192.0.2.1/v1")
    monkeypatch.setenv("QWEN_LAB_API_KEY", "a-key-of-another-kind")
    (learner / ".env").write_text(f"DASHSCOPE_API_KEY={KEY}\nQWEN_LAB_GGUF={KEY}.gguf\n")
    assert doctor.run(report="report.txt") == 1
    written, shown = (learner / "report.txt").read_text(encoding="utf-8"), capsys.readouterr().out
    for secret in ("lihua", "laptop", "hunter", "0123456789", "another-kind", "fritz"):
        assert secret not in written.lower()
    # What is not secret is there, and the table on the screen did name the folders.
    assert "~/ca.pem" in written and "http://192.0.2.1/v1" in written and "lihua" in shown
    assert "hunter" not in shown and KEY not in shown.replace(f"{KEY}.gguf", "")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("see https://me:pw@host/x", "see https://host/x"),
        ("by me:p#w@host:80 it", "by host:80 it"),
        ("key sk-abc_DEF-123456.", "key sk-…."),
        ("LIHUA 在 lihua的文件夹", "… 在 …的文件夹"),
        ("lihuang stays", "lihuang stays"),
        (
            "https://llm-a1b2.cn-beijing.maas.aliyuncs.com/compatible-mode/v1",
            "https://….cn-beijing.maas.aliyuncs.com/compatible-mode/v1",
        ),
        ("token-plan.cn-beijing.maas.aliyuncs.com", "token-plan.cn-beijing.maas.aliyuncs.com"),
        ("a word in the file", "a … in the file"),
    ],
)
def test_what_is_private_is_left_out_and_nothing_else(learner, text, left):
    assert private.without(text, {"word"}) == left


def test_the_home_is_found_in_every_spelling(learner):
    spelt = Path.home().as_posix()
    assert private.without(f"{spelt.upper()}/x and {spelt}", ()) == "~/x and ~"


def test_a_report_that_cannot_be_written_is_said_with_the_next_step(learner):
    with pytest.raises(LabError, match="--report"):
        doctor.run(report=str(learner / "none" / "report.txt"))
