"""What was asked of the model and what it answered, on a tape that can be played back.

Both ends stand at the engine's boundary, so that rules, errors and streams are the real ones.
A tape is text: a line that names the model, then one JSON line for each answer, found again by
the whole request and, where it was asked more than once, by the how-manieth time it is.
"""

import json
import os
import re
import time
from collections import Counter, defaultdict
from pathlib import Path

from ..text import LabError, say
from .engine import Emit, End, Engine, Event, Piece, Prompt
from .refusal import Refusal
from .rules import Call

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.I)
SECRET = re.compile(r"sk-[\w-]{8,}")
MASK = "sk-…"


class Recorder:
    """An engine that writes down what the engine in it answers. One call at a time."""

    slots = 1

    def __init__(self, engine: Engine, path: Path) -> None:
        self.model, self._engine, self._path = engine.model, engine, path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_line({"model": self.model}), encoding="utf-8")

    def generate(self, call: Call, seed: int, alone: bool, emit: Emit) -> None:
        events: list[tuple[float, Event]] = []

        def keep(event: Event) -> bool:
            events.append((time.monotonic(), event))
            emit(event)
            # A client that left may come to read further on another day: record to the end.
            return False

        ask, start = _ask(call, seed, alone), time.monotonic()
        try:
            self._engine.generate(call, seed, alone, keep)
        except Refusal as refusal:
            self._write(ask | {"refusal": str(refusal)})
            raise
        self._write(ask | _answer(events, start))

    def _write(self, exchange: dict) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(exchange))


class Player:
    """An engine that answers from a tape, at once or, with `timed`, as fast as it was recorded.

    Raises `LabError` when the file is not a tape. What is not on it is refused, with a message
    that says what differs and how to record.
    """

    slots = 1

    def __init__(self, path: Path, *, timed: bool = False) -> None:
        self._path, self._timed, self._played = path, timed, Counter()
        self._exchanges: dict[str, list[dict]] = defaultdict(list)
        try:
            head, *lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
            self.model = head["model"]
            for exchange in lines:
                self._exchanges[_key(exchange["ask"])].append(exchange)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabError("tape.unreadable", path=path) from error

    def generate(self, call: Call, seed: int, alone: bool, emit: Emit) -> None:
        exchange = self._find(_ask(call, seed, alone)["ask"])
        if "refusal" in exchange:
            raise Refusal(exchange["refusal"], by_model=True)
        for wait, event in _events(exchange):
            if self._timed:
                time.sleep(wait)
            if emit(event):
                return

    def _find(self, ask: dict) -> dict:
        takes = self._exchanges.get(_key(ask))
        if not takes:
            raise _not_on_tape(self._path, difference=self._difference(ask))
        self._played[_key(ask)] += 1
        if self._played[_key(ask)] > len(takes):
            raise _not_on_tape(self._path, difference=say("tape.again", count=len(takes)))
        return takes[self._played[_key(ask)] - 1]

    def _difference(self, ask: dict) -> str:
        """What tells the request from the one on the tape that is most like it."""
        known = [takes[0]["ask"] for takes in self._exchanges.values()]
        nearest = min(known, key=lambda other: len(_unlike(ask, other)), default={})
        rows = [f"{name}: {nearest.get(name)} → {ask[name]}" for name in _unlike(ask, nearest)]
        return say("tape.differs", rows="; ".join(rows))


def _ask(call: Call, seed: int, alone: bool) -> dict:
    """The whole request, but for how it is sent: streamed or not, the model answers the same."""
    ask = {
        "messages": call.messages,
        **call.sampling,
        "stop": call.stop,
        "top_logprobs": call.top_logprobs if call.logprobs else None,
        "seed": seed,
        "alone": alone,
    }
    return {"ask": _masked(ask)}


def _answer(events: list[tuple[float, Event]], start: float) -> dict:
    """The answer's text in one piece, and how it was cut: milliseconds waited, characters."""
    prompt = next(event.tokens for _, event in events if isinstance(event, Prompt))
    end = next(event for _, event in events if isinstance(event, End))
    pieces, logprobs, text = [], [], ""
    for moment, event in events:
        if isinstance(event, Piece):
            # To 10 ms: a tape that is made again differs only where it matters.
            pieces.append([round((moment - start) * 100) * 10, len(event.text)])
            logprobs.append(event.logprobs)
            start, text = moment, text + event.text
    counts = [end.reason, end.prompt_tokens, end.completion_tokens, end.cached_tokens]
    answer = {"prompt": prompt, "text": text, "pieces": pieces, "end": counts}
    if any(logprobs):
        answer["logprobs"] = logprobs
    return answer if _masked(text) == text else _censored(answer)


def _censored(answer: dict) -> dict:
    # A key in the answer: its pieces and tokens would spell it.
    text = _masked(answer["text"])
    wait = sum(wait for wait, _ in answer["pieces"])
    kept = {name: value for name, value in answer.items() if name != "logprobs"}
    return kept | {"text": text, "pieces": [[wait, len(text)]]}


def _events(exchange: dict) -> list[tuple[float, Event]]:
    """The events of an answer, each with the seconds to wait before it."""
    events: list[tuple[float, Event]] = [(0, Prompt(exchange["prompt"]))]
    logprobs = exchange.get("logprobs") or [None] * len(exchange["pieces"])
    at = 0
    for (wait, length), rows in zip(exchange["pieces"], logprobs, strict=True):
        events.append((wait / 1000, Piece(exchange["text"][at : at + length], rows)))
        at += length
    return [*events, (0, End(*exchange["end"]))]


def _not_on_tape(path: Path, *, difference: str) -> Refusal:
    message = say("tape.missing", tape=path.name, difference=difference)
    return Refusal(message, status=404, code="not_on_tape")


def _unlike(ask: dict, other: dict) -> list[str]:
    return [name for name in ask if ask[name] != other.get(name, ...)]


def _key(ask: dict) -> str:
    return json.dumps(ask, sort_keys=True, ensure_ascii=False)


def _line(row: dict) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _masked(value: object) -> object:
    """The value with everything that looks like a key, or is one in the environment, hidden."""
    if isinstance(value, dict):
        return {_masked(name): _masked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if not isinstance(value, str):
        return value
    for name, secret in os.environ.items():
        if SECRET_NAME.search(name) and len(secret) >= 8:
            value = value.replace(secret, MASK)
    return SECRET.sub(MASK, value)
