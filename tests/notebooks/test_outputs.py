"""Every stored output is what the lesson's tape gives: nbval compares them, strictly."""

import os
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import nbformat
import pytest

from qwen_lab import paths
from qwen_lab.course import lessons, record

SANITIZE = Path(__file__).with_name("sanitize.cfg")
LESSONS = [
    lessons.originals() / language / name
    for language in ("zh", "en")
    for name in lessons.names(language)
]


def compare(notebook: Path, tape: Path) -> subprocess.CompletedProcess:
    """Run a notebook on a tape under strict nbval."""
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q"]
    options = ["--nbval-cell-timeout=60", f"--nbval-sanitize-with={SANITIZE}", "-p", "no:xdist"]
    return subprocess.run(
        # Its own settings: this project's turn the warnings of nbval's kernel into errors.
        [*command, *options, "-c", os.devnull, "-p", "no:cacheprovider", notebook.name],
        cwd=notebook.parent,
        env={**os.environ, **record.replaying(tape)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_stored_outputs_are_what_the_tape_gives(lesson):
    result = compare(lesson, paths.tape(lesson))
    assert result.returncode == 0, result.stdout
    cells = [cell for cell in nbformat.read(lesson, 4).cells if cell.cell_type == "code"]
    assert f"{len(cells)} passed" in result.stdout


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_one_changed_output_is_noticed(lesson, tmp_path):
    notebook = nbformat.read(lesson, as_version=4)
    texts = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    ]
    texts[len(texts) // 2].text += "?"
    changed = tmp_path / lesson.name
    nbformat.write(notebook, changed)
    result = compare(changed, paths.tape(lesson))
    assert result.returncode == 1 and "1 failed" in result.stdout, result.stdout


def test_little_is_left_out_of_the_comparison():
    rules = ConfigParser(interpolation=None)
    rules.read(SANITIZE, encoding="utf-8")
    assert len(rules.sections()) <= 5
