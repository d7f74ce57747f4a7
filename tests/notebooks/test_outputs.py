"""`pytest --nbval notebooks` compares every stored output with what the lesson's tape gives.

`test` runs it over all lessons, beside these tests. Here is shown what it notices, in whose words,
and that the shell from which it is called makes no difference.
"""

import os
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from qwen_lab import paths

# What a shell may hold: any of these would keep a lesson from its tape.
SHELL = {
    "DASHSCOPE_API_KEY": "sk-0123456789abcdef",
    "QWEN_LAB_ENDPOINT": "dashscope",
    "QWEN_LAB_TAPE": "/another/tape.jsonl",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
}


@pytest.fixture
def checkout(tmp_path):
    """A checkout that has no lesson yet."""
    (tmp_path / "notebooks").mkdir()
    for name in ("pyproject.toml", "notebooks/conftest.py", "notebooks/sanitize.cfg"):
        shutil.copyfile(paths.ROOT / name, tmp_path / name)
    return tmp_path


def compare(checkout):
    """How each cell ends under `pytest --nbval notebooks`, and all that pytest says."""
    command = [sys.executable, "-m", "pytest", "--nbval", "notebooks"]
    options = ["-v", "--color=no", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *options], cwd=checkout, env=os.environ | SHELL, capture_output=True, text=True
    )
    outcomes = re.findall(r"::Cell \d+ (PASSED|FAILED|SKIPPED|XFAIL)", done.stdout)
    assert done.returncode == ("FAILED" in outcomes), done.stdout + done.stderr
    return outcomes, done.stdout


@pytest.mark.parametrize(("language", "number"), [("zh", "03"), ("en", "01")])
def test_one_changed_output_fails_its_cell_and_no_other(language, number, checkout):
    [lesson] = (paths.originals() / language).glob(f"{number}_*.ipynb")
    notebook, tape = nbformat.read(lesson, as_version=4), paths.tape(lesson)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    printing = [cell for cell in cells if cell.outputs and "text" in cell.outputs[0]]
    changed = printing[len(printing) // 2]
    changed.outputs[0].text += "Once more."
    for name, copied in ((lesson, nbformat.writes(notebook)), (tape, tape.read_text("utf-8"))):
        place = checkout / "notebooks" / name.relative_to(paths.originals())
        place.parent.mkdir(parents=True)
        place.write_text(copied, "utf-8")
    outcomes, said = compare(checkout)
    assert outcomes == ["FAILED" if cell is changed else "PASSED" for cell in cells], said
    assert "Cell outputs differ" in said and "Once more." in said


def test_a_cell_whose_outputs_are_not_all_compared_fails(checkout):
    with open(checkout / "notebooks" / "sanitize.cfg", "a", encoding="utf-8") as rules:
        rules.write("\n[all that follows a word]\nregex: (?s)anything.*\nreplace: anything\n")
    cells = [
        cell("print('seen')", "seen\n"),
        cell("print('seen')", "seen\n", tags=["nbval-ignore-output"]),
        cell("# NBVAL_IGNORE_OUTPUT\nprint('seen')", "seen\n"),
        cell("print('seen')", "seen\n", tags=["nbval-skip"]),
        cell("print('anything')", "anything\n"),
        cell("print('seen')", "", execution_count=None),
        cell("x = 1", ""),
    ]
    nbformat.write(new_notebook(cells=cells), checkout / "notebooks" / "lesson.ipynb")
    outcomes, said = compare(checkout)
    assert outcomes == ["PASSED", *["FAILED"] * 5, "PASSED"], said
    assert said.count("nbval does not compare all that this cell shows") >= 5


def cell(source, prints, tags=(), execution_count=1):
    return new_code_cell(
        source,
        outputs=[new_output("stream", text=prints)] if prints else [],
        metadata={"tags": list(tags)},
        execution_count=execution_count,
    )


def test_little_is_left_out_of_the_comparison():
    rules = ConfigParser(interpolation=None)
    rules.read(paths.originals() / "sanitize.cfg", encoding="utf-8")
    assert 0 < len(rules.sections()) <= 5
