"""What a learner of a class notices of one who is greedy, and of one who leaves.

Goals. Three ask one question after another; then a fourth has 40 calls waiting all the time. The
others' p95 with her ÷ without her: ≤ 2. The same for one who asks beside her, and where what they
ask stands at the end of her pile. Jain's index of the tokens of four who always have calls waiting,
one of them 40: ≥ 0.9. Who leaves has the slot no longer than 0.5 s (maximum ≤ 0.5).
"""

import asyncio
import random
import time
from collections.abc import Iterator
from itertools import count

from leaving import PROMPTS, busy_core, leave
from room import apart, asked, for_a_while, opened, share
from server import here, request
from table import Row, show

PILE, LASTS, PAUSE = 40, 60, 1
STREAM = {"stream": True, "stream_options": {"include_usage": True}}


def question(seat: object, text: object, tokens: int = 24) -> dict:
    return request(seat, f"{text}: Write a long poem about the sea.", max_tokens=tokens, **STREAM)


async def keep_asking(seat: object, at_once: int, seconds: float) -> int:
    """The tokens that one gets who has so many calls on their way all the time."""
    end, numbers, tokens = time.monotonic() + seconds, count(), 0

    async def one() -> None:
        nonlocal tokens
        while time.monotonic() < end:
            answer = await asked(question(seat, f"{seat.token}{next(numbers)}"))
            tokens += answer.usage["total_tokens"] if time.monotonic() < end else 0

    await for_a_while((one() for _ in range(at_once)), seconds)
    return tokens


async def others(seats: list, greedy: object = None, seconds: float = LASTS) -> list[float]:
    """The seconds for each answer of those who ask, read it, and ask again."""
    waits = []

    async def one(seat: object) -> None:
        for number in count():
            await asyncio.sleep(random.uniform(0, 2 * PAUSE))
            waits.append((await asked(question(seat, f"{seat.token}{number}"))).whole)

    pile = [keep_asking(greedy, PILE, seconds)] if greedy else []
    await for_a_while([*map(one, seats), *pile], seconds)
    return waits


async def end_of_pile(greedy: object, other: object) -> tuple[float, float]:
    """The seconds for what stands at the end of another's pile, and for what nobody else asks."""
    pile = [asyncio.create_task(asked(question(greedy, number))) for number in range(PILE)]
    await asyncio.sleep(0.5)
    same = await asked(question(other, PILE - 1))
    own = await asked(question(other, "mine"))
    for each in pile:
        each.cancel()
    return same.whole, own.whole


async def four(seats: list) -> float:
    """Jain's index of the tokens that four get who always have calls waiting, one of them many."""
    piles = zip(seats, (PILE, 6, 6, 6), strict=True)
    tokens = await asyncio.gather(*(keep_asking(seat, pile, LASTS) for seat, pile in piles))
    return sum(tokens) ** 2 / len(tokens) / sum(each**2 for each in tokens)


def beside(what: str, seats: list, greedy: object) -> Iterator[Row]:
    without, beside_her = (apart(others, seats, her) for her in (None, greedy))
    yield Row(f"{what}: an answer of 24 tokens, without a greedy one", without, "s")
    yield Row(f"{what}: the same, beside her with {PILE} calls", beside_her, "s")
    ratio = share(beside_her, 95) / share(without, 95)
    yield Row(f"{what}: p95 beside her ÷ without her", [ratio], "", "≤ 2")


def rows() -> Iterator[Row]:
    with opened(seats=5) as room:
        greedy, lone, *three = room.seats
        yield from beside("three others", three, greedy)
        yield from beside("one other", [lone], greedy)
        yield Row(
            "four always ask: Jain's index of tokens", [apart(four, [greedy, *three])], "", "≥ 0.9"
        )
        same, own = apart(end_of_pile, greedy, lone)
        yield Row("what stands at the end of her pile ÷ what nobody asks", [same / own], "", "≤ 2")
    with here(room=True) as server, busy_core():
        for what, prompt in PROMPTS.items():
            samples = [leave(server, f"{n}：{prompt}", 1 + n / 10) for n in range(8)]
            yield Row(f"a learner leaves while {what}", samples, "s", "maximum ≤ 0.5")


if __name__ == "__main__":
    show(rows())
