"""Sets of parameters with a name: four of the lab's, and the learner's own in one file."""

import json
from pathlib import Path

from ..parameters import PARAMETERS
from ..paths import home, read_json, replacing
from ..words import LabError, reason, say
from .knob import DATA

BUNDLED = DATA["presets"]


class Presets:
    """The sets by their names; `path` is the learner's file (default: the lab's own folder).

    A file that cannot be read counts as empty, and is kept beside the new one when it is written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or home() / "presets.json"

    def all(self) -> dict[str, dict]:
        """Every set: the bundled ones under their names in the language in use, then one's own."""
        bundled = {say(f"playground.{name}"): values for name, values in BUNDLED.items()}
        return bundled | self._own()

    def save(self, name: str, values: dict) -> None:
        """Keep the values under the name; raises `LabError` when the file cannot be written."""
        own = self._own() | {name: values}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and not self._own():
                self.path.replace(self.path.with_suffix(".json.bak"))
            with replacing(self.path) as file:
                json.dump(own, file, ensure_ascii=False, indent=1)
        except OSError as error:
            raise LabError("playground.not_saved", path=self.path, problem=reason(error)) from error

    def _own(self) -> dict[str, dict]:
        found = read_json(self.path)
        found = found if isinstance(found, dict) else {}
        return {name: _known(values) for name, values in found.items() if isinstance(values, dict)}


def _known(values: dict) -> dict:
    """The values that the table has: a file may have been written by hand."""
    return {
        name: value
        for name, value in values.items()
        if name in PARAMETERS and PARAMETERS[name].takes(value)
    }
