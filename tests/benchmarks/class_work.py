"""A class at its lessons, of thirty and of ten: how long each waits for the first of an answer.

Goals. At work, each calls every 30 seconds on average, as a lesson does, half of the calls changed:
first token p95 ≤ 5 s, p50 ≤ 0.5 s. All run lesson 02 at once, unchanged: the last is done within
60 s (≤ 60), first token p95 ≤ 3 s. A burst of thirty new answers of 32 tokens: all within 40 s
(≤ 40), none fails (≤ 0), and `/health` answers meanwhile with p99 ≤ 100 ms.
"""

import asyncio
import random
from collections.abc import Iterator

import lesson_calls
from room import SEATS, Answer, apart, asked, for_a_while, opened, share, watched
from server import request
from table import Row, show

EVERY, LASTS = 30, 300


async def at_work(seats: list, seconds: float = LASTS) -> list[Answer]:
    """What thirty get who work on all the lessons for so long."""
    chance, lessons, answers = random.Random(1), lesson_calls.calls(), []

    async def work(seat: object) -> None:
        while True:
            await asyncio.sleep(chance.expovariate(1 / EVERY))
            call = chance.choice(lessons)
            if chance.random() < 0.5:
                call = lesson_calls.changed(call, chance.random())
            answers.append(await asked(lesson_calls.request(seat, call)))

    await for_a_while(map(work, seats), seconds)
    return answers


async def run_all(seats: list, lesson: str = "02") -> list[list[Answer]]:
    """What each gets who runs all cells of a lesson, all at once."""

    async def run(seat: object) -> list[Answer]:
        calls = lesson_calls.calls(lesson)
        return [await asked(lesson_calls.request(seat, call)) for call in calls]

    return await asyncio.gather(*map(run, seats))


async def burst(seats: list) -> list[Answer]:
    """What each gets who asks at once for an answer that nobody else asks for."""
    prompts = [f"{number}: Write a long poem about the sea." for number in range(len(seats))]
    asks = zip(seats, prompts, strict=True)
    return await asyncio.gather(
        *(asked(request(seat, prompt, max_tokens=32, stream=True)) for seat, prompt in asks)
    )


def failed(answers: list[Answer]) -> int:
    return sum(answer.status != 200 for answer in answers)


def rows() -> Iterator[Row]:
    for seats in (10, SEATS):
        with opened(seats=seats) as room:
            answers = apart(at_work, room.seats)
        firsts, of = [answer.first for answer in answers], f"{seats} at work"
        yield Row(f"{of}: time to the first token", firsts, "s")
        yield Row(f"{of}: time to the first token, p50", [share(firsts, 50)], "s", "≤ 0.5")
        yield Row(f"{of}: time to the first token, p95", [share(firsts, 95)], "s", "≤ 5")
        yield Row(f"{of}: calls of {len(answers)} that failed", [failed(answers)], "", "≤ 0")
    with opened() as room:
        learners = apart(run_all, room.seats)
    firsts = [answer.first for answers in learners for answer in answers]
    ends = [sum(answer.whole for answer in answers) for answers in learners]
    yield Row("thirty run lesson 02: the last is done", [max(ends)], "s", "≤ 60")
    yield Row("thirty run lesson 02: first token, p95", [share(firsts, 95)], "s", "≤ 3")
    yield Row("thirty run lesson 02: calls that failed", [sum(map(failed, learners))], "", "≤ 0")
    with opened() as room, watched(room.seats[0].port) as waits:
        answers = apart(burst, room.seats)
    yield Row(
        "burst of thirty: all are answered", [max(each.whole for each in answers)], "s", "≤ 40"
    )
    yield Row("burst of thirty: calls that failed", [failed(answers)], "", "≤ 0")
    yield Row("burst of thirty: /health answers", waits, "ms")
    yield Row("burst of thirty: /health answers, p99", [share(waits, 99)], "ms", "≤ 100")


if __name__ == "__main__":
    show(rows())
