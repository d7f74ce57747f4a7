"""A server's process: started apart from who asks for it, with a log that stays short; ended."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from ..paths import given

LOG = "server.log"
# Bytes; a session's warnings take a thousand.
LONGEST_LOG = 1_000_000
PATHS = ("QWEN_LAB_HOME", "QWEN_LAB_NOTES")


def spawn(place: Path, code: str) -> subprocess.Popen:
    """A Python of its own that runs this code in the folder; its log has all that it says."""
    around = {"cwd": place, "env": os.environ | _whole_paths(), **_detached()}
    with (place / LOG).open("wb") as output:
        streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
        return subprocess.Popen([sys.executable, "-c", code], **streams, **around)


def _whole_paths() -> dict[str, str]:
    """What the environment calls by paths; in the server's folder, relative ones would mislead."""
    named = {name: os.environ.get(name) for name in PATHS}
    return {name: str(given(path).absolute()) for name, path in named.items() if path}


def _detached() -> dict:
    """Out of reach of the Ctrl-C that interrupts a kernel or a terminal."""
    if os.name == "posix":
        return {"start_new_session": True}
    return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}


def turn_log(place: Path) -> None:
    """Begin this process's log anew when it is long; what it said is kept beside it, once.

    Nothing happens to what another process writes, or to the terminal of a server in front.
    """
    log = place / LOG
    with suppress(OSError):
        if os.path.samestat(os.fstat(2), log.stat()) and log.stat().st_size > LONGEST_LOG:
            shutil.copyfile(log, log.with_suffix(".1.log"))
            # The engine writes here by itself: so the file stays, and is emptied.
            os.ftruncate(2, 0)
            os.lseek(2, 0, os.SEEK_SET)


def end(pid: int) -> None:
    """End a process: at first kindly."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.terminate()
        try:
            process.wait(5)
        except psutil.TimeoutExpired:
            process.kill()
