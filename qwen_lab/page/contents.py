"""The lessons as JupyterLite lists them: each cell's id says which lesson's it is."""

import json
import re

from ..course import editions, lessons
from ..paths import originals
from ..words import LANGUAGES
from .archive import Files, as_json

# Where a notebook has texts, line by line.
TEXT = re.compile("^(source|text)$|/")
# A listed file must have a date; the same at every build.
LONG_AGO = "2026-01-01T00:00:00Z"


def files() -> Files:
    """Them all by their paths in the site."""
    found, folders = {}, []
    for language in LANGUAGES:
        rows = []
        for name in lessons.names(language):
            lesson = (originals() / language / name).read_bytes()
            notebook = editions.unnumbered(json.loads(lesson, object_hook=_joined))
            for cell in notebook["cells"]:
                cell["id"] = f"{language}-{name[:-6]}--{cell['id']}"
                if cell["cell_type"] == "code":
                    # Else JupyterLab takes the style out of what it shows.
                    cell["metadata"]["trusted"] = True
                if "qwen_lab.connect(" in cell["source"] and "outputs" in cell:
                    # Who answers is told otherwise in a page.
                    cell["outputs"] = []
            content = json.dumps(notebook, ensure_ascii=False, indent=1).encode()
            found[f"files/{language}/{name}"] = content
            rows.append(_row(f"{language}/{name}", "notebook", len(content)))
        found[f"api/contents/{language}/all.json"] = _listing(language, rows)
        folders.append(_row(language, "directory", None))
    return found | {"api/contents/all.json": _listing("", folders)}


def _joined(row: dict) -> dict:
    """A part of a notebook with each text in one piece: JupyterLite reads no lists of lines."""
    return {
        name: "".join(value) if isinstance(value, list) and TEXT.search(name) else value
        for name, value in row.items()
    }


def _row(path: str, kind: str, size: int | None) -> dict:
    return {
        "name": path.split("/")[-1], "path": path, "type": kind, "size": size, "writable": True,
        "format": None, "content": None, "mimetype": None,
        "created": LONG_AGO, "last_modified": LONG_AGO,
    }  # fmt: skip


def _listing(path: str, rows: list[dict]) -> bytes:
    return as_json(_row(path, "directory", None) | {"format": "json", "content": rows})
