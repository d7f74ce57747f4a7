"""A GGUF file's own list of what is in it: whether the file is whole, and what it says."""

import struct
from pathlib import Path
from typing import BinaryIO

# A value by the number of its type, as `struct` writes it; texts and lists tell their own length.
FORMS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
SIZES = {kind: struct.calcsize(form) for kind, form in FORMS.items()}
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


def values(file: BinaryIO) -> dict[str, object]:
    """What a file says of its model, each value by its name: tokens and template among them."""
    count = _read(file, "<4sIQQ")[3]
    return {_value(file, TEXT): _value(file, *_read(file, "<I")) for _ in range(count)}


def _value(file: BinaryIO, kind: int) -> object:
    if kind == TEXT:
        return file.read(*_read(file, "<Q")).decode()
    if kind != LIST:
        return _read(file, f"<{FORMS[kind]}")[0]
    kind, count = _read(file, "<IQ")
    if kind in FORMS:
        return _read(file, f"<{count}{FORMS[kind]}")
    return [_value(file, kind) for _ in range(count)]


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
