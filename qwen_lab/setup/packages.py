"""The packages of this Python: which of the locked ones are there, and how pip brings the rest.

Standard library only. pip is given the lock with its hashes, and draws its own progress.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from textwrap import shorten
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .. import __version__, paths
from ..words import LabError, say

# Lines with a marker are left to pip: what they ask for differs from machine to machine.
_PIN = re.compile(r"^([\w.-]+)==([^\s;]+) *\\?$", re.M)
_PIP = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]


def pins(lock: Path) -> dict[str, str]:
    """Read the names and versions that a lock file asks for on every machine."""
    return dict(_PIN.findall(lock.read_text(encoding="utf-8")))


def are_right(lock: Path) -> bool:
    """Say whether this Python has every pinned version, and the checkout itself."""
    return _has_lab() and _has_pins(lock)


def half_made(environment: Path) -> bool:
    """Whether an interrupted pip left a package: it names itself in INSTALLER as its last act."""
    sites = (*environment.glob("lib/python*/site-packages"), environment / "Lib" / "site-packages")
    infos = [info for site in sites for info in site.glob("*.dist-info")]
    return not all((info / "INSTALLER").is_file() for info in infos)


def install(lock: Path) -> None:
    """Install a lock file's packages here, and then the checkout, editable.

    `LabError` if it fails, with the installer's last words and the next step.
    """
    here = Path(sys.prefix)
    if not find_spec("pip"):
        if not find_spec("ensurepip"):
            raise LabError("setup.no_pip", path=here)
        run([sys.executable, "-m", "ensurepip"], say("setup.pip"), here)
    if not _has_pins(lock):
        label = say("setup.packages", count=len(pins(lock)))
        run([*_PIP, "--require-hashes", "--requirement", str(lock)], label, here)
    if not _has_lab():
        editable = ["--no-deps", "--no-build-isolation", "--editable", str(paths.ROOT)]
        run([*_PIP, *editable], say("setup.lab"), here)


def run(command: list[str], label: str, place: Path) -> None:
    """Run a step of set-up: say what it does, show what it says, and say how long it took.

    All of it goes to stderr, so that what a command answers on stdout stays clean. `LabError` if
    it fails, with the end of its errors; `place` is where it writes.
    """
    began = time.monotonic()
    print(f"{label} …", file=sys.stderr, flush=True)
    # A learner's pip may be set to install for the user, which no environment allows.
    settings = {**os.environ, "PIP_USER": "0", "PYTHONIOENCODING": "utf-8"}
    output = {"stdout": 2, "stderr": subprocess.PIPE, "encoding": "utf-8", "errors": "replace"}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, env=settings, **output)
    if done.returncode:
        raise _failure(done.stderr.splitlines(), place)
    seconds = f"{time.monotonic() - began:.0f}"
    print(say("setup.took", what=label, seconds=seconds), file=sys.stderr, flush=True)


def _has_pins(lock: Path) -> bool:
    return all(version(name) == pinned for name, pinned in pins(lock).items())


def _has_lab() -> bool:
    """Whether "qwen-lab" here is this very checkout, editable, in its present version."""
    if version("qwen-lab") != __version__:
        return False
    origin = json.loads(metadata.distribution("qwen-lab").read_text("direct_url.json") or "{}")
    place = Path(url2pathname(urlsplit(origin.get("url", "")).path)).resolve()
    return origin.get("dir_info", {}).get("editable", False) and place == paths.ROOT


def version(name: str) -> str | None:
    """The version of a package that is installed here; None if it is not."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _failure(lines: list[str], place: Path) -> LabError:
    """The error for an installer's errors: their end, from the line on that tells a known cause."""
    end = [shorten(line, 300) for line in lines[-15:]]
    for key, signs in paths.table(__file__).items():
        telling = [number for number, line in enumerate(end) if re.search(signs, line)]
        if telling:
            return LabError(f"setup.{key}", output="\n".join(end[telling[0] :]), path=place)
    # `venv` hides why its own steps fail.
    full = shutil.disk_usage(place.parent).free < 20e6
    key = "setup.disk_full" if full else "setup.failed"
    return LabError(key, output="\n".join(end), path=place)
