"""Make the lessons' outputs in two passes: the live one writes the tape, the replay the outputs.

So what a lesson shows is what its tape gives, on every machine, and comes from the real model.
"""

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from .. import models, paths
from ..endpoint import server
from ..views.theme import styled
from ..words import say
from .exercises import exercises

# What a lesson keeps about its kernel; the rest would change with each machine.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEYS = ("DASHSCOPE_", "OPENAI_", "QWEN_LAB_")
SECONDS_A_CELL = 600
TRIES = paths.originals() / "tape" / "tries.toml"
STYLE = re.compile("^<style>.*?</style>", re.S)


def record(lesson: Path) -> None:
    """Run a lesson live and write its tape, then run it on the tape and write its outputs.

    The solutions of its exercises are on the tape too. No key is used. Raises what a cell raises;
    then neither file is changed.
    """
    tape = paths.tape(lesson)
    with tempfile.TemporaryDirectory() as home:
        fresh = Path(home) / "tape.jsonl"
        with _recording(home, fresh):
            run(solved(lesson), {"QWEN_LAB_ENDPOINT": "local", "QWEN_LAB_HOME": home})
        played = _played(lesson, fresh, home)
        tape.parent.mkdir(parents=True, exist_ok=True)
        tape.write_text(fresh.read_text(encoding="utf-8"), encoding="utf-8")
    played.metadata = nbformat.from_dict(METADATA)
    lesson.write_text(nbformat.writes(played) + "\n", encoding="utf-8")
    add_tries(lesson)


def add_tries(lesson: Path) -> None:
    """Ask live what a lesson invites to try, and put what is new behind its tape, marked.

    Nothing that the lesson shows comes from there: only a page, which plays the tape, needs it.
    """
    code = tomllib.loads(TRIES.read_text(encoding="utf-8")).get(lesson.stem)
    if not code:
        return
    notebook, tape = nbformat.read(lesson, as_version=4), paths.tape(lesson)
    notebook.cells.append(new_code_cell(code))
    with tempfile.TemporaryDirectory() as home:
        fresh = Path(home) / "tape.jsonl"
        with _recording(home, fresh):
            run(notebook, {"QWEN_LAB_ENDPOINT": "local", "QWEN_LAB_HOME": home})
        known, new = ([json.loads(line) for line in _lines(each)] for each in (tape, fresh))
    asked = [row.get("ask") for row in known]
    for row in new[1:]:
        if row["ask"] not in asked:
            asked.append(row["ask"])
            known.append(row | {"tried": True})
    lines = [json.dumps(row, ensure_ascii=False) for row in known]
    tape.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _lines(tape: Path) -> list[str]:
    return tape.read_text(encoding="utf-8").splitlines()


def renew(lesson: Path) -> None:
    """Run a lesson on its tape, and take over what a view now shows in another way.

    Where only figures and ids are others, the output stays: its times are the recording's.
    """
    restyle(lesson)
    with tempfile.TemporaryDirectory() as home:
        played = _played(lesson, paths.tape(lesson), home)
    notebook = nbformat.read(lesson, as_version=4)
    for cell, new in zip(notebook.cells, played.cells, strict=True):
        if _form(cell) != _form(new):
            cell.outputs = new.outputs
    lesson.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def restyle(lesson: Path) -> None:
    """Give the lesson's views the CSS that views have now; nothing is run."""
    notebook = nbformat.read(lesson, as_version=4)
    for output in (each for cell in notebook.cells for each in cell.get("outputs", [])):
        page = output.get("data", {}).get("text/html", "")
        if STYLE.match(page):
            output.data["text/html"] = styled(STYLE.sub("", page))
    lesson.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def _form(cell: nbformat.NotebookNode) -> str:
    """The HTML of a cell's outputs, without figures and ids."""
    pages = [output.get("data", {}).get("text/html", "") for output in cell.get("outputs", [])]
    return re.sub(r"[0-9a-f]{8}[0-9a-f-]{28}|[\d.,]+", "", "".join(pages))


def _played(lesson: Path, tape: Path, home: str) -> nbformat.NotebookNode:
    """The lesson as it runs on a tape."""
    # As fast as it was recorded: what the outputs say of times is true.
    timed = {"QWEN_LAB_TAPE_SPEED": "recorded", "QWEN_LAB_HOME": home}
    played = run(nbformat.read(lesson, as_version=4), replaying(tape) | timed)
    _drop_widgets(played)
    return played


def _drop_widgets(notebook: nbformat.NotebookNode) -> None:
    """Leave of each widget its text: the rest lives in a kernel that is gone."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def replaying(tape: Path) -> dict[str, str]:
    """The variables with which a lesson's kernel plays a tape."""
    return {"QWEN_LAB_ENDPOINT": "replay", "QWEN_LAB_TAPE": str(tape)}


def solved(lesson: Path) -> nbformat.NotebookNode:
    """The lesson, and after its last cell the solution of each exercise and its check."""
    notebook = nbformat.read(lesson, as_version=4)
    for exercise in exercises(notebook):
        code = filter(None, (exercise.solution, exercise.check))
        notebook.cells += map(new_code_cell, code)
    return notebook


def needs(lesson: Path) -> str:
    """What a lesson needs, as its title says it: minutes (the author's), calls, tokens and CNY.

    The calls of its exercises' solutions count; `lab.next_token` does not, since the cloud does not
    offer it. The tokens are those that the local model counted.
    """
    lines = map(json.loads, _lines(paths.tape(lesson)))
    ends = [line["end"] for line in lines if "end" in line and "tried" not in line]
    prompt, completion = (sum(end[at] for end in ends) for at in (1, 2))
    title = nbformat.read(lesson, as_version=4).cells[0].source
    minutes = re.search(r"(\d+) (?:minutes|分钟)", title)
    price = models.price()
    counted = {"calls": len(ends), "tokens": int(float(f"{prompt + completion:.2g}"))}
    cny = f"{price.of(prompt, completion):.1g}"
    priced = {"model": price.model, "cny": cny, "date": price.date}
    return say("lessons.needs", minutes=minutes[1] if minutes else "25", **counted, **priced)


def run(notebook: nbformat.NotebookNode, settings: dict[str, str]) -> nbformat.NotebookNode:
    """Run a notebook with these settings of the lab and no others; it then has its new outputs."""
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
            # What a cell prints piece by piece is one output, as a reader sees it.
            coalesce_streams=True,
            store_widget_state=False,
        )
        return client.execute(env=clean | settings)


@contextmanager
def _recording(home: str, tape: Path) -> Iterator[None]:
    """A local Qwen with a home of its own, which writes down all that it answers."""
    with patch.dict(os.environ, QWEN_LAB_HOME=home):
        server.start(record=tape)
        try:
            yield
        finally:
            server.stop()
