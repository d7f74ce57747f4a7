"""Learners who ask alike get one answer, computed once and never faster than it came at first."""

import asyncio
import time
from contextlib import aclosing

import pytest

from qwen_lab.classroom.shares import Shares
from qwen_lab.endpoint.engine import End, Piece, Prompt
from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.endpoint.rules import checked_request
from qwen_lab.endpoint.turns import Turns

PACE = 0.02


def asked(text="你好", **fields):
    messages = [{"role": "user", "content": text}]
    return checked_request({"model": "fake-qwen", "messages": messages, **fields}, "fake-qwen")


@pytest.fixture
def shares(engine):
    return Shares(Turns(engine))


def run(scenario):
    return asyncio.run(asyncio.wait_for(scenario(), 20))


def slowly(engine, *texts):
    """A reply with a pause before each of its pieces."""
    pieces = [part for text in texts for part in (PACE, Piece(text))]
    engine.replies.append([Prompt(5), *pieces, End("stop", 5, len(texts), 0)])


async def answer(shares, who, request=None):
    return [event async for event in shares.generate(request or asked(), 7, True, who)]


def test_a_call_in_flight_is_joined_from_its_beginning(engine, shares):
    async def scenario():
        slowly(engine, "一", "二", "三")
        first = asyncio.create_task(answer(shares, "Ada"))
        await asyncio.sleep(1.5 * PACE)
        assert await answer(shares, "Bo") == await first and len(first.result()) == 5
        assert len(engine.calls) == 1

    run(scenario)


def test_an_answer_that_is_kept_comes_at_its_own_pace(engine, shares):
    async def scenario():
        slowly(engine, *"一二三四五")
        first = await answer(shares, "Ada")
        begun = time.monotonic()
        assert await answer(shares, "Bo") == first
        assert time.monotonic() - begun >= 5 * PACE and len(engine.calls) == 1

    run(scenario)


def test_who_asks_again_gets_the_second_answer_like_all_others(engine, shares):
    async def scenario():
        engine.reply("一")
        engine.reply("二")
        texts = []
        for who in ("Ada", "Ada", "Bo", "Bo"):
            texts.append(
                [event.text for event in await answer(shares, who) if hasattr(event, "text")]
            )
        assert texts == [["一"], ["二"]] * 2 and len(engine.calls) == 2

    run(scenario)


def test_another_request_is_another_answer(engine, shares):
    async def scenario():
        others = [asked(), asked(temperature=0.3), asked("sk-0123456789a"), asked("sk-0123456789b")]
        for request in others:
            await answer(shares, "Ada", request)
        assert len(engine.calls) == len(others)

    run(scenario)


def test_the_call_goes_on_when_one_of_two_leaves_and_stops_when_both_have(engine, shares):
    async def scenario():
        for _ in range(2):
            engine.reply_forever()
        ada, bo = (asyncio.create_task(answer(shares, who)) for who in ("Ada", "Bo"))
        await asyncio.sleep(0.1)
        ada.cancel()
        await asyncio.wait({ada})
        assert not engine.stopped.is_set() and shares.slots.busy == 1
        bo.cancel()
        await asyncio.wait({bo})
        assert engine.stopped.is_set() and shares.slots.busy == 0
        # Half an answer is kept for nobody.
        async with aclosing(shares.generate(asked(), 7, True, "Cy")) as events:
            await anext(events)
        assert len(engine.calls) == 2

    run(scenario)


def test_who_comes_while_the_last_one_leaves_gets_an_answer_of_their_own(engine, shares):
    async def scenario():
        engine.reply_forever()
        engine.reply("一")
        ada = asyncio.create_task(answer(shares, "Ada"))
        await asyncio.sleep(0.05)
        ada.cancel()
        await asyncio.sleep(0)
        assert len(await answer(shares, "Bo")) == 3

    run(scenario)


def test_an_error_reaches_all_who_wait_for_it_and_is_not_kept(engine, shares):
    async def scenario():
        engine.replies.append([Prompt(5), PACE, Refusal("no")])
        both = [answer(shares, who) for who in ("Ada", "Bo")]
        assert [str(each) for each in await asyncio.gather(*both, return_exceptions=True)] == [
            "no"
        ] * 2
        engine.reply("一")
        assert len(await answer(shares, "Cy")) == 3 and len(engine.calls) == 2

    run(scenario)


def test_of_finished_answers_the_latest_are_kept(engine):
    async def scenario():
        shares = Shares(Turns(engine), most=1_000)
        for text in "abc":
            engine.reply(text * 300)
            await answer(shares, "Ada", asked(text))
        await answer(shares, "Bo", asked("c"))
        assert len(engine.calls) == 3
        await answer(shares, "Bo", asked("a"))
        assert len(engine.calls) == 4

    run(scenario)


def test_a_look_at_the_next_token_is_shared_too(engine, shares):
    async def scenario():
        looks = (shares.next_token([], "", most, who) for who in ("Ada", "Bo") for most in (5, 10))
        found = await asyncio.gather(*looks)
        assert [len(each.ids) for each in found] == [5, 10] * 2 and len(engine.calls) == 2

    run(scenario)


def test_what_stands_at_the_end_of_a_pile_comes_for_another_who_asks_it_too(engine):
    async def scenario():
        shares, ended = Shares(Turns(engine, apart=True)), []

        async def ask(who, text):
            await answer(shares, who, asked(text))
            ended.append((who, text))

        for _ in range(5):
            slowly(engine, "一", "二")
        pile = [asyncio.create_task(ask("Ada", text)) for text in "abcde"]
        await asyncio.sleep(0.5 * PACE)
        await asyncio.gather(ask("Bo", "e"), *pile)
        assert ended.index(("Ada", "e")) < ended.index(("Ada", "b"))
        assert len(engine.calls) == 5 and ("Bo", "e") in ended

    run(scenario)
