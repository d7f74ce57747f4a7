"""Where the one server of this user lies: its port, token and process, and who is connected.

One folder for each package version, model and notes folder, under `QWEN_LAB_HOME`.
"""

import hashlib
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from .. import __version__
from ..paths import home, replacing
from ..words import LabError

# The endpoint's path, the same as in the cloud.
BASE = "/compatible-mode/v1"


@dataclass(frozen=True)
class State:
    """A server as its state file tells it. `started` is its process's start, unix seconds."""

    port: int
    pid: int
    started: float
    model: str
    token: str = field(repr=False)
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{BASE}"

    @property
    def alive(self) -> bool:
        """Whether its process still runs; a new process with the old number does not count."""
        return _runs(self.pid, self.started)


def folder(weights: Path) -> Path:
    """The folder of the server for these weights; made if need be, readable by its owner only.

    Raises `LabError` when the learner's folder of notes is not there.
    """
    parts = (__version__, str(weights.resolve()), *map(str, notes()))
    place = home() / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
    (place / "clients").mkdir(mode=0o700, parents=True, exist_ok=True)
    place.chmod(0o700)
    return place


def notes() -> list[Path]:
    """The learner's own folder of notes, `QWEN_LAB_NOTES`; raises `LabError` if it is not there."""
    if not (named := os.environ.get("QWEN_LAB_NOTES")):
        return []
    folder = Path(named).expanduser().absolute()
    if not folder.is_dir():
        raise LabError("server.no_notes", folder=folder)
    return [folder]


def load(place: Path) -> State | None:
    """The state in a folder, or None where there is none that can be read."""
    try:
        return State(**json.loads((place / "state.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def save(place: Path, port: int, model: str) -> State:
    """Write this process down as the folder's server; an earlier token goes on to be the token."""
    earlier = load(place)
    token = earlier.token if earlier else secrets.token_urlsafe(32)
    state = State(port, os.getpid(), psutil.Process().create_time(), model, token)
    # The token never lies open, not for a moment.
    with replacing(place / "state.json") as file:
        json.dump(asdict(state), file)
    return state


def register(place: Path) -> None:
    """Write this process down as one that is connected; the server lives while it lives."""
    client = place / "clients" / str(os.getpid())
    client.write_text(str(psutil.Process().create_time()))


def clients(place: Path) -> list[int]:
    """The process numbers that are connected and alive; forgets the others."""
    alive = []
    for client in (place / "clients").iterdir():
        try:
            if _runs(int(client.name), float(client.read_text())):
                alive.append(int(client.name))
            else:
                client.unlink()
        except (OSError, ValueError):
            continue
    return alive


def _runs(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        # Some systems round the start time, some by the clock's last correction.
        same = abs(process.create_time() - started) < 2
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
