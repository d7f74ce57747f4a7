"""The lessons with the real model, which may word things in its own way: `test --live`.

What a cell prints may differ from what is stored. What it ends with may not: those are the
lessons' own checks of what they say about the model.
"""

import nbformat
import pytest

from qwen_lab.course import lessons, record
from qwen_lab.endpoint import server

pytestmark = pytest.mark.model

LESSONS = [
    lessons.originals() / language / name
    for language in ("zh", "en")
    for name in lessons.names(language)
]


def results(notebook: nbformat.NotebookNode) -> list[tuple[str, str]]:
    """The value that each cell ends with, by the cell's id; not the views, which show the text."""
    return [
        (cell.id, output.data["text/plain"])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "execute_result" and "text/html" not in output.data
    ]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_a_lesson_says_of_the_model_holds(lesson, tmp_path, monkeypatch, pytestconfig):
    if not pytestconfig.getoption("--live"):
        pytest.skip("only with --live; in the browser each lesson runs live in one language")
    monkeypatch.setenv("QWEN_LAB_HOME", str(tmp_path))
    try:
        settings = {"QWEN_LAB_ENDPOINT": "local", "QWEN_LAB_HOME": str(tmp_path)}
        live = record.run(nbformat.read(lesson, as_version=4), settings)
    finally:
        server.stop()
    stored = results(nbformat.read(lesson, as_version=4))
    assert results(live) == stored and len(stored) >= 4
