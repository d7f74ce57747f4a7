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
# Windows' number for AVX2 among a processor's features.
PF_AVX2_INSTRUCTIONS_AVAILABLE = 40


def python() -> Finding:
    """This Python and its system: the engine comes for 64 bits alone."""
    bits = struct.calcsize("P") * 8
    told = {"lab": __version__, "python": platform.python_version(), "bits": bits}
    told["system"] = f"{platform.system()} {platform.release()}"
    return found(FINE, "python", **told) if bits == 64 else found(BROKEN, "python_32", **told)


def processor() -> Finding:
    """The processor, and whether it has AVX2, which the engine is quick with."""
    machine = platform.machine()
    told = {"machine": machine, "count": os.cpu_count()}
    if machine.lower() not in ("x86_64", "amd64"):
        return found(FINE, "processor_other", **told)
    with suppress(OSError, AttributeError):
        return found(*((FINE, "processor") if _has_avx2() else (ODD, "processor_old")), **told)
    return found(FINE, "processor_other", **told)


def _has_avx2() -> bool:
    """Whether this x86 processor has AVX2. `OSError` or `AttributeError` if that cannot be told."""
    if os.name == "nt":
        import ctypes

        return bool(
            ctypes.windll.kernel32.IsProcessorFeaturePresent(PF_AVX2_INSTRUCTIONS_AVAILABLE)
        )
    return "avx2" in Path("/proc/cpuinfo").read_text(encoding="utf-8").split()


def disk() -> Finding:
    """The room on the fullest disk that the lab writes to."""
    free, folder = min((shutil.disk_usage(place).free, place) for place in map(_there, _folders()))
    told = {"free": free / 1e9, "folder": folder}
    if free > ENOUGH:
        return found(FINE, "disk", **told)
    return found(ODD if free > LITTLE else BROKEN, "disk_low", **told)


def folders() -> Finding:
    """Whether each folder that the lab writes to can be written."""
    for folder in _folders():
        try:
            # Only trying tells, on every system; it leaves nothing behind.
            tempfile.TemporaryFile(dir=_there(folder)).close()
        except OSError as error:
            return found(BROKEN, "folder_closed", folder=folder, reason=error.strerror or error)
    return found(FINE, "folders", folders=", ".join(map(str, _folders())))


def _folders() -> list[Path]:
    """Where the lab writes, as far as that can be told without packages."""
    return [lessons.folder(), *_kept()]


def _kept() -> Iterator[Path]:
    with suppress(ImportError):
        yield paths.home()
        import platformdirs

        yield platformdirs.user_cache_path("qwen-lab", appauthor=False)


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
