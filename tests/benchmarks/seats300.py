"""Three hundred seats before an engine that is none: what the endpoint adds to each chunk.

The real class, with a code for each; ninety stream at once, each chunk 50 ms after the last. Goals:
a chunk comes with p95 ≤ 30 ms after it was made (maximum told), none is lost or meant for another
(≤ 0), and the server takes maximum ≤ 400 MB.
"""

import asyncio
import re
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator

import psutil
from room import apart, held, parts_of, share
from server import request
from table import Row, show

SEATS, STREAMS, ROUNDS = 300, 90, 2
CHUNKS, PACE = 100, 0.05


class Timed:
    """An engine that writes at an even pace: for whom a chunk is, its number, and the time."""

    model, slots, thinks, stuck, at_once = "timed", STREAMS, False, False, False

    async def generate(self, request: object, seed: int, alone: bool) -> AsyncGenerator:
        from qwen_lab.endpoint.engine import End, Piece, Prompt

        yield Prompt(5)
        for number in range(CHUNKS):
            await asyncio.sleep(PACE)
            whom = request.prompt[-1]["content"]
            yield Piece(f"<{whom} {number} {time.monotonic():.6f}>")
        yield End("stop", 5, CHUNKS, 0)


def hold() -> None:
    """Be the class, as the command is, but for its engine."""
    from qwen_lab.classroom import door
    from qwen_lab.classroom.allowance import Limits
    from qwen_lab.classroom.config import Config

    door._local = lambda place: Timed
    door.hold([f"learner {number}" for number in range(SEATS)], Config(Limits(tokens=10**9)))


async def streams(seats: list) -> tuple[list[float], int]:
    """The seconds that each chunk took, and how many did not come as they should."""
    added, wrong, free = [], 0, asyncio.Semaphore(STREAMS)

    async def one(seat: object, whom: str) -> None:
        nonlocal wrong
        expected = iter(range(CHUNKS))
        async with free:
            async for part in parts_of(request(seat, whom, stream=True, max_tokens=CHUNKS)):
                now = time.monotonic()
                for name, number, made in re.findall(rb"<(\S+) (\d+) ([\d.]+)>", part):
                    added.append(now - float(made))
                    wrong += (name.decode(), int(number)) != (whom, next(expected, None))
            wrong += len([*expected])

    calls = [(seat, f"{n}.{turn}") for turn in range(ROUNDS) for n, seat in enumerate(seats)]
    await asyncio.gather(*(one(*call) for call in calls))
    return added, wrong


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        with held([sys.executable, __file__, "hold"], home) as room:
            added, wrong = apart(streams, room.seats)
            memory = psutil.Process(room.pid).memory_info().rss
    milliseconds = [1000 * each for each in added]
    yield Row("90 streams at once: added to a chunk", milliseconds, "ms")
    yield Row("90 streams at once: added to a chunk, p95", [share(milliseconds, 95)], "ms", "≤ 30")
    yield Row(f"chunks of {len(added):,} lost or another's", [wrong], "", "≤ 0")
    yield Row("memory of the server of 300 seats", [memory / 1e6], "MB", "maximum ≤ 400")


if __name__ == "__main__":
    hold() if sys.argv[1:] == ["hold"] else show(rows())
