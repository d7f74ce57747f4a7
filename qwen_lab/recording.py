"""Make the lessons' outputs in two passes: the live one writes the tape, the replay the outputs.

So what a lesson shows is what its tape gives, on every machine, and comes from the real model.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from . import lessons
from .endpoint import process

# What a lesson keeps about its kernel; the rest would change with each machine.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEYS = ("DASHSCOPE_", "OPENAI_", "QWEN_LAB_")
SECONDS_A_CELL = 120


def record(lesson: Path) -> None:
    """Run a lesson live and write its tape, then run it on the tape and write its outputs.

    No key is used. Raises what a cell raises; then neither file is changed.
    """
    tape = lessons.tape(lesson)
    with tempfile.TemporaryDirectory() as home:
        fresh = Path(home) / "tape.jsonl"
        with _recording(home, fresh):
            run(lesson, {"QWEN_LAB_ENDPOINT": "local", "QWEN_LAB_HOME": home})
        # As fast as it was recorded: what the outputs say of times is true.
        played = run(lesson, replaying(fresh) | {"QWEN_LAB_TAPE_SPEED": "recorded"})
        tape.parent.mkdir(parents=True, exist_ok=True)
        tape.write_text(fresh.read_text(encoding="utf-8"), encoding="utf-8")
    played.metadata = nbformat.from_dict(METADATA)
    _drop_widgets(played)
    lesson.write_text(nbformat.writes(played) + "\n", encoding="utf-8")


def _drop_widgets(notebook: nbformat.NotebookNode) -> None:
    """Leave of each widget its text: the rest lives in a kernel that is gone."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def replaying(tape: Path) -> dict[str, str]:
    """The variables with which a lesson's kernel plays a tape."""
    return {"QWEN_LAB_ENDPOINT": "replay", "QWEN_LAB_TAPE": str(tape)}


def run(lesson: Path, settings: dict[str, str]) -> nbformat.NotebookNode:
    """The lesson with the outputs that its cells have under these settings, and no others."""
    notebook = nbformat.read(lesson, as_version=4)
    # The kernel of this Python, not one of that name that the user once installed.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(KEYS)}
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=SECONDS_A_CELL,
            resources={"metadata": {"path": folder}},
            record_timing=False,
            store_widget_state=False,
        )
        return client.execute(env=clean | settings)


@contextmanager
def _recording(home: str, tape: Path) -> Iterator[None]:
    """A local Qwen with a home of its own, which writes down all that it answers."""
    usual = os.environ.get("QWEN_LAB_HOME")
    os.environ["QWEN_LAB_HOME"] = home
    try:
        process.start(record=tape)
        yield
        process.stop()
    finally:
        os.environ.pop("QWEN_LAB_HOME")
        if usual:
            os.environ["QWEN_LAB_HOME"] = usual
