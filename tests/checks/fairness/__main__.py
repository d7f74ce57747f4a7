"""`python -m tests.checks.fairness 04`: record what the answers to lesson 04 ask of the model.

Prints each answer that is misjudged; with no lesson named it takes all.
"""

import os
import sys
import tempfile
from pathlib import Path

from qwen_lab.endpoint import server

from .answers import HERE, misjudged


def record(lesson: str) -> None:
    """Ask the real model, and write its answers on the lesson's tape."""
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(QWEN_LAB_HOME=home, QWEN_LAB_ENDPOINT="local")
        fresh = Path(home) / "tape.jsonl"
        server.start(record=fresh)
        try:
            found = misjudged(lesson)
        finally:
            server.stop()
        (HERE / f"{lesson}.jsonl").write_text(fresh.read_text(encoding="utf-8"), encoding="utf-8")
    print(f"{lesson}: {len(found)} misjudged", *found, sep="\n")


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.stem for path in HERE.glob("*.toml")):
        record(name)
