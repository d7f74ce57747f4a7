"""Modules that are compiled beforehand, by the page's own Python."""

import shutil

import pytest

from qwen_lab.page import compiled, parts
from qwen_lab.words import LabError

from .conftest import needed

pytestmark = pytest.mark.page

# The order of these sets hangs on hashes, which are others in each process.
SOURCE = b"""def known(word):
    return word in {'one', 'two', 'three', 'four', 'five', 'six'}
"""
FILES = {"a/b.py": SOURCE, "a/old.py": b"print 'for an older Python'", "a/data.json": b"{}"}


@pytest.fixture
def place(monkeypatch, tmp_path):
    needed(shutil.which("npm") and shutil.which("node"), "Node.js")
    path = parts.package("pyodide")
    monkeypatch.setattr(parts, "folder", lambda: tmp_path)
    monkeypatch.setattr(parts, "package", lambda name: path)
    return tmp_path


def test_a_module_is_compiled_the_same_each_time_and_never_looked_at_again(place):
    once = compiled.compiled("some", "lib/x", FILES)
    [(name, content)] = once.items()
    # By its flags Python takes it without a look at the source.
    assert name == "a/b.pyc" and content[4:8] == b"\1\0\0\0" and b"/lib/x/a/b.py" in content
    (place / "compiled-some.zip").unlink()
    assert compiled.compiled("some", "lib/x", FILES) == once


def test_what_was_compiled_is_kept_until_the_source_is_another(place, monkeypatch):
    once = compiled.compiled("some", "lib/x", FILES)
    with monkeypatch.context() as without:
        without.setattr(compiled.shutil, "which", lambda _: None)
        assert compiled.compiled("some", "lib/x", FILES) == once
        with pytest.raises(LabError, match=r"Node\.js"):
            compiled.compiled("some", "lib/x", FILES | {"c.py": b""})
    assert compiled.compiled("some", "lib/x", FILES | {"c.py": b""}).keys() == {*once, "c.pyc"}
