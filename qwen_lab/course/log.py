"""What the learner has done so far: which exercises passed, and how the quizzes went.

One small file in the lab's home, and nothing is sent anywhere.
"""

import json
import sys
from collections import defaultdict
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path

from ..paths import home, read_json, replacing
from ..words import reason, say

EXERCISES, QUIZZES = "exercises", "quizzes"
VALUES = {EXERCISES: str, QUIZZES: int}
# By home, what could not be written there; the next time that something can, this is, too.
UNKEPT: dict[Path, dict] = defaultdict(lambda: {kind: {} for kind in VALUES})


def read() -> dict[str, dict]:
    """The file's content: {"exercises": {"02.1": "passed"}, "quizzes": {"02": 3}}.

    A file that cannot be read counts as empty, and so does what is of another type.
    """
    found = read_json(home() / "progress.json")
    parts = ((kind, found.get(kind) if isinstance(found, dict) else None) for kind in VALUES)
    return {
        kind: {
            name: value
            for name, value in (part.items() if isinstance(part, dict) else ())
            if type(value) is VALUES[kind]
        }
        | UNKEPT[home()][kind]
        for kind, part in parts
    }


def note_exercise(number: str, status: str) -> None:
    """Note how the answer to an exercise was judged; what passed once has passed."""
    if read()[EXERCISES].get(number) != "passed":
        _note(EXERCISES, number, status)


def note_quiz(lesson: str, right: int) -> None:
    """Note how many questions of a lesson's quiz were answered rightly; the best time counts."""
    _note(QUIZZES, lesson, max(read()[QUIZZES].get(lesson, 0), right))


def _note(kind: str, name: str, value: object) -> None:
    try:
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        with _lock():
            found = read()
            found[kind][name] = value
            with replacing(home() / "progress.json") as file:
                json.dump(found, file, indent=1)
        UNKEPT.pop(home(), None)
    except OSError as error:
        # A disk that is full must not cost the learner the verdict, nor what they have done.
        UNKEPT[home()][kind][name] = value
        _tell(home(), reason(error))


def _lock() -> AbstractContextManager:
    """Two lessons may be open at once. In a page no lock ends with its kernel, so there is none."""
    if sys.platform == "emscripten":
        return nullcontext()
    from filelock import FileLock

    return FileLock(home() / "progress.lock")


@cache
def _tell(folder: Path, why: str) -> None:
    print(say("progress.not_kept", folder=folder, reason=why), file=sys.stderr, flush=True)
