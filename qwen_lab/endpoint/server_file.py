"""Where the one server of this user lies: its port, token and process, and who is connected.

One folder for each package version, model and notes folder, under `QWEN_LAB_HOME`.
"""

import errno
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import psutil

from .. import __version__
from ..paths import given, home, replacing
from ..words import LabError, reason
from . import BASE


def _identity(pid: int) -> int:
    """What tells a process from a later one of its number, however the clock is set."""
    return hash(psutil.Process(pid))


@dataclass(frozen=True)
class State:
    """A server as its state file tells it: by default, one in this process."""

    port: int
    model: str
    token: str = field(repr=False)
    pid: int = field(default_factory=os.getpid)
    identity: int = field(default_factory=lambda: _identity(os.getpid()))
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{BASE}"

    @property
    def alive(self) -> bool:
        """Whether its process still runs; a new process with the old number does not count."""
        return _runs(self.pid, self.identity)

    def is_sound(self) -> bool:
        """Whether a server can have written it."""
        numbers = (self.port, 2**16), (self.pid, 2**31), (self.created, 2**32)
        return (
            all(type(getattr(self, each.name)) is each.type for each in fields(self))
            and all(0 <= number < bound for number, bound in numbers)
            and self.model.isprintable()
            and bool(re.fullmatch(r"[\w-]+", self.token, re.A))
        )


@contextmanager
def home_in_use() -> Iterator[None]:
    """Tell in a sentence that the lab's own folder cannot be written."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        kind = "full" if full else "file" if home().is_file() else "unwritable"
        raise LabError(f"server.home_{kind}", folder=home(), reason=reason(error)) from error


def folder(weights: Path) -> Path:
    """The folder of the server for these weights, which `make` makes.

    Raises `LabError` when the learner's folder of notes is not there.
    """
    parts = (__version__, str(weights.resolve()), *map(str, notes()))
    return home() / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def make(weights: Path) -> Path:
    """`folder`, made if need be."""
    return made(folder(weights))


def made(place: Path) -> Path:
    """A server's folder, made if need be, readable by its owner only."""
    (place / "clients").mkdir(mode=0o700, parents=True, exist_ok=True)
    place.chmod(0o700)
    return place


def notes() -> list[Path]:
    """The learner's own folder of notes, `QWEN_LAB_NOTES`; raises `LabError` if it is not there."""
    if not (named := os.environ.get("QWEN_LAB_NOTES")):
        return []
    folder = given(named).absolute()
    if not folder.is_dir():
        raise LabError("server.no_notes", folder=folder)
    return [folder]


def load(place: Path) -> State | None:
    """The state in a folder, or None where there is none, or a damaged one.

    Raises `OSError` where it may not be read.
    """
    file = place / "state.json"
    try:
        state = State(**json.loads(file.read_text(encoding="utf-8") if file.is_file() else "{}"))
    except (FileNotFoundError, ValueError, TypeError, RecursionError):
        return None
    return state if state.is_sound() else None


def save(place: Path, port: int, model: str) -> State:
    """Write this process down as the folder's server; at an earlier port, the token goes on too."""
    earlier = load(place)
    # Who has taken the earlier port may have been sent its token.
    kept = earlier and earlier.port == port
    state = State(port, model, earlier.token if kept else secrets.token_urlsafe(32))
    # The token never lies open, not for a moment.
    with replacing(place / "state.json") as file:
        json.dump(asdict(state), file)
    return state


def register(place: Path) -> None:
    """Write this process down as one that is connected; the server lives while it lives."""
    pid = os.getpid()
    (place / "clients" / f"{pid}.{_identity(pid)}").touch(0o600)


def clients(place: Path) -> list[int]:
    """The process numbers that are connected and alive; forgets the others."""
    alive = []
    for client in (place / "clients").iterdir():
        # What else lies there stays.
        with suppress(OSError, ValueError):
            pid, identity = map(int, client.name.split("."))
            if _runs(pid, identity):
                alive.append(pid)
            else:
                client.unlink()
    return alive


def _runs(pid: int, identity: int) -> bool:
    try:
        status = psutil.Process(pid).status()
        return _identity(pid) == identity and status != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
