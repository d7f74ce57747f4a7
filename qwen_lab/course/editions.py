"""Which edition of its lesson a learner's copy is of, and whether the learner wrote in it.

An edition is a digest of the cells' sources, and a copy names its own in its metadata. Copies made
before they did so are known by `editions.toml`. Standard library only.
"""

import hashlib
import json
from pathlib import Path

from .. import paths

KEY = "qwen_lab_edition"
TABLE = paths.table(__file__)


def named(lesson: Path) -> str:
    """The text of a lesson's notebook, which names its edition."""
    notebook = json.loads(lesson.read_text(encoding="utf-8"))
    notebook["metadata"][KEY] = _edition(_cells(notebook))
    return json.dumps(unnumbered(notebook), ensure_ascii=False, indent=1) + "\n"


def unnumbered(notebook: dict) -> dict:
    """The notebook, as nobody had run it: a cell's number tells learners that they have."""
    for cell in notebook["cells"]:
        for part in (cell, *cell.get("outputs", ())):
            if "execution_count" in part:
                part["execution_count"] = None
    return notebook


def is_untouched(copy: Path) -> bool:
    """Whether the learner wrote nothing in a copy: its sources are those of a shipped edition.

    Running cells changes outputs and metadata and adds an empty cell; that is no writing.
    """
    name, cells = _read(copy)
    return _edition(cells) in (name, *_known(copy)["editions"])


def is_behind(copy: Path, lesson: Path) -> bool:
    """Whether a copy is of an earlier edition than the lesson, written in or not."""
    name, cells = _read(copy)
    present = _edition(_read(lesson)[1])
    if _edition(cells) == present:
        return False
    if name:
        return name != present
    # A copy without a name is of the last edition that gave none, unless it has a cell that only
    # earlier ones had.
    known = _known(copy)
    return present not in known["editions"][-1:] or not known["gone"].isdisjoint(cells)


def _read(notebook: Path) -> tuple[str | None, list[str]]:
    """The edition that a notebook names, and its cells; a learner's file may be anything."""
    content = paths.read_json(notebook)
    try:
        return content["metadata"].get(KEY), _cells(content)
    except (LookupError, TypeError, AttributeError):
        return None, []


def _cells(notebook: dict) -> list[str]:
    """A digest of each cell that is not empty: of its kind and its source."""
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    return [_digest(cell)[:8] for cell in cells if cell[1].strip()]


def _edition(cells: list[str]) -> str:
    return _digest(cells)[:12]


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _known(copy: Path) -> dict:
    """The nameless editions of a copy's lesson, and the cells that only earlier ones had."""
    lesson = TABLE.get(copy.parent.name, {}).get(copy.stem, {})
    return {"editions": lesson.get("editions", []), "gone": set(lesson.get("gone", []))}
