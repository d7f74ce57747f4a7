"""The file `.env`: where it lies, what it says, and what is wrong with it."""

import os
import re
from collections.abc import Iterator
from difflib import get_close_matches
from io import StringIO
from pathlib import Path

from . import paths
from .words import LabError, reason, say

# The variables that the lab reads, other names of the file, and what can be wrong with a line.
NAMES, BESIDE, FAULTS = paths.table(__file__).values()
NAMED = re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(NAMES)})(?![A-Za-z0-9_])")
KEY = re.compile(r"""(?im)^(?:.*DASHSCOPE_API_KEY[ \t]*[=:＝：][ \t]*)?["']?sk-[\w-]{16,}""")
CLASS = re.compile(r"""(?m)^[ \t]*QWEN_LAB_ENDPOINT[ \t]*[=:＝：][ \t]*["']?http""")


def find() -> Path | None:
    """The nearest `.env` from the working folder upward, else the checkout's, else None."""
    return next(_files(), None)


def every() -> list[dict[str, str | None]]:
    """What each `.env` there and above says, as far as it can be read: never raises."""
    from dotenv import dotenv_values

    return [dotenv_values(stream=StringIO(_roughly(path))) for path in _files()]


def read(path: Path) -> dict[str, str]:
    """The variables that a file sets. `LabError` if it cannot be read, or a line not understood."""
    from dotenv import dotenv_values

    bindings = _bindings(_text(path))
    good = [binding for binding in bindings if binding.key and binding.value is not None]
    for fault, name, line in (*filter(None, map(_misread, bindings)), *_emptied(good)):
        told = say(f"connection.line_{fault}", name=name)
        raise LabError("connection.dotenv_line", path=path, line=line, fault=told)
    filled = dotenv_values(stream=StringIO("".join(each.original.string for each in good)))
    # What refers to nothing stays as it is written, and is then told from an empty value.
    return {each.key: filled[each.key] or each.value for each in good}


def hint(path: Path | None) -> str:
    """Where a key, or a class's lines, seem to lie unread: what to mend, in a sentence, or ""."""
    written = [each for each in _bindings(_text(path)) if each.key] if path else []
    near = {each.key: _meant(each.key) for each in written if each.value}
    near |= {name: name.upper() for name in os.environ if name.upper() in NAMES}
    for name, meant in near.items():
        if meant and meant != name:
            return say("connection.hint_name", found=name, name=meant)
    if any(each.value is None and KEY.match(each.key) for each in written):
        return say("connection.hint_bare", path=path)
    for other in (folder / name for folder in _folders() for name in BESIDE):
        if other.is_file() and any(look.search(_roughly(other)) for look in (KEY, CLASS)):
            return say("connection.hint_file", path=other)
    return ""


def _files() -> Iterator[Path]:
    places = (folder / ".env" for folder in _folders())
    return (path for path in places if path.exists() and not _is_environment(path))


def _folders() -> list[Path]:
    checkout = [paths.ROOT] if paths.is_own() else []
    try:
        here = Path.cwd()
    except OSError:
        # The working folder has been deleted.
        return checkout
    reached = [folder for folder in (here, *here.parents) if os.access(folder, os.X_OK)]
    return [*reached, *checkout]


def _is_environment(path: Path) -> bool:
    """Whether this is a folder of Python's, which some call `.env` too."""
    return (path / "pyvenv.cfg").is_file() or (path / "conda-meta").is_dir()


def _text(path: Path) -> str:
    if path.is_dir():
        raise LabError("connection.dotenv_folder", path=path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LabError("connection.dotenv_unreadable", path=path, reason=reason(error)) from error
    try:
        if b"\0" in content:
            raise ValueError
        return content.decode("utf-8-sig")
    except ValueError as error:
        key = "utf16" if b"\0" in content or content[:2] in (b"\xff\xfe", b"\xfe\xff") else "other"
        raise LabError(f"connection.dotenv_{key}", path=path) from error


def _bindings(text: str) -> list:
    from dotenv.parser import parse_stream

    return list(parse_stream(StringIO(text)))


def _misread(binding) -> tuple[str, str, int] | None:
    """What is wrong where one of the lab's variables is not understood, its name, and the line."""
    key, value = binding.key, binding.value
    text = re.sub(r"(?m)^[ \t]*#.*", "", binding.original.string)
    whole = value is not None and "\n" not in binding.original.string.strip()
    if key in NAMES and (value is None or whole):
        return None
    if not (found := NAMED.search((key or "") if whole else text)):
        return None
    above = text[: text.find(found[0])].count("\n")
    row = text.split("\n")[above].replace(found[0], "NAME")
    fault = next(fault for fault, look in FAULTS.items() if re.search(look, row))
    return fault, found[0], binding.original.line + above


def _emptied(bindings: list) -> Iterator[tuple[str, str, int]]:
    """The lab's variables that one line fills and the last one empties, as `_misread` has them."""
    for name, last in {each.key: each for each in bindings if each.key in NAMES}.items():
        if not last.value and any(each.value for each in bindings if each.key == name):
            text = last.original.string
            yield "twice", name, last.original.line + text[: text.find(name)].count("\n")


def _meant(name: str) -> str | None:
    plain = re.sub(r"[^A-Z]", "_", name.upper())
    return next(iter(get_close_matches(plain, NAMES, n=1, cutoff=0.86)), None)


def _roughly(path: Path) -> str:
    try:
        return path.read_bytes()[:100_000].replace(b"\0", b"").decode("utf-8", "replace")
    except OSError:
        return ""
