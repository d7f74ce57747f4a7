import os
import stat

import pytest

from qwen_lab.paths import ROOT, home, originals, replacing, tape


def test_the_labs_home_is_the_one_named_and_else_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("QWEN_LAB_HOME", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.delenv("QWEN_LAB_HOME")
    assert home().name == "qwen-lab" and home().is_absolute()


def test_a_copy_of_a_lesson_has_the_tape_of_its_lesson():
    copy = ROOT / "my_lessons" / "zh" / "01_basic_call.ipynb"
    assert tape(copy) == originals() / "tape" / "zh" / "01_basic_call.jsonl"
    assert tape(copy).is_file()


def test_a_file_takes_the_old_ones_place_when_it_is_whole(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with replacing(path) as file:
        file.write("新")
        assert path.read_text() == "old"
    assert path.read_text(encoding="utf-8") == "新" and os.listdir(tmp_path) == ["a.json"]


def test_what_breaks_midway_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as file:
        file.write("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.json"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_the_owner_can_read_it_from_the_first_moment_on(tmp_path):
    with replacing(tmp_path / "a.json") as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o600
