"""What each learner has tried and passed, as their own checks say: one file a learner."""

import hashlib
import json
import logging
import time
from collections.abc import Collection
from pathlib import Path

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ..endpoint.learner import Identify, Learner
from ..endpoint.refusal import invalid
from ..endpoint.request import Guard, body, parse
from ..endpoint.server_file import BASE
from ..paths import read_json, replacing

STATUSES = ("passed", "wrong")


class Progress:
    """For each learner by name, and each exercise that was tried, its `status`, `tries` and `time`.

    Kept in a folder, in files that are named by a hash of the learner's name. `seen` has when each
    last asked for anything, since this process began or as their file says. Raises `OSError` when
    the folder cannot be made or read.
    """

    def __init__(self, folder: Path, numbers: Collection[str]) -> None:
        self.numbers, self._folder = numbers, folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = filter(None, map(self._read, sorted(folder.glob("*.json"))))
        self.learners: dict[str, dict[str, dict]] = dict(found)
        self.seen = {
            name: max(each["time"] for each in tried.values())
            for name, tried in self.learners.items()
            if tried
        }

    def watched(self, identify: Identify) -> Identify:
        """`identify`, which also notes when it knew a learner."""

        async def known(token: str) -> Learner | None:
            if learner := await identify(token):
                self.seen[learner.name] = int(time.time())
            return learner

        return known

    def route(self, identify: Identify) -> Route:
        """Where the learners' checks tell."""
        guard = [Middleware(Guard, identify)]
        return Route(f"{BASE}/lab/progress", self._told, methods=["POST"], middleware=guard)

    async def _told(self, request: Request) -> JSONResponse:
        asked = parse(await body(request))
        asked = asked if isinstance(asked, dict) else {}
        number, status = asked.get("exercise"), asked.get("status")
        if number not in self.numbers or status not in STATUSES:
            raise invalid("'exercise' or 'status' is none that there is")
        self.note(request.state.learner.name, number, status)
        return JSONResponse({})

    def note(self, who: str, number: str, status: str) -> None:
        """Count a try; what passed once has passed, and is counted no further."""
        tried = self.learners.setdefault(who, {})
        before = tried.get(number, {"status": "", "tries": 0})
        if before["status"] != "passed":
            moment = int(time.time())
            tried[number] = {"status": status, "tries": before["tries"] + 1, "time": moment}
            self._write(who, tried)

    def _write(self, who: str, tried: dict[str, dict]) -> None:
        name = hashlib.sha256(who.encode(errors="replace")).hexdigest()[:32]
        try:
            with replacing(self._folder / f"{name}.json") as file:
                json.dump({"name": who, "exercises": tried}, file)
        except OSError as error:
            logging.error("a learner's progress cannot be written: %s", error)

    def _read(self, path: Path) -> tuple[str, dict[str, dict]] | None:
        """A learner's name and exercises; None where the file is none of ours, or half of one."""
        found = read_json(path)
        found = found if isinstance(found, dict) else {}
        name, tried = found.get("name"), found.get("exercises")
        if not isinstance(name, str) or not name.isprintable() or not isinstance(tried, dict):
            return None
        sound = {number for number, each in tried.items() if _is_sound(each)}
        return name, {number: tried[number] for number in self.numbers if number in sound}


def _is_sound(tried: object) -> bool:
    """Whether `note` can have written this of an exercise."""
    kinds = {"status": str, "tries": int, "time": int}
    return (
        isinstance(tried, dict)
        and {name: type(value) for name, value in tried.items()} == kinds
        and tried["status"] in STATUSES
        and 0 <= tried["time"] < 2**32
    )
