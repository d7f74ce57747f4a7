"""What a lesson's title says it needs, and what is recorded of it."""

import json
import os
import re
import uuid
from contextlib import nullcontext
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from qwen_lab import paths
from qwen_lab.course import lessons, record
from qwen_lab.endpoint import server
from qwen_lab.views.theme import styled
from qwen_lab.words import LANGUAGES

LESSONS = [
    (language, lessons.originals() / language / name)
    for language in LANGUAGES
    for name in lessons.names(language)
    if not name.startswith("00")
]


@pytest.mark.parametrize(
    ("language", "lesson"), LESSONS, ids=lambda part: getattr(part, "stem", part)
)
def test_a_title_says_what_the_lesson_needs_as_its_tape_has_it(language, lesson, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", language)
    title = nbformat.read(lesson, as_version=4).cells[0].source
    assert record.needs(lesson) in title


def test_what_a_lesson_needs_is_counted_on_its_tape(monkeypatch, tmp_path):
    tape = tmp_path / "01.jsonl"
    rows = [{"model": "m"}, {"end": ["stop", 1000, 234, 0]}, {"end": ["stop", 500, 1000, 0]}]
    rows += [{"refusal": "no"}, {"next": []}]
    tape.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    monkeypatch.setattr(paths, "tape", lambda lesson: tape)
    said = record.needs(lessons.originals() / "en" / "01_basic_call.ipynb")
    # 0.8 CNY a million in, 2 out: 0.003668.
    assert "2 calls" in said and "2,700 tokens, 0.004 CNY" in said


def test_what_a_lesson_invites_to_try_is_put_behind_its_tape_and_counts_for_nothing(
    monkeypatch, tmp_path
):
    lesson = lessons.originals() / "en" / "00_tour.ipynb"
    end = {"end": ["stop", 1, 1, 0]}
    tape = [{"model": "m"}, {"ask": {"temperature": 1.0}} | end]

    def run(notebook, settings):
        assert "for temperature in" in notebook.cells[-1].source
        hot = {"ask": {"temperature": 1.9}} | end
        write(Path(settings["QWEN_LAB_HOME"]) / "tape.jsonl", [*tape, hot, hot])

    def write(path, rows):
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    write(tmp_path / "00.jsonl", tape)
    monkeypatch.setattr(paths, "tape", lambda lesson: tmp_path / "00.jsonl")
    monkeypatch.setattr(record, "_recording", lambda home, tape: nullcontext())
    monkeypatch.setattr(record, "run", run)
    before = record.needs(lesson)
    record.add_tries(lesson)
    rows = [json.loads(line) for line in record._lines(tmp_path / "00.jsonl")]
    assert rows[:2] == tape and rows[2:] == [{"ask": {"temperature": 1.9}} | end | {"tried": True}]
    assert record.needs(lesson) == before


def test_the_solutions_and_their_checks_are_recorded_after_the_lesson():
    lesson = lessons.originals() / "en" / "01_basic_call.ipynb"
    plain, solved = nbformat.read(lesson, as_version=4), record.solved(lesson)
    added = [cell.source for cell in solved.cells[len(plain.cells) :]]
    assert len(added) == 6 and re.match(r"messages = \[", added[0])
    assert [source.startswith("qwen_lab.checks.") for source in added] == [False, True] * 3


def test_the_recording_server_ends_with_a_lesson_that_fails(monkeypatch, tmp_path):
    done = []
    monkeypatch.setattr(server, "start", lambda record: done.append(os.environ["QWEN_LAB_HOME"]))
    monkeypatch.setattr(server, "stop", lambda: done.append("stopped"))
    usual = os.environ["QWEN_LAB_HOME"]
    with pytest.raises(ZeroDivisionError), record._recording("a home", tmp_path / "tape.jsonl"):
        _ = 1 / 0
    assert done == ["a home", "stopped"] and os.environ["QWEN_LAB_HOME"] == usual


def test_what_a_cell_prints_piece_by_piece_is_recorded_as_one_output():
    pieces = (
        'import time\nfor piece in "one", "two":\n    print(piece, flush=True)\n    time.sleep(0.5)'
    )
    notebook = new_notebook(cells=[new_code_cell(pieces)])
    [output] = record.run(notebook, {}).cells[0].outputs
    assert output.text == "one\ntwo\n"


def test_renewing_takes_another_form_and_leaves_other_figures(monkeypatch, tmp_path):
    def page(html):
        return new_output("display_data", {"text/html": html})

    lesson = tmp_path / "01_basic_call.ipynb"
    pages = ["<p>0.5 s</p>", "<p>old 0.5 s</p>", f"<p>id-{uuid.uuid4()}</p>"]
    cells = [new_code_cell(outputs=[page(html)]) for html in pages]
    nbformat.write(new_notebook(cells=cells), lesson)

    def run(notebook, settings):
        now = ["<p>1,000.7 s</p>", "<p>new 0.7 s</p>", f"<p>id-{uuid.uuid4()}</p>"]
        for cell, html in zip(notebook.cells, now, strict=True):
            cell.outputs = [page(html)]
        return notebook

    monkeypatch.setattr(record, "run", run)
    record.renew(lesson)
    shown = [cell.outputs[0].data["text/html"] for cell in nbformat.read(lesson, 4).cells]
    assert shown == ["<p>0.5 s</p>", "<p>new 0.7 s</p>", pages[2]]


def test_restyling_gives_a_stored_view_todays_css_and_leaves_all_else(tmp_path):
    pages = ["<style>.old {}</style><div class='qwen-odds'>1</div>", "<p>no view</p>"]
    outputs = [new_output("display_data", {"text/html": html}) for html in pages]
    lesson = tmp_path / "01_basic_call.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(outputs=outputs)]), lesson)
    record.restyle(lesson)
    view, other = nbformat.read(lesson, 4).cells[0].outputs
    assert view.data["text/html"] == styled("<div class='qwen-odds'>1</div>")
    assert ".qwen-odds" in view.data["text/html"] and other.data["text/html"] == pages[1]
