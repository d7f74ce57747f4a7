"""The lab's own files: where they lie, and how one is written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import platformdirs


def home() -> Path:
    """The folder of what the lab keeps: `QWEN_LAB_HOME`, else the user's state folder."""
    chosen = os.environ.get("QWEN_LAB_HOME")
    path = Path(chosen or platformdirs.user_state_path("qwen-lab", appauthor=False))
    return path.expanduser()


@contextmanager
def replacing(path: Path, **options: object) -> Iterator[IO[str]]:
    """A file to write, which takes the place of `path` when it is whole.

    Its owner alone can read it, from the first moment on. `options` are those of `open`; UTF-8 by
    default. Raises `OSError`; then the old file is there as before.
    """
    handle, scratch = tempfile.mkstemp(dir=path.parent, suffix=path.suffix)
    try:
        with open(handle, "w", **{"encoding": "utf-8", **options}) as file:
            yield file
        os.replace(scratch, path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
