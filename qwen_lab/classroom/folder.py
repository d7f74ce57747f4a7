"""The folder of a class: one process holds it; a seat is taken away, or all of it forgotten."""

import shutil
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock, Timeout

from ..endpoint import server_file
from ..paths import home, read_json
from ..words import LabError, say
from .config import Config
from .seats import Seats

# On a hub: what the hub keeps, and its service.
HUB, CLASS = "hub", "class"
# In it: which accounts were made for learners, and the proxy, which knows none.
ACCOUNTS, PROXY = "accounts.json", "proxy-"


def opened(
    place: Path, names: Iterable[str], config: Config
) -> tuple[AbstractContextManager, Seats, Config]:
    """Hold it, with a seat for each of these names too, and with the address that it has.

    Raises `LabError` where another process holds it, it has no seats, or cannot be written.
    """
    with server_file.home_in_use():
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock, config = locked(place), config.kept(place)
        seats = Seats(place / "seats.csv")
        seats.add(names)
    if not seats.seats:
        raise LabError("classroom.no_names")
    return lock, seats, config


def locked(place: Path) -> AbstractContextManager[FileLock]:
    """Hold it while the process lives: two would count in one ledger, unknown to each other."""
    try:
        return FileLock(place / "lock").acquire(timeout=0)
    except Timeout as error:
        raise LabError("classroom.open_already") from error


def remove(name: str, *, hub: bool) -> None:
    """Take a learner's seat away, and say from when on; raises `LabError` where there is none."""
    place = home() / (HUB if hub else CLASS)
    with server_file.home_in_use():
        Seats(place / "seats.csv").remove(name)
    account = _accounts(place).get(name, name)
    print(say("classroom.hub_removed" if hub else "classroom.removed", name=name, account=account))


def forget() -> None:
    """Delete all that a class has kept of its learners; raises `LabError` while it is open."""
    accounts = _accounts(home() / HUB)
    with server_file.home_in_use():
        for place in filter(Path.is_dir, (home() / HUB, home() / CLASS)):
            with locked(place) as lock:
                for path in {*place.iterdir()} - {Path(lock.lock_file), *place.glob(f"{PROXY}*")}:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
    print(say("classroom.forgotten", folder=home()))
    if accounts:
        print(say("classroom.accounts_left", accounts=" ".join(accounts.values())))


def _accounts(place: Path) -> dict[str, str]:
    return read_json(place / ACCOUNTS) or {}
