"""The seats of a class: a name and a code for each learner, in a file of the teacher's own."""

import asyncio
import csv
import hashlib
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..endpoint.learner import Learner
from ..paths import replacing
from ..rows import FORMULA
from ..words import LabError, printable, reason

# Letters and digits that nobody takes for another; 16 of them are 79 bits.
SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
LONGEST_NAME = 60
# Seconds for a wrong code: who guesses waits, and nobody else.
WRONG = 1
# What stands above the names of a table.
HEADS = {"name", "names", "full name", "student", "learner", "姓名", "名字", "学生", "学生姓名"}


@dataclass(frozen=True)
class Seat:
    """A learner's name, and the code that is their key."""

    name: str
    code: str


class Seats:
    """The seats in a file, which `add` makes; codes stay from one lesson to the next."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seats = [Seat(*row[:2]) for row in _rows(path)] if path.exists() else []
        self._learners = _by_digest(self.seats)

    def names(self) -> list[str]:
        """The learners' names, in the order of their seats."""
        return [seat.name for seat in self.seats]

    def add(self, names: Iterable[str]) -> None:
        """A seat for each name that has none yet; the file is there whole or not at all.

        Raises `LabError` for a name that comes twice, is too long or would be a formula, `OSError`
        from writing.
        """
        names = [unicodedata.normalize("NFC", " ".join(printable(n).split())) for n in names]
        if odd := [name for name in names if name.startswith(FORMULA)]:
            raise LabError("classroom.name_odd", name=odd[0])
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise LabError("classroom.names_twice", names=", ".join(twice))
        if too_long := [name for name in names if len(name) > LONGEST_NAME]:
            raise LabError("classroom.name_long", name=too_long[0], most=LONGEST_NAME)
        known = {seat.name for seat in self.seats}
        self.seats += [Seat(name, _code()) for name in names if name and name not in known]
        with replacing(self._path, newline="") as file:
            csv.writer(file).writerows((seat.name, seat.code) for seat in self.seats)
        self._learners = _by_digest(self.seats)

    async def identify(self, given: str) -> Learner | None:
        """Whose code it is; a wrong one is told only after a while."""
        # By their digests: how long that takes says nothing about a code.
        found = self._learners.get(_digest(given))
        if not found:
            await asyncio.sleep(WRONG)
        return found


def listed(path: Path) -> list[str]:
    """The names in a teacher's file: one a line, or the first column of a table below its head.

    Raises `LabError` when it cannot be read or has no names.
    """
    try:
        names = [row[0].strip() for row in _rows(path)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabError("classroom.seats_unreadable", path=path, reason=reason(error)) from error
    if names and names[0].lower() in HEADS:
        del names[0]
    if not names:
        raise LabError("classroom.seats_empty", path=path)
    return names


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.reader(file) if row and row[0].strip()]


def _code() -> str:
    signs = "".join(secrets.choice(SIGNS) for _ in range(16))
    return "-".join(re.findall("....", signs))


def _digest(code: str) -> bytes:
    """Of a code as it was typed: capitals, blanks and hyphens do not count."""
    return hashlib.sha256(re.sub(r"[\W_]", "", code).lower().encode()).digest()


def _by_digest(seats: list[Seat]) -> dict[bytes, Learner]:
    return {_digest(seat.code): Learner(seat.name) for seat in seats}
