"""What tests share: a clean environment, a fake at the engine's boundary, and the real SDK."""

import os

import pytest


@pytest.fixture(autouse=True)
def clean_env(monkeypatch, tmp_path):
    """No key, endpoint or language of the person who runs the tests reaches them."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "DASHSCOPE_", "QWEN_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("QWEN_LAB_LANG", "en")
    monkeypatch.setenv("QWEN_LAB_HOME", str(tmp_path / "home"))


def pytest_addoption(parser):
    parser.addoption("--live", action="store_true", help="run the lessons with the real model")
    parser.addoption("--pictures", metavar="FOLDER", help="keep the browser tests' screenshots")
