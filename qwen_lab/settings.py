"""What the learner has set: the environment over a file `.env`, and which of them says what."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import dotfile
from .paths import given
from .words import LabError

FOLDERS = ("QWEN_LAB_NOTES", "QWEN_LAB_GGUF", "QWEN_LAB_HOME")
# Paths stay as the system gave them, whatever their bytes.
PATHS = (*FOLDERS, "QWEN_LAB_TAPE")
# What other parts of the lab, and the processes that it starts, read from the environment.
SHARED = ("QWEN_LAB_LANG", "HF_ENDPOINT", *FOLDERS)
# What of them came from the file: with another file, or none, that no longer counts.
_shared: dict[str, str] = {}


@dataclass(frozen=True)
class Settings:
    """Variables of the process and of a file; of the two the process counts first.

    An empty variable is none. `problem` says why the file could not be read, and `asked` which
    variables were asked for.
    """

    process: Mapping[str, str]
    file: Mapping[str, str]
    path: Path | None = None
    problem: LabError | None = None
    asked: set[str] = field(default_factory=set)

    def get(self, name: str) -> str | None:
        """The variable's value, without the blanks around it; None without one."""
        self.asked.add(name)
        return _value(self.process, name) or self._of_file(name)

    def together(self, *names: str) -> bool:
        """Whether one place, the process or the file, says all of these."""
        places = (self.process, self.file)
        return any(all(self.get(n) == _value(place, n) for n in names) for place in places)

    @property
    def used(self) -> Path | None:
        """The file, if something that was asked for came from it."""
        said = (self._of_file(name) and not _value(self.process, name) for name in self.asked)
        return self.path if any(said) else None

    def share(self) -> None:
        """Set in this process what other parts of the lab read from the environment."""
        for name in SHARED:
            if value := self.get(name):
                os.environ[name] = value
            elif name in _shared:
                os.environ.pop(name, None)
            _shared[name] = "" if _value(self.process, name) else value or ""

    def _of_file(self, name: str) -> str | None:
        value = _value(self.file, name)
        if value and name in FOLDERS:
            # Meant as it is seen from the file.
            return str(self.path.parent / given(value))
        return value


def read() -> Settings:
    """The settings, with the nearest `.env`; what is wrong with that is their `problem`."""
    process = {name: value for name, value in os.environ.items() if _shared.get(name) != value}
    path = dotfile.find()
    try:
        return Settings(process, dotfile.read(path) if path else {}, path)
    except LabError as problem:
        return Settings(process, {}, path, problem)


def text(given: str) -> str:
    """What was typed, read as UTF-8 where the locale, such as C, did not know how to."""
    try:
        given.encode()
    except UnicodeEncodeError:
        return os.fsencode(given).decode(errors="replace")
    return given


def bare(value: str) -> str:
    """The value without what a shell left: cmd.exe keeps the blank before && and the quotes."""
    return value.strip(" \t\r\n\"'")


def _value(place: Mapping[str, str], name: str) -> str | None:
    value = place.get(name) or ""
    value = value if name in PATHS else text(value)
    # In a key such signs are told instead.
    return (value if bare(value) and name.endswith("_API_KEY") else bare(value)) or None
