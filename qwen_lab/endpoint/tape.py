"""What was asked of the model and what it answered, on a tape that can be played back.

Both ends stand at the engine's boundary, so that rules, errors and streams are the real ones.
A tape is text: a line that names the model, then one JSON line for each answer, found again by
the whole request and, where it was asked more than once, by its n-th occurrence.
"""

import asyncio
import json
import time
from collections import Counter, defaultdict
from contextlib import aclosing
from pathlib import Path

from ..watch.next_token import WHOLE, NextToken
from ..words import LabError, joined, reason, say
from . import tape_line
from .engine import Engine, Event, Events, Prefix, events_of
from .refusal import Refusal
from .request import parse
from .rules import ChatRequest

# After so many events, played at once, others of the process have their turn.
BREATH = 16


class Recorder:
    """An engine that writes down what the engine in it answers. One call at a time.

    Raises `LabError` when the tape cannot be written.
    """

    slots, at_once = 1, False

    def __init__(self, engine: Engine, path: Path) -> None:
        self.model, self.thinks = engine.model, engine.thinks
        self._engine, self._path = engine, path
        head = {"model": self.model} | ({"thinks": True} if self.thinks else {})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
            self._write(head)
        except OSError as error:
            raise LabError("tape.unwritable", path=path, reason=reason(error)) from error

    @property
    def stuck(self) -> bool:
        return self._engine.stuck

    async def generate(self, request: ChatRequest, seed: int, alone: bool) -> Events:
        told: asyncio.Queue = asyncio.Queue()
        # A client that left may come to read further on another day: the task goes on to the end.
        ask = tape_line.asked(request, seed, alone)
        answer = self._engine.generate(request, seed, alone)
        recording = asyncio.create_task(self._record(ask, answer, told))
        async with aclosing(events_of(recording, told)) as events:
            async for event in events:
                yield event

    async def _record(self, ask: dict, answer: Events, told: asyncio.Queue) -> None:
        start = time.monotonic()
        kept: list[tuple[float, Event]] = []
        try:
            async with aclosing(answer):
                async for event in answer:
                    kept.append((time.monotonic(), event))
                    told.put_nowait(event)
        except Refusal as refusal:
            self._write(ask | {"refusal": str(refusal)})
            raise
        self._write(ask | tape_line.answered(kept, start))

    async def next_token(self, messages: list[dict], prefix: Prefix, most: int) -> NextToken:
        found = await self._engine.next_token(messages, prefix, WHOLE)
        asked = tape_line.asked_next(messages, prefix)
        hidden = asked["ask"]["messages"] != messages or asked["ask"]["next_token_after"] != prefix
        written = asked | tape_line.answered_next(found, hidden=hidden)
        self._write(written)
        return tape_line.next_token(written)

    def _write(self, row: dict) -> None:
        """Add a line: nothing reaches the tape but through here."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(tape_line.masked(row), ensure_ascii=False) + "\n")


class Player:
    """An engine that answers from a tape, at once or, with `timed`, as fast as it was recorded.

    Raises `LabError` when the file is not a tape. What is not on it is refused, with a message
    that says what differs and how to record. `endless` begins again after the last take.
    """

    slots, stuck = 1, False

    def __init__(self, path: Path, *, timed: bool = False, endless: bool = False) -> None:
        self._path = path
        self._timed, self._endless = timed, endless
        self.at_once = not timed
        self._played = Counter()
        self._exchanges: dict[str, list[dict]] = defaultdict(list)
        try:
            # Anything but a file, such as a device, might never end.
            lines = path.read_bytes().splitlines() if path.is_file() else []
            head, *lines = tape_line.checked([parse(line) for line in lines])
        except (OSError, ValueError, Refusal) as error:
            raise LabError("tape.unreadable", path=path) from error
        self.model, self.thinks = head["model"], head.get("thinks", False)
        for line in lines:
            self._exchanges[_key(line["ask"])].append(line)

    async def generate(self, request: ChatRequest, seed: int, alone: bool) -> Events:
        found = self._find(tape_line.asked(request, seed, alone)["ask"])
        if "refusal" in found:
            raise Refusal(found["refusal"], by_model=True)
        for number, (wait, event) in enumerate(tape_line.events(found)):
            if self._timed:
                await asyncio.sleep(wait)
            elif number % BREATH == 0:
                await asyncio.sleep(0)
            yield event

    async def next_token(self, messages: list[dict], prefix: Prefix, most: int) -> NextToken:
        return tape_line.next_token(self._find(tape_line.asked_next(messages, prefix)["ask"]))

    def _find(self, ask: dict) -> dict:
        key = _key(ask)
        takes, played = self._exchanges.get(key, []), self._played[key]
        if takes and self._endless:
            played %= len(takes)
        if played == len(takes):
            difference = say("tape.again", count=played) if takes else self._difference(ask)
            message = say("tape.missing", tape=self._path.name, difference=difference)
            raise Refusal(message, status=404, code="not_on_tape")
        self._played[key] = played + 1
        return takes[played]

    def _difference(self, ask: dict) -> str:
        """What tells the request from the one on the tape that is most like it."""
        known = [takes[0]["ask"] for takes in self._exchanges.values()]
        nearest = min(known, key=lambda other: len(_unlike(ask, other)), default={})
        rows = [f"{name}: {nearest.get(name)} → {ask.get(name)}" for name in _unlike(ask, nearest)]
        return say("tape.differs", rows=joined(rows, "clauses"))


def _unlike(ask: dict, other: dict) -> list[str]:
    return [name for name in ask | other if ask.get(name, ...) != other.get(name, ...)]


def _key(ask: dict) -> str:
    # A slider says 0.0 where a cell says 0.
    same = json.loads(json.dumps(ask), parse_float=lambda text: _whole(float(text)))
    return json.dumps(same, sort_keys=True, ensure_ascii=False)


def _whole(number: float) -> float:
    return int(number) if number.is_integer() else number
