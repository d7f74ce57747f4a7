"""The doctor's look at the machine: Python, processor, memory, disk, folders and language.

Standard library only at import, like all that the doctor looks with.
"""

import os
import platform
import shutil
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .. import __version__, paths, words
from ..course import lessons
from .finding import BROKEN, FINE, ODD, Finding, found

# Bytes: below the first nothing works for long, below the second set-up has no room.
LITTLE, ENOUGH = 200e6, 2e9
# Windows' number for it: PF_AVX2_INSTRUCTIONS_AVAILABLE.
AVX2 = 40


def python() -> Finding:
    """This Python and its system: the engine comes for 64 bits alone."""
    bits = struct.calcsize("P") * 8
    told = {"lab": __version__, "python": platform.python_version(), "bits": bits}
    told["system"] = f"{platform.system()} {platform.release()}"
    return found(FINE, "python", **told) if bits == 64 else found(BROKEN, "python_32", **told)


def processor() -> Finding:
    """The processor, and whether it has AVX2, which the engine is quick with."""
    kinds = {True: (FINE, "processor"), False: (ODD, "processor_old")}
    kind = kinds.get(_has_avx2(), (FINE, "processor_other"))
    return found(*kind, machine=platform.machine(), count=os.cpu_count())


def _has_avx2() -> bool | None:
    """Whether an x86 processor has AVX2; None for another kind, and where that cannot be told."""
    with suppress(OSError, AttributeError):
        if platform.machine().lower() not in ("x86_64", "amd64"):
            return None
        if os.name == "nt":
            import ctypes

            return bool(ctypes.windll.kernel32.IsProcessorFeaturePresent(AVX2))
        return "avx2" in Path("/proc/cpuinfo").read_text(encoding="utf-8").split()


def disk() -> Finding:
    """The room on the fullest disk that the lab writes to."""
    # A folder that cannot be written has a row of its own, and its disk often no room at all.
    closed, every = _closed(), [*_folders()]
    places = [_there(folder) for folder in every if folder not in closed] or [_there(every[0])]
    free, folder = min((shutil.disk_usage(place).free, place) for place in places)
    told = {"free": free / 1e9, "folder": folder}
    if free > ENOUGH:
        return found(FINE, "disk", **told)
    return found(ODD if free > LITTLE else BROKEN, "disk_low", **told)


def folders() -> Finding:
    """Whether each folder that the lab writes to can be written."""
    closed = [f"{folder} ({why})" for folder, why in _closed().items()]
    told = words.joined(closed or map(str, _folders()), "clauses")
    return found(*((BROKEN, "folder_closed") if closed else (FINE, "folders")), folders=told)


def _closed() -> dict[Path, str]:
    """The folders that cannot be written, and why."""
    closed = {}
    for folder in _folders():
        try:
            # Only trying tells, on every system; it leaves nothing behind.
            tempfile.TemporaryFile(dir=_there(folder)).close()
        except OSError as error:
            closed[folder] = words.reason(error)
    return closed


def _folders() -> Iterator[Path]:
    """Where the lab writes, as far as that can be told without packages."""
    yield lessons.folder()
    with suppress(ImportError):
        yield paths.home()
        yield paths.cache()


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that there is."""
    return next(
        place for place in (folder.absolute(), *folder.absolute().parents) if place.exists()
    )


def language() -> Finding:
    """The language, and whether this terminal can show Chinese."""
    told = {"language": words.language(), "encoding": getattr(sys.stdout, "encoding", None)}
    wanted = os.environ.get("QWEN_LAB_LANG")
    if wanted and not wanted.lower().startswith(words.LANGUAGES):
        return found(ODD, "language_unknown", wanted=wanted, **told)
    try:
        "通义千问".encode(told["encoding"] or "utf-8")
    except (UnicodeError, LookupError):
        return found(ODD, "language_lost", **told)
    return found(FINE, "language", **told)
