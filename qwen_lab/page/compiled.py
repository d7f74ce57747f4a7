"""Modules compiled beforehand, by the page's own Python in Node.js: a browser takes its time."""

import hashlib
import shutil
import tempfile
from pathlib import Path
from zipfile import ZipFile

from ..words import LabError
from . import parts
from .archive import Files, unpacked, zipped

SCRIPT = Path(__file__).with_name("compile.mjs")


def compiled(kind: str, place: str, files: Files) -> Files:
    """The modules of these files, compiled for a place in the page, each under its name and a "c".

    Not those that are for another Python. Kept by the name `kind` until the modules are others.
    `LabError` without Node.js.
    """
    given = zipped({f"{place}/{name}": each for name, each in files.items() if name[-3:] == ".py"})
    mark = hashlib.sha256(SCRIPT.read_bytes() + given).hexdigest().encode()
    kept = parts.folder() / f"compiled-{kind}.zip"
    if not kept.is_file() or _mark(kept) != mark:
        _compile(given, kept, mark)
    with ZipFile(kept) as archive:
        return {each.removeprefix(f"{place}/"): archive.read(each) for each in archive.namelist()}


def _mark(path: Path) -> bytes:
    with ZipFile(path) as archive:
        return archive.comment


def _compile(given: bytes, kept: Path, mark: bytes) -> None:
    if not (node := shutil.which("node")):
        raise LabError("site.no_node")
    with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
        place = Path(scratch)
        for name, content in unpacked(parts.package("pyodide").read_bytes()):
            (place / Path(name).name).write_bytes(content)
        (place / "given.zip").write_bytes(given)
        made = place / "made.zip"
        parts.run([node, str(SCRIPT), scratch, str(place / "given.zip"), str(made)])
        with ZipFile(made, "a") as archive:
            archive.comment = mark
        made.replace(kept)
