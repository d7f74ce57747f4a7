"""The learner's copies: what the learner wrote is never overwritten, and lessons come back."""

import errno
import json
import os
import re
from pathlib import Path

import pytest

from qwen_lab import paths
from qwen_lab.course import lessons
from qwen_lab.words import LabError


def write(path, *sources):
    """A notebook of code cells, as an editor writes it: a list of lines a cell."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": source.splitlines(keepends=True),
        }
        for source in sources
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")


def sources(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with two lessons in each language."""
    for language in ("en", "zh"):
        (folder := tmp_path / "notebooks" / language).mkdir(parents=True)
        for name in ("01_basic_call", "02_messages"):
            write(folder / f"{name}.ipynb", f"{language} {name}")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "is_checkout", lambda: True)
    return tmp_path


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_first_start_copies_every_lesson(checkout):
    folder = lessons.copy()
    assert folder == checkout / "my_lessons"
    assert sources(folder / "zh" / "02_messages.ipynb") == ["zh 02_messages"]
    assert len(files(folder)) == 4


def test_the_lessons_begin_with_01_and_not_with_the_tour(checkout):
    (checkout / "notebooks" / "en" / "00_tour.ipynb").write_text("tour")
    assert lessons.names("en")[0] == "00_tour.ipynb"
    assert lessons.first("en") == "01_basic_call.ipynb"


def test_a_copy_is_never_overwritten_and_a_new_lesson_is_added(checkout):
    mine = lessons.copy() / "en" / "01_basic_call.ipynb"
    mine.write_text("my work")
    write(checkout / "notebooks" / "en" / "03_new.ipynb", "new")
    lessons.copy()
    assert mine.read_text() == "my work"
    assert sources(mine.parent / "03_new.ipynb") == ["new"]


def test_a_reset_restores_the_lesson_and_keeps_the_learners_copy(checkout):
    mine = lessons.copy() / "zh" / "02_messages.ipynb"
    mine.write_text("my work")
    lesson, backup = lessons.reset(2, "zh")
    assert lesson == mine and sources(mine) == ["zh 02_messages"]
    assert re.fullmatch(r"02_messages\.backup-\d{8}-\d{6}\.ipynb", backup.name)
    assert backup.read_text() == "my work"


def test_two_resets_within_a_second_keep_the_first_backup(checkout):
    (lessons.copy() / "en" / "01_basic_call.ipynb").write_text("my work")
    _, first = lessons.reset(1, "en")
    _, second = lessons.reset(1, "en")
    assert first != second and first.read_text() == "my work"


def test_a_reset_without_a_copy_makes_one_and_no_backup(checkout):
    lesson, backup = lessons.reset(1, "en")
    assert sources(lesson) == ["en 01_basic_call"] and backup is None


def test_an_unknown_lesson_is_answered_with_those_that_exist(checkout):
    with pytest.raises(LabError, match="no lesson 9. The lessons are: 01, 02"):
        lessons.reset(9, "en")


@pytest.mark.parametrize(
    ("number", "why"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "only be read")],
)
def test_what_cannot_be_written_is_said_and_nothing_half_written_stays(
    checkout, monkeypatch, number, why
):
    mine = lessons.copy() / "en" / "01_basic_call.ipynb"
    mine.write_text("my work")

    write_text = Path.write_text

    def half(path, text, **options):
        write_text(path, text[:50], **options)
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch, pytest.raises(LabError) as caught:
        patch.setattr(Path, "write_text", half)
        lessons.reset(1, "en")
    assert caught.value.key == "lessons.cannot_write" and why in str(caught.value)
    assert mine.read_text() == "my work" and len(files(mine.parent)) == 2


def test_an_installed_wheel_brings_its_lessons_and_copies_them_to_where_the_learner_is(
    checkout, monkeypatch
):
    monkeypatch.setattr(paths, "is_checkout", lambda: False)
    monkeypatch.chdir(checkout)
    assert paths.originals().parts[-2:] == ("qwen_lab", "notebooks")
    assert lessons.folder() == checkout / "my_lessons"


def test_learners_who_share_a_checkout_have_their_copies_where_they_are(
    checkout, tmp_path_factory, monkeypatch
):
    monkeypatch.setattr(os, "access", lambda path, mode: path != checkout)
    monkeypatch.chdir(tmp_path_factory.mktemp("home"))
    assert lessons.folder() == Path.cwd() / "my_lessons"
