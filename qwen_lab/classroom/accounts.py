"""A hub's learners as Unix users: accounts that are there, and those that a class makes."""

import json
import pwd
import re
import subprocess
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ..paths import read_json, replacing
from ..words import LabError, joined
from .seats import Seat

# Below it are the system's own.
FIRST = 1000


def ready(seats: Iterable[Seat], file: Path, *, make: bool) -> dict[str, str]:
    """The account of each learner by name; with `make`, made where there is none.

    `file` keeps which were made: their passwords are the seats' codes, each time anew. Raises
    `LabError` where there is none or none can be made, `OSError` from writing.
    """
    seats, made = [*seats], read_json(file) or {}
    for seat in seats if make else ():
        if not _is_there(made.get(seat.name, seat.name)):
            made[seat.name] = _free(seat.name)
            # Written first: an account that nobody remembers would keep its name for ever.
            with replacing(file) as kept:
                json.dump(made, kept, ensure_ascii=False)
            home = ("--create-home", "--key", "HOME_MODE=0700", "--shell", "/bin/bash")
            run("useradd", *home, made[seat.name])
    found = {seat.name: made.get(seat.name, seat.name) for seat in seats}
    if missing := [name for name, account in found.items() if not _is_there(account)]:
        raise LabError("classroom.no_accounts", names=joined(missing))
    codes = [f"{made[seat.name]}:{seat.code}\n" for seat in seats if seat.name in made]
    run("chpasswd", told="".join(codes))
    return found


def run(*command: str, told: str = "") -> None:
    """Run a program of the system's; `LabError` with its words where it fails."""
    try:
        subprocess.run(command, input=told, capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise LabError("classroom.account_failed", command=command[0], output=said) from error


def _is_there(account: str) -> bool:
    try:
        return pwd.getpwnam(account).pw_uid >= FIRST
    except (KeyError, ValueError):
        return False


def _free(name: str) -> str:
    """An account's name that every Linux takes, after the learner's, which nobody has yet."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    plain = re.sub("[^a-z0-9]+", "-", plain).strip("-")[:24]
    plain = plain if re.match("[a-z]", plain) else f"learner-{plain}".strip("-")
    taken = {user.pw_name for user in pwd.getpwall()}
    free = (f"{plain}-{number}" if number else plain for number in range(len(taken) + 1))
    return next(each for each in free if each not in taken)
