"""The seats of a class: a name and a code for each learner, in a file of the teacher's own."""

import asyncio
import csv
import hashlib
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from ..endpoint.learner import Learner
from ..paths import replacing
from ..rows import FORMULA
from ..words import LabError, joined, printable, reason

# Letters and digits that nobody takes for another; 16 of them are 79 bits.
SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
LONGEST_NAME = 60
# Seconds for a wrong code: who guesses waits, and nobody else.
WRONG = 1
# What a list of Chinese names is made of. Of one in another encoding GBK would make other signs, or
# rare characters, which the older GB2312 has not.
HAN = re.compile("[\u4e00-\u9fff]")
GBK = re.compile(r"(?:[\t\r\n -~]|[\u4e00-\u9fff\u3000·、，。；：（）])*")
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
        self._path, self._written = path, None
        self.seats: list[Seat] = []
        self._learners: dict[bytes, Learner] = {}
        self._read()

    def names(self) -> list[str]:
        """The learners' names, in the order of their seats."""
        return [seat.name for seat in self.seats]

    def add(self, names: Iterable[str]) -> None:
        """A seat for each name that has none yet; the file is there whole or not at all.

        Raises `LabError` for a name that comes twice, is too long or would be a formula, `OSError`
        from writing.
        """
        names = [*map(_plain, names)]
        if odd := [name for name in names if name.startswith(FORMULA)]:
            raise LabError("classroom.name_odd", name=odd[0])
        # Whatever the capitals: nobody could tell them apart in a room, or logging in.
        counts = Counter(map(str.casefold, names))
        if twice := [name for name in names if counts[name.casefold()] > 1]:
            raise LabError("classroom.names_twice", names=joined(twice))
        if too_long := [name for name in names if len(name) > LONGEST_NAME]:
            raise LabError("classroom.name_long", name=too_long[0], most=LONGEST_NAME)
        known = {"", *(seat.name.casefold() for seat in self.seats)}
        new = [Seat(name, _code()) for name in names if name.casefold() not in known]
        self._write([*self.seats, *new])

    def remove(self, name: str) -> None:
        """Take a seat away: its code opens nothing any more, in a class that is open too.

        Raises `LabError` where nobody of this name has one, `OSError` from writing.
        """
        kept = [seat for seat in self.seats if seat.name != _plain(name)]
        if len(kept) == len(self.seats):
            raise LabError("classroom.no_seat", name=name, names=joined(self.names()))
        self._write(kept)

    async def identify(self, given: str) -> Learner | None:
        """Whose code it is; a wrong one is told only after a while."""
        # Another process may have taken a seat away; what cannot be read takes none.
        with suppress(OSError, ValueError, csv.Error):
            self._read()
        # By their digests: how long that takes says nothing about a code.
        found = self._learners.get(_digest(given))
        if not found:
            await asyncio.sleep(WRONG)
        return found

    def _read(self) -> None:
        """Take what is in the file, if it has been written since."""
        written = self._path.stat().st_mtime_ns if self._path.exists() else None
        if written != self._written:
            rows = _rows(self._path) if written else []
            self.seats = [Seat(*row[:2]) for row in rows if row[1:]]
            self._learners = {_digest(seat.code): Learner(seat.name) for seat in self.seats}
            self._written = written

    def _write(self, seats: list[Seat]) -> None:
        with replacing(self._path, newline="") as file:
            csv.writer(file).writerows((seat.name, seat.code) for seat in seats)
        self._written = None
        self._read()


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
    rows = csv.reader(StringIO(_text(path.read_bytes()), newline=""))
    return [row for row in rows if row and row[0].strip()]


def _text(content: bytes) -> str:
    """What it says in UTF-8, or in GBK, as Excel saves it in China, where it is nothing else."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030")
        common = text.encode("gb2312", "ignore").decode("gb2312")
        if GBK.fullmatch(text) and 2 * len(HAN.findall(common)) > len(HAN.findall(text)):
            return text
        raise


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(printable(name).split()))


def _code() -> str:
    signs = "".join(secrets.choice(SIGNS) for _ in range(16))
    return "-".join(re.findall("....", signs))


def _digest(code: str) -> bytes:
    """Of a code as it was typed: capitals, blanks and hyphens do not count."""
    return hashlib.sha256(re.sub(r"[\W_]", "", code).lower().encode()).digest()
