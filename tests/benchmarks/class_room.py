"""What a class keeps: its address within a minute, its allowance to the token, its door.

Goals. One command, the model there, says the address within 60 s (≤ 60). Of 50 calls at once with
room for 10, 10 are answered (≥ 10) and 40 refused with 429 (≥ 40); the ledger is off by no token
(≤ 0). After kill -9 in the middle of calls it counts no less than was given (≥ 1). Of wrong codes
none is let in (≤ 0), and no code stands in a log or a refusal (≤ 0).
"""

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

from room import Answer, apart, asked, opened, parts_of
from server import request
from table import Row, show

from qwen_lab.classroom.ledger import Ledger

STREAM = {"stream": True, "stream_options": {"include_usage": True}}


def question(seat: object, number: int) -> dict:
    return request(seat, f"{number:02}: Write a long poem about the sea.", max_tokens=32, **STREAM)


def reserved(ledger: Path) -> int:
    """The tokens that the first call on a ledger could have taken at most."""
    return json.loads(ledger.read_text(encoding="utf-8").splitlines()[0])["tokens"]


async def fifty(seat: object) -> list[Answer]:
    return await asyncio.gather(*(asked(question(seat, number)) for number in range(50)))


async def killed(seat: object, pid: int) -> int:
    """How many pieces of answers came until the class was killed in the middle of four calls."""
    heard = 0

    async def listen(number: int) -> None:
        nonlocal heard
        async for part in parts_of(question(seat, number)):
            heard += part.count(b'"content"')

    listening = asyncio.gather(*map(listen, range(4)), return_exceptions=True)
    while heard < 20:
        await asyncio.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    await listening
    return heard


async def wrong(seat: object) -> list[Answer]:
    """The answers to codes that are none."""
    given = ["", "none", seat.token[:-1], seat.token + "a", seat.token[::-1], "a" * 10_000]
    calls = [question(seat, number) for number in range(len(given))]
    for call, code in zip(calls, given, strict=True):
        call["headers"] = {"Authorization": f"Bearer {code}"}
    calls.append(question(seat, 0) | {"headers": {}})
    calls.append(question(seat, 0) | {"headers": {"Authorization": f"Basic {seat.token}"}})
    return await asyncio.gather(*map(asked, calls))


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        with opened(home=home) as room:
            yield Row("one command says the address, the model there", [room.took], "s", "≤ 60")
            ledger, [first, second, third, *_] = room.home / "class/ledger.jsonl", room.seats
            apart(asked, question(third, 0))
        room_for_ten = ["--tokens", str(10 * reserved(ledger))]
        with opened(*room_for_ten, home=home) as room:
            answers = apart(fifty, first)
            usages = [each.usage["total_tokens"] for each in answers if each.status == 200]
            yield Row("50 calls with room for 10: answered", [len(usages)], "", "≥ 10")
            refused = sum(each.status == 429 for each in answers)
            yield Row("50 calls with room for 10: refused with 429", [refused], "", "≥ 40")
            off = abs(Ledger(ledger).tokens["learner 0"] - sum(usages))
            yield Row("50 calls with room for 10: ledger off usage", [off], "tokens", "≤ 0")
            heard = apart(killed, second, room.pid)
        counted = Ledger(ledger).tokens["learner 1"]
        yield Row("after kill -9: tokens counted ÷ pieces given", [counted / heard], "", "≥ 1")
        with opened(*room_for_ten, home=home) as room:
            answers = apart(wrong, first)
        let_in = sum(answer.status != 401 for answer in answers)
        yield Row(f"wrong codes of {len(answers)} that were let in", [let_in], "", "≤ 0")
        told = (room.home / "class/server.log").read_bytes()
        told += b"".join(answer.content for answer in answers)
        found = sum(seat.token.encode() in told for seat in room.seats)
        yield Row("codes in the log or in a refusal", [found], "", "≤ 0")


if __name__ == "__main__":
    show(rows())
