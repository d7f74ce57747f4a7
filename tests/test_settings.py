"""What is set, and where: the environment over the `.env` that is found."""

import pytest

from qwen_lab import paths, settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path_factory.mktemp("checkout"))


def test_an_empty_variable_is_none_and_hides_nothing(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("DASHSCOPE_API_KEY=filled\nDASHSCOPE_MODEL=\n")
    monkeypatch.setenv("DASHSCOPE_API_KEY", "")
    given = settings.read()
    assert (given.get("DASHSCOPE_API_KEY"), given.get("DASHSCOPE_MODEL")) == ("filled", None)


def test_what_one_place_says_is_together():
    given = settings.Settings({"a": "1"}, {"a": "2", "b": "3"})
    assert not given.together("a", "b") and given.together("b") and given.together("a")
    assert settings.Settings({"a": "2"}, {"a": "2", "b": "3"}).together("a", "b")
