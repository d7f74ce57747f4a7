"""Why a server did not start: how its process ended and what its log says, in plain words."""

import re
import shutil
import signal
from pathlib import Path

from .. import paths
from ..words import LabError, joined, names, say

TABLE = paths.table(__file__)
# An error in the engine's log: a time, "E", and where it arose.
ENGINE = re.compile(r"^[\d.]+ E (?:\w+ +)?\w+: (.+)$", re.M)
# Less room than this is none.
ROOM = 100_000


def failure(code: int | None, log: Path, model: Path, seconds: float) -> LabError:
    """The error for a server that ended with this code, None when it was not ready in time."""
    text = log.read_text(encoding="utf-8", errors="replace").strip()
    known = {"path": model, "folder": log.parent, "seconds": f"{seconds:g}"}
    causes = _causes(code, text, log.parent)
    why = [say(f"server.{key}", **known) for key in causes]
    if name := signal_name(code):
        meaning = f"server.{name}" if name in names("server") else "server.signal"
        why.insert(0, say(meaning, name=name))
    # Of a full disk the system says the same once more.
    if (said := _said(text)) and "home_full" not in causes:
        why.append(say("server.said", said=said))
    why = why or [say("server.silent", code=code)]
    return LabError("server.did_not_start", why=joined(why, "sentences"), log=log)


def signal_name(code: int | None) -> str:
    """The signal that ended a process with this code, such as "SIGILL"; "" if none did."""
    if code is not None and code < 0:
        known = {number.value: number.name for number in signal.Signals}
        return known.get(-code, f"SIG{-code}")
    return TABLE["codes"].get(str(code), "")


def _causes(code: int | None, text: str, folder: Path) -> list[str]:
    """The words for what is known of the cause: at most one thing, the log's word first."""
    if code is None:
        return ["too_slow"]
    found = [key for key, pattern in TABLE["said"].items() if re.search(pattern, text)]
    # On a full disk there is no log either.
    return found[:1] or ["home_full"] * (shutil.disk_usage(folder).free < ROOM)


def _said(text: str) -> str:
    """The engine's own reason, else the last line."""
    reasons = ENGINE.findall(text) or text.splitlines()[-1:]
    return reasons[0].removeprefix("RuntimeError: ").strip(" .。") if reasons else ""
