"""The doctor's look at what is installed: environment, packages, JupyterLab and its kernel."""

import re
import sys
from importlib import metadata
from pathlib import Path

from .. import paths
from ..words import joined
from . import environment, packages
from .finding import BROKEN, FINE, ODD, Finding, found

NOTEBOOK = ("jupyterlab", "ipykernel", "ipywidgets")


def place() -> Finding:
    """Which environment this Python is, and whether the lab's own was left half made."""
    if paths.is_checkout() and environment.OWN.is_dir():
        if packages.half_made(environment.OWN):
            return found(ODD, "place_half", folder=environment.OWN)
        if not environment.runs():
            return found(ODD, "place_broken", folder=environment.OWN)
    if paths.is_checkout() and not environment.is_activated() and not packages.are_right(_lock()):
        return found(ODD, "place_outside", folder=sys.prefix)
    return found(FINE, "place", folder=sys.prefix)


def locked() -> Finding:
    """The packages here, held against the lock, and against what the lab needs at the least."""
    pins = packages.pins(_lock()) if paths.is_checkout() else {}
    there = {name: packages.version(name) for name in pins}
    if missing := [name for name in pins if not there[name]]:
        return _differ(BROKEN, "locked_missing", missing, pins)
    asked = "\n".join(metadata.requires("qwen-lab"))
    least = dict(re.findall(r"^([\w-]+)(?:\[\w+\])?>=([\d.]+)", asked, re.M))
    there |= {name: packages.version(name) for name in least}
    old = [name for name in least if _parts(there[name] or "999") < _parts(least[name])]
    if old:
        return _differ(BROKEN, "locked_old", [f"{n} {there[n]} (≥ {least[n]})" for n in old], pins)
    if other := [f"{n} {there[n]} ({pins[n]})" for n in pins if there[n] != pins[n]]:
        return _differ(ODD, "locked_other", other, pins)
    key = "locked" if pins else "locked_wheel"
    return found(FINE, key, all=len(pins), version=metadata.version("qwen-lab"))


def _differ(sign: str, key: str, names: list[str], pins: dict[str, str]) -> Finding:
    some = joined(names[:3]) + (" …" if names[3:] else "")
    return found(sign, key, count=len(names), all=len(pins), names=some)


def jupyter() -> Finding:
    """JupyterLab, its kernel and the widgets."""
    told = joined(f"{name} {metadata.version(name)}" for name in NOTEBOOK)
    if not (Path(sys.prefix) / "share/jupyter/kernels/python3/kernel.json").is_file():
        return found(ODD, "jupyter_no_kernel", versions=told)
    return found(FINE, "jupyter", versions=told)


def _lock() -> Path:
    return paths.ROOT / "requirements.txt"


def _parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:2]]
