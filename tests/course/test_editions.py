"""An unchanged copy follows its lesson; what the learner wrote stays, and is named."""

import json
import re

import pytest

from qwen_lab import paths
from qwen_lab.course import editions, lessons
from qwen_lab.setup import commands
from qwen_lab.words import LANGUAGES

OLD, NEW = ["import qwen_lab.sampling", "answer = ..."], ["import qwen_lab", "answer = ..."]
NAME = "02_parameters.ipynb"


def notebook(sources):
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": [source]}
        for source in sources
    ]
    return {"cells": cells, "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4}


def write(path, sources):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook(sources)), encoding="utf-8")


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def sources(path):
    return ["".join(cell["source"]) for cell in read(path)["cells"]]


def change(path, *, at=1, **fields):
    content = read(path)
    content["cells"][at] |= fields
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """The one lesson of a checkout, in its old edition, which is none of before names."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "is_checkout", lambda: True)
    monkeypatch.setattr(editions, "TABLE", {})
    path = tmp_path / "notebooks" / "en" / NAME
    write(path, OLD)
    return path


@pytest.fixture
def mine(lesson):
    """The learner's copy of it."""
    return lessons.copy() / "en" / NAME


@pytest.fixture
def nameless(lesson, monkeypatch):
    """A copy without a name, of the edition before OLD; OLD was the last that gave none."""
    older = ["print('gone')", *OLD]
    copy = lessons.folder() / "en" / NAME
    write(copy, older)
    known = [editions._edition(editions._cells(notebook(each))) for each in (older, OLD)]
    gone = editions._cells(notebook(older[:1]))
    table = {"en": {"02_parameters": {"editions": known, "gone": gone}}}
    monkeypatch.setattr(editions, "TABLE", table)
    return copy


def test_an_unchanged_copy_follows_the_new_edition_and_the_one_after_it(lesson, mine):
    for edition in (NEW, ["a third"]):
        write(lesson, edition)
        lessons.copy()
        assert sources(mine) == edition and lessons.outdated() == []


def test_a_copys_cells_have_no_number_before_the_learner_runs_them(lesson):
    content = notebook(NEW)
    shown = {"output_type": "execute_result", "execution_count": 2, "data": {}, "metadata": {}}
    content["cells"][1] |= {"execution_count": 2, "outputs": [shown]}
    lesson.write_text(json.dumps(content), encoding="utf-8")
    cell = read(lessons.copy() / "en" / NAME)["cells"][1]
    assert cell["execution_count"] is None
    assert cell["outputs"] == [shown | {"execution_count": None}]


def test_cells_that_were_run_are_not_written_in(lesson, mine):
    shown = [{"output_type": "stream", "name": "stdout", "text": "mine"}]
    change(mine, outputs=shown, execution_count=7, metadata={"collapsed": True})
    # Running the last cell adds an empty one.
    content = read(mine)
    content["cells"].append({"cell_type": "code", "metadata": {}, "outputs": [], "source": []})
    mine.write_text(json.dumps(content), encoding="utf-8")
    lessons.copy()
    assert read(mine) == content
    write(lesson, NEW)
    lessons.copy()
    assert sources(mine) == NEW


@pytest.mark.parametrize(
    "written", [[OLD[0], "answer = 3"], [*OLD, "my_own_cell"], OLD[:1], [OLD[1], OLD[0]]]
)
def test_a_copy_that_was_written_in_stays_and_is_named(lesson, mine, written):
    content = read(mine) | {"cells": notebook(written)["cells"]}
    mine.write_text(json.dumps(content), encoding="utf-8")
    lessons.copy()
    assert lessons.outdated() == []
    write(lesson, NEW)
    lessons.copy()
    assert read(mine) == content and lessons.outdated() == [mine]


def test_a_learner_who_wrote_the_new_edition_is_told_nothing(lesson, mine):
    change(mine, at=0, source=[NEW[0]])
    write(lesson, NEW)
    assert lessons.outdated() == []


def test_another_kind_of_cell_is_something_written(lesson, mine):
    change(mine, cell_type="markdown")
    write(lesson, NEW)
    lessons.copy()
    assert sources(mine) == OLD


def test_an_outdated_copy_is_named_with_the_command_that_takes_the_new_one(
    lesson, mine, monkeypatch, capsys
):
    change(mine, source=["answer = 3"])
    write(lesson, NEW)
    for language, words in (("en", "You've changed"), ("zh", "你改动过")):
        monkeypatch.setenv("QWEN_LAB_LANG", language)
        commands._copied()
        [line] = capsys.readouterr().out.splitlines()
        assert words in line and str(mine) in line
        assert "`python3 -m qwen_lab reset 02 --lang en`" in line
    _, backup = lessons.reset(2, "en")
    kept = backup.read_bytes()
    write(lesson, ["a third"])
    commands._copied()
    [line] = capsys.readouterr().out.splitlines()
    assert str(mine) in line and "新版" in line and "reset" not in line
    assert sources(mine) == ["a third"]
    commands._copied()
    assert capsys.readouterr().out == ""
    assert backup.read_bytes() == kept and sources(backup) == [OLD[0], "answer = 3"]


def test_an_unchanged_copy_without_a_name_follows(nameless):
    lessons.copy()
    assert sources(nameless) == OLD and lessons.outdated() == []


def test_a_changed_copy_without_a_name_is_outdated_by_a_cell_that_is_gone(nameless):
    change(nameless, source=["answer = 3"])
    kept = nameless.read_bytes()
    lessons.copy()
    assert nameless.read_bytes() == kept and lessons.outdated() == [nameless]


def test_a_changed_copy_of_the_last_edition_without_a_name_is_outdated_by_the_next(
    lesson, nameless
):
    write(nameless, [OLD[0], "answer = 3"])
    assert lessons.outdated() == []
    write(lesson, NEW)
    assert lessons.outdated() == [nameless]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"cells": 3, "metadata": {}}'])
def test_a_copy_that_is_no_notebook_is_left_as_it_is(lesson, mine, content):
    mine.write_text(content, encoding="utf-8")
    write(lesson, NEW)
    lessons.copy()
    assert mine.read_text(encoding="utf-8") == content


def test_an_interruption_leaves_the_old_copy_whole(lesson, mine, monkeypatch):
    write(lesson, NEW)

    def interrupt(source, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(lessons.os, "replace", interrupt)
        lessons.copy()
    assert sources(mine) == OLD and list(mine.parent.iterdir()) == [mine]
    lessons.copy()
    assert sources(mine) == NEW


def test_a_copy_differs_from_its_lesson_in_its_name_and_numbers_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "folder", lambda: tmp_path)
    lessons.copy()
    for language in LANGUAGES:
        for name in lessons.names(language):
            copy, original = (read(at / language / name) for at in (tmp_path, paths.originals()))
            assert copy["metadata"].pop(editions.KEY) and copy == editions.unnumbered(original)


def test_the_editions_of_before_names_are_digests_by_language_and_lesson():
    table = editions.TABLE
    assert set(table) == set(LANGUAGES)
    for lesson in (*table["en"].values(), *table["zh"].values()):
        assert all(re.fullmatch("[0-9a-f]{12}", edition) for edition in lesson["editions"])
        assert all(re.fullmatch("[0-9a-f]{8}", cell) for cell in lesson.get("gone", []))
