"""What each learner takes of the engine is counted, and the next turn is another's."""

import asyncio
from contextlib import aclosing

import pytest

from qwen_lab.endpoint.engine import End, Piece, Prompt
from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.endpoint.rules import checked_request
from qwen_lab.endpoint.turns import Turns

HELLO = [{"role": "user", "content": "你好"}]
REQUEST = checked_request({"model": "fake-qwen", "messages": HELLO, "seed": 7}, "fake-qwen")


def test_a_long_prompt_and_a_long_answer_put_others_first(engine):
    async def ask(turns, who, order):
        async with aclosing(turns.generate(REQUEST, 7, True, who)) as events:
            async for event in events:
                if isinstance(event, End):
                    order.append((who, event.prompt_tokens))

    async def scenario():
        turns, order = Turns(engine), []
        for prompt in (50, 20, 1):
            pieces = [Piece("好")] * 5
            engine.replies.append(
                [Prompt(prompt), 0.01, Prompt(prompt), *pieces, End("stop", prompt, 5, 0)]
            )
        # Ada asks twice, then Bo once; each wants the model alone.
        await asyncio.gather(*(ask(turns, who, order) for who in ("Ada", "Ada", "Bo")))
        assert order == [("Ada", 50), ("Bo", 20), ("Ada", 1)]
        # Each token of a prompt counts once.
        assert turns.slots._tokens == {"Ada": 50 + 5 + 1 + 5, "Bo": 50 + 20 + 5}

    asyncio.run(asyncio.wait_for(scenario(), 5))


def test_a_look_at_the_next_token_counts_what_it_reads(engine):
    async def scenario():
        turns = Turns(engine)
        await turns.next_token(HELLO, "", 10, "Ada")
        assert turns.slots._tokens["Ada"] == 1
        assert turns.slots.busy == 0

    asyncio.run(asyncio.wait_for(scenario(), 5))


def test_of_one_learner_only_so_many_calls_wait_and_others_are_not_refused(engine):
    async def scenario():
        turns = Turns(engine, waiting=2)
        first = turns.generate(REQUEST, 7, True, "Ada")
        await anext(first)
        waiting = [asyncio.create_task(turns.next_token(HELLO, "", 5, "Ada")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal, match="exceeded your current request limit"):
            await turns.next_token(HELLO, "", 5, "Ada")
        waiting.append(asyncio.create_task(turns.next_token(HELLO, "", 5, "Bo")))
        await first.aclose()
        assert all(len(found.ids) == 5 for found in await asyncio.gather(*waiting))

    asyncio.run(asyncio.wait_for(scenario(), 5))


@pytest.mark.parametrize("apart", [False, True])
def test_kept_apart_no_call_reads_from_the_prompt_cache(engine, apart):
    async def scenario():
        turns = Turns(engine, apart=apart)
        async with aclosing(turns.generate(REQUEST, 7, False, "Ada")) as events:
            # A slot is shared all the same, and she may have another, or it is for others.
            assert await anext(events) and turns.slots._free == engine.slots - 1
            more = asyncio.create_task(turns.next_token(HELLO, "", 5, "Ada"))
            await asyncio.sleep(0.01)
            assert more.done() is not apart
        await more
        assert engine.calls[0][2] is apart

    asyncio.run(asyncio.wait_for(scenario(), 5))
