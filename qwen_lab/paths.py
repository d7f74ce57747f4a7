"""Where things lie: the checkout, the lessons and their tapes, and what the lab keeps for itself.

Standard library only at import: set-up asks for these places before anything is installed.
"""

import json
import os
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# The checkout; the folder of installed packages, when the lab was installed from a wheel.
ROOT = Path(__file__).resolve().parents[1]


def is_checkout() -> bool:
    """Say whether the package lies in its checkout, and not in an installed wheel."""
    return (ROOT / "pyproject.toml").is_file() and (ROOT / "requirements.txt").is_file()


def is_own() -> bool:
    """Say whether `ROOT` is this user's: on a hub all learners share one, and only read it."""
    return os.access(ROOT, os.W_OK)


def originals() -> Path:
    """The folder that holds the lessons as they were written, one folder a language."""
    return ROOT / "notebooks" if is_checkout() else Path(__file__).parent / "notebooks"


def tape(lesson: Path) -> Path:
    """The tape of a lesson, or of a copy of it: by the language it lies in and its name."""
    return originals() / "tape" / lesson.parent.name / f"{lesson.stem}.jsonl"


def read_json(path: Path) -> object:
    """What a file of JSON says; None where there is none, or it says nothing that can be read."""
    try:
        # Anything but a file, such as a pipe, might never end.
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return None


def home() -> Path:
    """The folder of what the lab keeps: `QWEN_LAB_HOME`, else the user's state folder."""
    if chosen := os.environ.get("QWEN_LAB_HOME"):
        return given(chosen)
    import platformdirs

    return platformdirs.user_state_path("qwen-lab", appauthor=False)


def cache() -> Path:
    """The folder of what the lab can fetch again: the user's cache."""
    import platformdirs

    return platformdirs.user_cache_path("qwen-lab", appauthor=False)


def table(module: str) -> dict:
    """What stands in the TOML file beside a module, which is given by its `__file__`."""
    return tomllib.loads(Path(module).with_suffix(".toml").read_text(encoding="utf-8"))


def given(path: str) -> Path:
    """A path as a learner writes it; `~` is their home, where there is one of that name."""
    return Path(os.path.expanduser(path))


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
