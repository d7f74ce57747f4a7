"""A GGUF file's own list of what is in it, by which a file that is cut short is told."""

import struct
from pathlib import Path
from typing import BinaryIO

# Bytes of a value by the number of its type; a text and a list tell their own length.
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
TEXT, LIST = 8, 9


def is_whole(path: Path) -> bool:
    """Whether the list can be read, and the file reaches to the last thing on it at least."""
    try:
        with path.open("rb") as file:
            _, _, tensors, values = _read(file, "<4sIQQ")
            for _ in range(values):
                _skip(file, TEXT)
                _skip(file, *_read(file, "<I"))
            last = max(_place(file) for _ in range(tensors))
            return file.tell() + last < path.stat().st_size
    # A damaged list may lead anywhere, also to where no file has a place.
    except (struct.error, OSError, OverflowError, ValueError, RecursionError):
        return False


def _place(file: BinaryIO) -> int:
    """Where the next tensor on the list begins, in bytes after the list."""
    _skip(file, TEXT)
    file.seek(8 * _read(file, "<I")[0], 1)
    return _read(file, "<IQ")[1]


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == LIST:
        kind, count = _read(file, "<IQ")
        for _ in range(0 if kind in SIZES else count):
            _skip(file, kind)
        file.seek(count * SIZES.get(kind, 0), 1)
    else:
        file.seek(SIZES[kind] if kind in SIZES else _read(file, "<Q")[0], 1)


def _read(file: BinaryIO, form: str) -> tuple:
    return struct.unpack(form, file.read(struct.calcsize(form)))
