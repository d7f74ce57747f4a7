"""Who stops reading an answer stops the engine, and has given back the slot then."""

import asyncio
from contextlib import aclosing

import pytest

from qwen_lab.endpoint.answer import answer
from qwen_lab.endpoint.engine import End, Piece
from qwen_lab.endpoint.learner import Call
from qwen_lab.endpoint.rules import checked_request
from qwen_lab.endpoint.turns import Turns

HELLO = {"model": "fake-qwen", "messages": [{"role": "user", "content": "你好"}]}


def run(scenario):
    return asyncio.run(asyncio.wait_for(scenario, 5))


@pytest.fixture
def turns(engine):
    return Turns(engine)


@pytest.fixture
def slots(turns):
    return turns.slots


@pytest.fixture
def ask(turns):
    """The chunks of an answer to a greeting."""

    def ask(**fields):
        request = checked_request(HELLO | fields, "fake-qwen")
        return answer(turns, request, Call("Ada", "fake-qwen", "1"))

    return ask


async def read(chunks, seen):
    async with aclosing(chunks):
        async for chunk in chunks:
            seen.append(chunk)


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


async def cancelled(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_reader_that_is_cancelled_in_mid_stream_stops_the_engine(engine, slots, ask):
    async def scenario():
        engine.reply_forever()
        seen = []
        reader = asyncio.create_task(read(ask(), seen))
        await until(lambda: len(seen) > 3)
        await cancelled(reader)
        assert engine.stopped.is_set() and slots.busy == 0

    run(scenario())


def test_a_reader_that_closes_in_mid_stream_stops_the_engine(engine, slots, ask):
    async def scenario():
        engine.reply_forever()
        chunks = ask(seed=1)
        await anext(chunks)
        assert slots.busy == 1
        await chunks.aclose()
        assert engine.stopped.is_set() and slots.busy == 0

    run(scenario())


def test_a_reader_that_closes_before_the_first_chunk_asks_nothing(engine, slots, ask):
    async def scenario():
        chunks = ask()
        await chunks.aclose()
        assert not engine.calls and slots.busy == 0

    run(scenario())


def test_a_reader_that_is_cancelled_before_the_first_event_stops_the_engine(engine, slots, ask):
    async def scenario():
        engine.replies.append([10.0])
        reader = asyncio.create_task(read(ask(), []))
        await until(lambda: engine.calls)
        await cancelled(reader)
        assert engine.stopped.is_set() and slots.busy == 0

    run(scenario())


def test_an_error_after_some_events_reaches_the_reader_and_frees_the_slot(engine, slots, ask):
    async def scenario():
        engine.reply("你", "好")
        engine.replies[0].insert(2, OSError("gone"))
        seen = []
        with pytest.raises(OSError, match="gone"):
            await read(ask(), seen)
        assert seen[-1]["choices"][0]["delta"]["content"] == "你" and slots.busy == 0

    run(scenario())


def test_of_two_readers_one_is_cancelled_and_the_other_reads_on(engine, slots, ask):
    async def scenario():
        engine.reply_forever()
        engine.replies.append([*[0.01, Piece("字")] * 20, End("stop", 5, 20, 0)])
        stays, leaves = [], []
        leaver = asyncio.create_task(read(ask(), leaves))
        await until(lambda: leaves)
        reader = asyncio.create_task(read(ask(), stays))
        await until(lambda: stays)
        await cancelled(leaver)
        assert slots.busy == 1
        await reader
        assert stays[-1]["usage"]["completion_tokens"] == 20 and slots.busy == 0

    run(scenario())


def test_who_is_cancelled_while_it_waits_leaves_the_queue(engine, slots, ask):
    async def scenario():
        engine.reply_forever()
        first = asyncio.create_task(read(ask(seed=1), []))
        await until(lambda: engine.calls)
        waits = asyncio.create_task(read(ask(seed=2), []))
        await until(lambda: slots.busy == 2)
        await cancelled(waits)
        assert slots.busy == 1 and len(engine.calls) == 1
        await cancelled(first)
        assert slots.busy == 0

    run(scenario())
