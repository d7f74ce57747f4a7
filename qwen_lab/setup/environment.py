"""Which Python runs the lab: its own `.venv`, or the environment that the learner has activated.

Standard library only, for it runs before anything is installed. What is there is read from the
environment itself, never from a stamp file, so that the next run sees an interrupted set-up.
"""

import importlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from .. import paths
from ..words import LabError, reason, say
from . import packages

OWN = paths.ROOT / ".venv"
# What could make a test spend money or talk to another endpoint than the local one.
_KEYS = ("DASHSCOPE_", "OPENAI_", "QWEN_LAB_ENDPOINT")

# Asked of the Python in `.venv`: a copy that has lost its `pyvenv.cfg` runs, but outside it.
_HEALTH = "import sys; sys.exit(sys.prefix == sys.base_prefix or sys.version_info < (3, 11))"


def ensure(more: str = "") -> None:
    """Go on only in a Python that has the locked dependencies; with "-test" or "-class" more.

    Returns at once if this Python has them. Otherwise it installs them here, if this is an
    environment that the learner activated, or makes `.venv` and runs the same command there.
    `LabError` says what stands in the way: no `venv`, no network, no room, no permission.
    """
    if not paths.is_checkout():
        return
    lock = paths.ROOT / f"requirements{more}.txt"
    if is_own() and packages.half_made(OWN):
        # From outside it is made anew.
        _go_on_in(Path(sys._base_executable))
    if packages.are_right(lock):
        return
    if not is_activated():
        _go_on_in(own_python())
    if not is_own():
        print(say("setup.into_yours", path=sys.prefix))
    packages.install(lock)
    importlib.invalidate_caches()


def use_own() -> None:
    """Go on in `.venv` if it is there and this Python is no environment; make and mend nothing."""
    if paths.is_checkout() and not is_activated() and runs():
        _go_on_in(_python())


def is_own() -> bool:
    """Say whether this Python is the one in the checkout's `.venv`."""
    return OWN.is_dir() and OWN.samefile(sys.prefix)


def is_activated() -> bool:
    """Say whether this Python is an environment: a venv, or a conda one other than `base`."""
    if sys.prefix != sys.base_prefix:
        return True
    conda = os.environ.get("CONDA_PREFIX")
    named = os.environ.get("CONDA_DEFAULT_ENV", "base") != "base"
    return bool(conda) and named and Path(conda).is_dir() and Path(conda).samefile(sys.prefix)


def own_python() -> Path:
    """Return the Python of `.venv`, which is made, or made anew, unless it is whole.

    `LabError` if nothing on this machine can make one, or if its place cannot be written.
    """
    if not runs() or packages.half_made(OWN):
        _clear()
        packages.run([*_maker(), str(OWN)], say("setup.venv", path=OWN), OWN)
    return _python()


def runs() -> bool:
    """Say whether `.venv` has a Python that runs, and runs inside it."""
    try:
        asked = [_python(), "-I", "-c", _HEALTH]
        return subprocess.run(asked, capture_output=True).returncode == 0
    except OSError:
        return False


def _python() -> Path:
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return OWN / folder / name


def _clear() -> None:
    try:
        if OWN.is_dir():
            shutil.rmtree(OWN)
    except OSError as error:
        raise LabError(
            "setup.cannot_write", path=OWN, output=f"{error.filename}: {reason(error)}"
        ) from error


def _maker() -> list[str]:
    """The command, but for the folder, that makes an environment with pip on this machine."""
    # Debian has `venv` without `ensurepip`: it would leave an environment that has no pip.
    if find_spec("venv") and find_spec("ensurepip"):
        return [sys.executable, "-m", "venv"]
    # Named by version: a Python that is not the distribution's own needs its own.
    raise LabError("setup.no_venv", package="python{}.{}-venv".format(*sys.version_info))


def _go_on_in(python: Path) -> None:
    command = [str(python), "-m", "qwen_lab", *sys.argv[1:]]
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(python, command)
    # Windows has no exec: stay until the other Python ends.
    sys.exit(wait_for(subprocess.Popen(command)))


def wait_for(process: subprocess.Popen) -> int:
    """The exit code of a child that hears Ctrl-C itself, and is given the time to end."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def run_without_keys(folder: str, arguments: list[str], missing: str) -> int:
    """Run a folder of the checkout as a program that sees no key, and return its exit code.

    `LabError` in the words for `missing` outside a checkout.
    """
    if not paths.is_checkout():
        raise LabError(missing)
    command = [sys.executable, str(paths.ROOT / folder), *arguments]
    # At Ctrl-C it has a server to end first.
    return wait_for(subprocess.Popen(command, env=_without_keys()))


def _without_keys() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_KEYS)}
