"""Answers to the exercises, and what the lessons' checks say of them.

`NN.toml` holds the answers to one lesson: at least three of each kind were written by readers who
knew the lesson's text alone. What they ask of the model is on the tape `NN.jsonl`, recorded by

    python -m tests.checks.fairness 04
"""

import asyncio
import os
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import nbformat

from qwen_lab.course import lessons
from qwen_lab.course.exercises import exercises
from qwen_lab.words import LANGUAGES

from ...notebooks import cells

HERE = Path(__file__).parent
PRACTICE = {"exercise", "check"}


@dataclass(frozen=True)
class Answer:
    """One answer: its code, the verdict that it deserves and why, what the advice must speak of."""

    exercise: str
    verdict: str
    by: str
    why: str
    code: str
    says: str = ""


def answers(lesson: str) -> list[Answer]:
    """The answers to lesson "04"."""
    path = HERE / f"{lesson}.toml"
    return [Answer(**row) for row in tomllib.loads(path.read_text(encoding="utf-8"))["answer"]]


def notebook(lesson: str) -> nbformat.NotebookNode:
    """The English edition; the code of both is the same but for its texts."""
    [name] = [name for name in lessons.names("en") if name.startswith(lesson)]
    return nbformat.read(lessons.originals() / "en" / name, as_version=4)


def misjudged(lesson: str) -> list[str]:
    """The answers whose verdict or advice is not what it should be, in either language."""
    return asyncio.run(_misjudged(lesson))


async def _misjudged(lesson: str) -> list[str]:
    return [
        f"{answer.exercise} {language}, {answer.why}: {outcome}"
        async for answer, language, outcome in outcomes(lesson)
        if outcome.status != answer.verdict
        or (language == "en" and answer.says.lower() not in outcome.message.lower())
    ]


async def outcomes(lesson: str) -> AsyncIterator[tuple]:
    """Run the lesson's cells, then each answer and its check: answer, language, `Outcome`."""
    lesson_cells, names = notebook(lesson), cells.fresh()
    checks = {each.number: each.check for each in exercises(lesson_cells)}
    try:
        for cell in lesson_cells.cells:
            if cell.cell_type == "code" and not PRACTICE & set(cell.metadata.get("tags", [])):
                await cells.run(cell.source, names)
        for answer in answers(lesson):
            tried = dict(names)
            await cells.run(answer.code, tried)
            for language in LANGUAGES:
                with patch.dict(os.environ, QWEN_LAB_LANG=language):
                    yield answer, language, await cells.run(checks[answer.exercise], tried)
            await _forget_tasks()
    finally:
        await cells.close(names)


async def _forget_tasks() -> None:
    """End what an answer left running."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
