"""The lessons, run from top to bottom in a kernel against the real local Qwen."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from qwen_lab.endpoint import process

pytestmark = pytest.mark.model

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("*/*.ipynb"))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A server of the module's own, ended when all lessons have run."""
    place = str(tmp_path_factory.mktemp("home"))
    yield place
    os.environ["QWEN_LAB_HOME"] = place
    process.stop()
    del os.environ["QWEN_LAB_HOME"]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
# The kernel's sockets are closed when the garbage collector comes by.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_lesson_runs_from_top_to_bottom(path, home, monkeypatch, tmp_path):
    monkeypatch.setenv("QWEN_LAB_HOME", home)
    monkeypatch.setenv("QWEN_LAB_ENDPOINT", "local")
    lesson = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(lesson, timeout=120, kernel_name="python3", resources=resources).execute()
    assert all(cell.execution_count for cell in lesson.cells if cell.cell_type == "code")


def test_both_editions_have_the_same_lessons():
    names = [
        {path.name for path in (NOTEBOOKS / edition).glob("*.ipynb")} for edition in ("zh", "en")
    ]
    assert names[0] == names[1] and names[0]
