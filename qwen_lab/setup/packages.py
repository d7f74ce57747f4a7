"""The packages of this Python: which of the locked ones are there, and how the rest get there.

Standard library only. pip (or uv, where there is no pip) does the work; it is given the lock
with its hashes, and its many lines are shown as one living line.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from textwrap import shorten
from threading import Thread
from unicodedata import east_asian_width
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .. import __version__
from ..words import LabError, say

# Lines with a marker are left to pip: what they ask for differs from machine to machine.
_PIN = re.compile(r"^([\w.-]+)==([^\s;]+) *\\?$", re.M)
_NAMED = re.compile(
    r"^(?:Collecting |Requirement already satisfied: |Processing .*[\\/])([\w.-]+?)(?:==|-\d)"
)
_SIZED = re.compile(r"^ *(?:Downloading|Using cached) .*(\([\d.]+ .?B\))")

# What an installer's last words mean, most exact first. They are in English everywhere.
_FAILURES = {
    "setup.disk_full": ("No space left", "Errno 28", "not enough space", "WinError 112"),
    "setup.wrong_hash": ("DO NOT MATCH THE HASHES", "Hash mismatch"),
    "setup.no_network": (
        "NewConnectionError",
        "name resolution",
        "Connection refused",
        "Read timed out",
        "ConnectTimeout",
        "ReadTimeout",
        "ProxyError",
        "SSLError",
        "dns error",
        "error sending request",
    ),
    "setup.cannot_write": ("Permission denied", "Read-only file system", "Access is denied"),
}


def pins(lock: Path) -> dict[str, str]:
    """Read the names and versions that a lock file asks for on every machine."""
    return dict(_PIN.findall(lock.read_text(encoding="utf-8")))


def are_right(lock: Path, root: Path) -> bool:
    """Say whether this Python has every pinned version, and the checkout at `root` itself."""
    return _is_installed(root) and all(_version(name) == v for name, v in pins(lock).items())


def half_made() -> list[Path]:
    """List what an interrupted installer left: it names itself in INSTALLER as its last act."""
    places = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    return [place for place in places if not (place / "INSTALLER").is_file()]


def drop_half_made() -> None:
    """Forget half-made packages, which pip would otherwise take for whole."""
    for place in half_made():
        shutil.rmtree(place, ignore_errors=True)


def install(lock: Path, root: Path) -> None:
    """Install a lock file's packages here, and then the checkout at `root`, editable.

    `LabError` if it fails, with the installer's last words and the next step.
    """
    wanted, here = pins(lock), Path(sys.prefix)
    if any(_version(name) != version for name, version in wanted.items()):
        label = say("setup.packages", count=len(wanted))
        follow([*_installer(), str(lock)], label, here, lambda lines: _progress(lines, wanted))
    if not _is_installed(root):
        pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation"]
        follow([*pip, "--editable", str(root)], say("setup.lab"), here)


def uv() -> list[str]:
    """The command that runs uv, or nothing."""
    if found := shutil.which("uv"):
        return [found]
    return [sys.executable, "-m", "uv"] if find_spec("uv") else []


def follow(
    command: list[str],
    label: str,
    place: Path,
    detail: Callable[[list[str]], str] = lambda lines: "",
) -> None:
    """Run a command behind one living line: `detail` of its output so far, or `label`; seconds.

    `LabError` if it fails, with the end of its output; `place` is what it could not write.
    """
    began, line = time.monotonic(), _Line(f"{label} …")
    with _piped(command) as process:
        lines: list[str] = []
        reader = Thread(target=lambda: [lines.append(each) for each in process.stdout])
        try:
            reader.start()
            while reader.is_alive():
                reader.join(0.2)
                line.show(f"{detail(lines) or label} … {time.monotonic() - began:.0f} s")
        except BaseException:
            process.terminate()
            reader.join()
            raise
    if process.returncode:
        line.end("")
        raise _failure(lines, place)
    line.end(say("setup.took", what=label, seconds=f"{time.monotonic() - began:.0f}"))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _is_installed(root: Path) -> bool:
    """Whether "qwen-lab" here is this very checkout, editable, in its present version."""
    if _version("qwen-lab") != __version__:
        return False
    origin = metadata.distribution("qwen-lab").read_text("direct_url.json")
    if not origin or '"editable"' not in origin:
        return False
    address = re.search(r'"url": *"([^"]*)"', origin)[1]
    return Path(url2pathname(urlsplit(address).path)).resolve() == root


def _installer() -> list[str]:
    """The command that installs a lock file, whose path is its missing last word."""
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    hashed = ["--require-hashes", "--requirement"]
    if not _version("pip"):
        if found := uv():
            return [*found, "pip", "install", "--python", sys.executable, *hashed]
        if not find_spec("ensurepip"):
            raise LabError("setup.no_pip", path=sys.prefix)
        follow([sys.executable, "-m", "ensurepip"], say("setup.pip"), Path(sys.prefix))
    return [*pip, "--progress-bar", "off", *hashed]


def _piped(command: list[str]) -> subprocess.Popen:
    # A learner's pip may be set to install for the user, which no environment allows.
    settings = {**os.environ, "PIP_USER": "0", "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=settings,
    )


def _progress(lines: list[str], wanted: dict[str, str]) -> str:
    """What pip is at, in the lab's words."""
    found = [_normal(match[1]) for line in lines if (match := _NAMED.match(line))]
    if not found:
        return ""
    if any(line.startswith("Installing collected") for line in lines):
        return say("setup.unpacking", count=len(wanted))
    size = _SIZED.match(lines[-1])
    name = f"{found[-1]} {size[1]}" if size else found[-1]
    return say("setup.fetching", done=len(wanted.keys() & found), count=len(wanted), name=name)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _failure(lines: list[str], place: Path) -> LabError:
    """The error for an installer's output: its end, or what of it tells a cause that is known."""
    end = [shorten(line, 300) for line in lines[-15:]]
    for key, signs in _FAILURES.items():
        telling = [number for number, line in enumerate(end) if any(sign in line for sign in signs)]
        if telling:
            return LabError(key, output="\n".join(end[telling[0] :]).rstrip(), path=place)
    # `venv` hides why its own steps fail.
    full = shutil.disk_usage(place.parent).free < 20e6
    key = "setup.disk_full" if full else "setup.failed"
    return LabError(key, output="\n".join(end).rstrip(), path=place)


class _Line:
    """A line that is rewritten on a terminal, and elsewhere only written when it starts and ends.

    It goes to stderr: what a command answers on stdout stays clean.
    """

    def __init__(self, text: str) -> None:
        self.alive = sys.stderr.isatty()
        if not self.alive:
            print(text, file=sys.stderr, flush=True)

    def show(self, text: str) -> None:
        if self.alive:
            print("\r" + self._fit(text), end="", file=sys.stderr, flush=True)

    def end(self, text: str) -> None:
        if self.alive:
            print("\r" + self._fit(""), end="\r", file=sys.stderr)
        if text:
            print(text, file=sys.stderr, flush=True)

    def _fit(self, text: str) -> str:
        # Chinese characters take two columns; a line that wraps could not be rewritten.
        room, fitting = shutil.get_terminal_size().columns - 1, ""
        for letter in text:
            room -= 2 if east_asian_width(letter) in "WF" else 1
            if room < 0:
                return fitting
            fitting += letter
        return fitting + " " * room
