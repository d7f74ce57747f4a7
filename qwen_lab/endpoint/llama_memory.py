"""Gives back memory that nothing uses any more. Only on Linux; elsewhere it does nothing."""

import ctypes
import mmap
import sys
from contextlib import suppress
from pathlib import Path


def trim() -> None:
    """Give back what was freed: glibc would keep half a gigabyte after some whole vocabularies."""
    if sys.platform == "linux":
        # Another C library may not have it.
        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def unmap(file: Path) -> None:
    """Let go of a mapped file's pages; those that are read again come back from the page cache.

    Of the weights that is all but the table of input tokens, of which few rows are ever read, and
    what the engine has copied: about 130 MB.
    """
    if sys.platform == "linux":
        for start, length in _mappings(file):
            ctypes.CDLL(None).madvise(
                ctypes.c_void_p(start), ctypes.c_size_t(length), mmap.MADV_DONTNEED
            )


def _mappings(file: Path) -> list[tuple[int, int]]:
    """Where in this process the file is mapped: the beginning of each mapping, and its bytes."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    ranges = [line.split()[0] for line in lines if line.endswith(f" {file.resolve()}")]
    edges = [[int(edge, 16) for edge in each.split("-")] for each in ranges]
    return [(start, end - start) for start, end in edges]
