"""What is set, and where: the environment over the `.env` that is found."""

import os

import pytest

from qwen_lab import paths, settings, words


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path_factory.mktemp("checkout"))


def test_an_empty_variable_is_none_and_hides_nothing(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("DASHSCOPE_API_KEY=filled\nDASHSCOPE_MODEL=\n")
    monkeypatch.setenv("DASHSCOPE_API_KEY", "")
    given = settings.read()
    assert (given.get("DASHSCOPE_API_KEY"), given.get("DASHSCOPE_MODEL")) == ("filled", None)


def test_what_the_locale_could_not_read_is_utf8_but_a_path_stays_as_it_is():
    typed = "通义".encode().decode("ascii", "surrogateescape")
    given = settings.Settings({"QWEN_LAB_MODEL": typed, "QWEN_LAB_TAPE": typed}, {})
    assert (given.get("QWEN_LAB_MODEL"), given.get("QWEN_LAB_TAPE")) == ("通义", typed)


def test_what_one_place_says_is_together():
    given = settings.Settings({"a": "1"}, {"a": "2", "b": "3"})
    assert not given.together("a", "b") and given.together("b") and given.together("a")
    assert settings.Settings({"a": "2"}, {"a": "2", "b": "3"}).together("a", "b")


@pytest.fixture
def unset(monkeypatch):
    """The shared variables unset, and set back when the test is over."""
    for name in settings.SHARED:
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(settings, "_shared", {})


def test_what_the_whole_lab_reads_is_set_from_the_file(tmp_path, unset):
    lines = "QWEN_LAB_LANG=zh\nQWEN_LAB_HOME=state\nQWEN_LAB_GGUF=~/a.gguf\nQWEN_LAB_NOTES=/notes\n"
    (tmp_path / ".env").write_text(lines + "HF_ENDPOINT=https://mirror.example\n")
    given = settings.read()
    given.share()
    assert words.language() == "zh" and given.used == tmp_path / ".env"
    assert paths.home() == tmp_path / "state" and os.environ["QWEN_LAB_NOTES"] == "/notes"
    assert os.environ["QWEN_LAB_GGUF"] == os.path.expanduser("~/a.gguf")
    assert os.environ["HF_ENDPOINT"] == "https://mirror.example"


def test_but_the_process_counts_first(tmp_path, unset, monkeypatch):
    (tmp_path / ".env").write_text("QWEN_LAB_LANG=zh\n")
    monkeypatch.setenv("QWEN_LAB_LANG", "en")
    given = settings.read()
    given.share()
    assert os.environ["QWEN_LAB_LANG"] == "en" and given.used is None


def test_what_the_file_no_longer_says_no_longer_counts(tmp_path, unset):
    for line, now in (("HF_ENDPOINT=a", "a"), ("HF_ENDPOINT=b", "b"), ("", None)):
        (tmp_path / ".env").write_text(line)
        settings.read().share()
        assert os.environ.get("HF_ENDPOINT") == now


def test_blanks_and_quotes_of_a_shell_are_not_part_of_a_path(tmp_path, unset, monkeypatch):
    # What `set X="…" && …` leaves in cmd.exe.
    monkeypatch.setenv("QWEN_LAB_HOME", f'"{tmp_path / "state"}" ')
    given = settings.read()
    given.share()
    assert paths.home() == tmp_path / "state"
    # In a key they are told: see test_keys.
    assert settings.Settings({"DASHSCOPE_API_KEY": " a"}, {}).get("DASHSCOPE_API_KEY") == " a"
    assert settings.Settings({"DASHSCOPE_API_KEY": " "}, {}).get("DASHSCOPE_API_KEY") is None
