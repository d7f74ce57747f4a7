import asyncio

import pytest

from qwen_lab.endpoint.slots import Slots


def run(scenario):
    return asyncio.run(asyncio.wait_for(scenario, 5))


async def ask(slots, alone, order=None, name=None):
    await slots.acquire(alone)
    if order is not None:
        order.append(name)


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def test_up_to_size_calls_share_and_the_next_one_waits():
    async def scenario():
        slots = Slots(2)
        await slots.acquire(False)
        await slots.acquire(False)
        third = asyncio.create_task(slots.acquire(False))
        await settle()
        assert not third.done() and slots.busy == 3
        slots.release(False)
        await third

    run(scenario())


def test_a_call_that_wants_to_be_alone_waits_for_all_and_keeps_all_out():
    async def scenario():
        slots, order = Slots(2), []
        await slots.acquire(False)
        alone = asyncio.create_task(ask(slots, True, order, "alone"))
        shared = asyncio.create_task(ask(slots, False, order, "shared"))
        await settle()
        assert order == []
        slots.release(False)
        await alone
        await settle()
        assert order == ["alone"] and not shared.done()
        slots.release(True)
        await shared

    run(scenario())


def test_turns_come_in_the_order_of_asking():
    async def scenario():
        slots, order = Slots(1), []
        await slots.acquire(False)
        kinds = [True, False, True, False, False]
        tasks = [asyncio.create_task(ask(slots, kind, order, i)) for i, kind in enumerate(kinds)]
        slots.release(False)
        for kind, task in zip(kinds, tasks, strict=True):
            await task
            slots.release(kind)
        assert order == [0, 1, 2, 3, 4] and slots.busy == 0

    run(scenario())


@pytest.mark.parametrize("alone", [True, False])
def test_a_cancelled_wait_leaves_the_queue_and_lets_the_next_one_in(alone):
    async def scenario():
        slots = Slots(1)
        await slots.acquire(False)
        waiting = asyncio.create_task(slots.acquire(alone))
        behind = asyncio.create_task(slots.acquire(False))
        await settle()
        waiting.cancel()
        await settle()
        slots.release(False)
        await behind
        assert slots.busy == 1

    run(scenario())


def test_a_turn_that_comes_with_the_cancel_is_given_back():
    async def scenario():
        slots = Slots(1)
        await slots.acquire(True)
        waiting = asyncio.create_task(slots.acquire(True))
        await settle()
        slots.release(True)
        waiting.cancel()
        await settle()
        assert slots.busy == 0

    run(scenario())
