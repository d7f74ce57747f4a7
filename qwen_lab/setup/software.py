"""The doctor's look at what is installed: environment, packages, JupyterLab and its widgets."""

import re
import sys
from importlib import metadata
from pathlib import Path

from .. import paths
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
    """The packages here, held against the lock; an installed wheel has none."""
    if not paths.is_checkout():
        return found(FINE, "locked_wheel", version=metadata.version("qwen-lab"))
    pins = packages.pins(_lock())
    there = {name: packages.version(name) for name in pins}
    missing = [name for name, version in there.items() if not version]
    other = [name for name in pins if there[name] not in (None, pins[name])]
    told = {"count": len(missing or other), "all": len(pins), "names": _some(missing or other)}
    if missing:
        return found(BROKEN, "locked_missing", **told)
    return found(ODD, "locked_other", **told) if other else found(FINE, "locked", **told)


def jupyter() -> Finding:
    """JupyterLab, its kernel and the widgets, held against what the lab needs."""
    versions = {name: metadata.version(name) for name in NOTEBOOK}
    least = dict(re.findall(r"^([\w-]+)>=([\d.]+)", "\n".join(metadata.requires("qwen-lab")), re.M))
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    old = [name for name in NOTEBOOK if _parts(versions[name]) < _parts(least.get(name, "0"))]
    if old:
        return found(ODD, "jupyter_old", versions=told, names=", ".join(old))
    if not (Path(sys.prefix) / "share/jupyter/kernels/python3/kernel.json").is_file():
        return found(ODD, "jupyter_no_kernel", versions=told)
    return found(FINE, "jupyter", versions=told)


def _lock() -> Path:
    return paths.ROOT / "requirements.txt"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" …" if names[3:] else "")


def _parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:2]]
