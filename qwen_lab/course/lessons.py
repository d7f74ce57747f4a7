"""The learner's copies of the lessons: what the learner wrote is never overwritten.

Standard library only. The lessons themselves lie in `notebooks/` of the checkout, or inside the
package when it was installed from a wheel; a learner never works on those.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from .. import paths
from ..paths import originals
from ..words import LANGUAGES, LabError, joined, reason
from . import editions


def folder() -> Path:
    """The folder of the learner's copies: in their own checkout, else where they are."""
    return (paths.ROOT if paths.is_checkout() and paths.is_own() else Path.cwd()) / "my_lessons"


def names(language: str) -> list[str]:
    """The file names of a language's lessons, in order."""
    return sorted(path.name for path in (originals() / language).glob("[0-9][0-9]_*.ipynb"))


def first(language: str) -> str:
    """The file name of the lesson to begin with; 00 is a tour, for whoever wants one."""
    return next(name for name in names(language) if not name.startswith("00"))


def read(lesson: Path) -> SimpleNamespace:
    """The notebook as nbformat reads it, but without nbformat, which a page cannot have."""
    found = json.loads(lesson.read_bytes(), object_hook=lambda row: SimpleNamespace(**row))
    for cell in found.cells:
        cell.source = "".join(cell.source)
    return found


def copy() -> Path:
    """Bring the copies up to date, and return the folder they are in.

    A lesson that is not there is copied, and a copy in which the learner wrote nothing follows its
    lesson. Any other is left as it is. `LabError` if the folder cannot be written.
    """
    for lesson, mine in _pairs():
        if not mine.exists() or (editions.is_untouched(mine) and editions.is_behind(mine, lesson)):
            _place(lesson, mine)
    return folder()


def outdated() -> list[Path]:
    """The copies of an earlier edition: after `copy`, those in which the learner wrote."""
    return [mine for lesson, mine in _pairs() if mine.exists() and editions.is_behind(mine, lesson)]


def _pairs() -> Iterator[tuple[Path, Path]]:
    """Each lesson, and where the learner's copy of it lies."""
    for language in LANGUAGES:
        for name in names(language):
            yield originals() / language / name, folder() / language / name


def reset(number: int, language: str) -> tuple[Path, Path | None]:
    """Restore one lesson; return it and the backup of the learner's copy, if there was one.

    `LabError` if there is no such lesson, or if the folder cannot be written.
    """
    lesson = folder() / language / _name(number, language)
    backup = _backup(lesson) if lesson.exists() else None
    _place(originals() / language / lesson.name, lesson, keep_as=backup)
    return lesson, backup


def _name(number: int, language: str) -> str:
    for name in names(language):
        if name.startswith(f"{number:02d}_"):
            return name
    known = joined(name[:2] for name in names(language))
    raise LabError("lessons.no_such", number=number, lessons=known)


def _backup(lesson: Path) -> Path:
    backup, moment = lesson, datetime.now()
    # Two resets within a second: the first backup holds the learner's work.
    while backup.exists():
        backup = lesson.with_name(f"{lesson.stem}.backup-{moment:%Y%m%d-%H%M%S}.ipynb")
        moment += timedelta(seconds=1)
    return backup


def _place(source: Path, target: Path, keep_as: Path | None = None) -> None:
    """Put a whole file in place at once, so that an interruption leaves no half of one."""
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(editions.named(source), encoding="utf-8")
        if keep_as:
            os.replace(target, keep_as)
        os.replace(part, target)
    except OSError as error:
        told = {"path": target.parent, "reason": reason(error)}
        raise LabError("lessons.cannot_write", **told) from error
    finally:
        # Once it is in place, or where no folder could be made, there is none.
        with suppress(OSError):
            part.unlink()
