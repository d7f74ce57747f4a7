"""The Qwen's weights in a page: what a site brings to fetch them, and where the browser has them.

`download.js` fetches them, `weights.js` keeps them, `offer.js` is what a learner sees of that.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .. import paths
from ..endpoint.weights.weights import FILENAME, SIZE
from ..words import LabError
from .archive import Files, as_json

if TYPE_CHECKING:
    from pyodide.ffi import JsProxy

TABLE = paths.table(__file__)
# Set for the kernels of a site that says where the weights are.
SETTING = "QWEN_LAB_OFFER"
# In the site the folder of the pieces, and in the browser that of the file.
FOLDER = "qwen"


def files(url: str) -> Files:
    """The worker that fetches them from there, or with "" from the site itself.

    `LabError` when it is no address of the web.
    """
    if url and not url.startswith(("https://", "http://")):
        raise LabError("site.no_address", url=url)
    return {
        "qwen-weights.js": script({"name": FILENAME, "size": SIZE, "url": url or None, **TABLE})
    }


def script(weights: dict) -> bytes:
    """The worker for a file: its name, size, URL or None, bytes a piece, SHA-256 of each."""
    parts = [
        Path(__file__).with_name(f"{name}.js").read_bytes() for name in ("download", "weights")
    ]
    return b"const WEIGHTS = " + as_json(weights) + b";\n" + b"\n".join(parts)


def pieces(path: Path) -> Iterator[tuple[str, bytes]]:
    """The official file as pieces by their paths in the site; `LabError` when it is another."""
    with path.open("rb") as file:
        for digest in TABLE["sha256"]:
            piece = file.read(TABLE["piece"])
            if hashlib.sha256(piece).hexdigest() != digest:
                raise LabError("site.other_weights", path=path)
            yield f"{FOLDER}/{digest[:16]}.bin", piece


async def kept() -> "JsProxy | None":
    """The whole file, a `File` of JavaScript's, if this browser has it.

    None where it does not, and where a browser keeps no files: over plain http, for one.
    """
    import js
    from pyodide.ffi import JsException

    try:
        folder = await (await js.navigator.storage.getDirectory()).getDirectoryHandle(FOLDER)
        return await (await folder.getFileHandle(FILENAME)).getFile()
    except (AttributeError, JsException):
        return None


def offer(kind: str) -> None:
    """Show, under what `connect` said, where to fetch them, if recordings answer and a site can."""
    if kind == "page" and SETTING in os.environ:
        from IPython.display import display

        from .offer import Offer

        display(Offer())
