"""What the learner has set: the environment over a file `.env`, and which of them says what."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import paths


@dataclass(frozen=True)
class Settings:
    """Variables of the process and of a file; of the two the process counts first.

    An empty variable is none.
    """

    process: Mapping[str, str]
    file: Mapping[str, str | None]
    path: Path | None = None

    def get(self, name: str) -> str | None:
        """The variable's value, None without one."""
        return self.process.get(name) or self.file.get(name) or None

    def together(self, *names: str) -> bool:
        """Whether one place, the process or the file, says all of these."""
        places = (self.process, self.file)
        return any(all(self.get(name) == place.get(name) for name in names) for place in places)


def read() -> Settings:
    """The settings, with `.env` looked for from the working folder upward, then in the checkout."""
    from dotenv import dotenv_values, find_dotenv

    path = Path(find_dotenv(usecwd=True) or paths.ROOT / ".env")
    return Settings(dict(os.environ), dotenv_values(path), path)
