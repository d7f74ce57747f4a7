"""Thirty learners who run lessons 01, 02 and 04 in one class, each in kernels of their own.

Goals: all thirty come to the end of each without an error (≥ 30), and no output is missing or,
where it is a value, another than the lesson's own (≤ 0).
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import nbformat
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from room import apart, opened
from table import Row, show

from qwen_lab import paths
from qwen_lab.course import lessons, record

LESSONS, LANGUAGE = ("01", "02", "04"), "en"
WIDGET = "application/vnd.jupyter.widget-view+json"


def learn(seat: object, lesson: NotebookNode) -> NotebookNode | CellExecutionError:
    """Run a lesson as the seat's learner, who has written two lines into `.env`."""
    with tempfile.TemporaryDirectory() as home:
        settings = {"QWEN_LAB_ENDPOINT": seat.base_url, "QWEN_LAB_API_KEY": seat.token}
        try:
            return record.run(lesson, settings | {"QWEN_LAB_HOME": home})
        except CellExecutionError as error:
            return error


async def all_learn(seats: list, name: str) -> list[NotebookNode | CellExecutionError]:
    """What the lesson becomes for each, all at once."""
    lesson = paths.originals() / LANGUAGE / name
    with ThreadPoolExecutor(len(seats)) as pool:
        loop = asyncio.get_running_loop()
        copies = [nbformat.read(lesson, as_version=4) for _ in seats]
        running = [
            loop.run_in_executor(pool, learn, *each) for each in zip(seats, copies, strict=True)
        ]
        return await asyncio.gather(*running)


def outputs(lesson: NotebookNode) -> list[tuple]:
    """What each cell shows: of what kind it is, and where it is a bare value, which."""
    shown = []
    for cell in lesson.cells:
        for output in cell.get("outputs", []):
            data = {kind: value for kind, value in output.get("data", {}).items() if kind != WIDGET}
            bare = data if output.output_type == "execute_result" and len(data) == 1 else {}
            shown.append((cell.id, output.output_type, *sorted(data), *bare.values()))
    return shown


def rows() -> Iterator[Row]:
    with opened() as room:
        for name in lessons.names(LANGUAGE):
            if (number := name[:2]) in LESSONS:
                began = time.perf_counter()
                done = apart(all_learn, room.seats, name)
                took = time.perf_counter() - began
                stored = outputs(nbformat.read(paths.originals() / LANGUAGE / name, as_version=4))
                whole = [outputs(each) for each in done if isinstance(each, NotebookNode)]
                what = f"thirty kernels, lesson {number}"
                yield Row(f"{what}: no error", [len(whole)], "", "≥ 30")
                unlike = sum(len(set(stored) ^ set(each)) for each in whole)
                yield Row(f"{what}: outputs unlike its own", [unlike], "", "≤ 0")
                yield Row(f"{what}: the last is done", [took], "s")


if __name__ == "__main__":
    show(rows())
