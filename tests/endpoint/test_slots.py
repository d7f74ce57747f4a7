import asyncio

import pytest

from qwen_lab.endpoint.slots import Slots


def run(scenario):
    return asyncio.run(asyncio.wait_for(scenario, 5))


class Caller:
    """Asks for a slot, takes ten tokens, and keeps the slot until it is told to leave."""

    def __init__(self, slots, alone, order=None, name=None, who=""):
        self.leave, self.inside = asyncio.Event(), False
        order = [] if order is None else order
        self.task = asyncio.create_task(self._call(slots, alone, order, who))
        self.name = name

    async def _call(self, slots, alone, order, who):
        async with slots.taken(alone, who) as use:
            use(10)
            order.append(self.name)
            self.inside = True
            await self.leave.wait()

    async def ends(self):
        self.leave.set()
        await self.task


async def all_end(callers):
    for caller in callers:
        caller.leave.set()
    await asyncio.gather(*(caller.task for caller in callers))


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


def test_up_to_size_calls_share_and_the_next_one_waits():
    async def scenario():
        slots = Slots(2)
        first, second, third = (Caller(slots, False) for _ in range(3))
        await settle()
        assert first.inside and second.inside and not third.inside and slots.busy == 3
        await first.ends()
        await settle()
        assert third.inside and slots.busy == 2
        await asyncio.gather(second.ends(), third.ends())
        assert slots.busy == 0

    run(scenario())


def test_a_call_that_wants_to_be_alone_waits_for_all_and_keeps_all_out():
    async def scenario():
        slots = Slots(2)
        first = Caller(slots, False)
        alone = Caller(slots, True)
        shared = Caller(slots, False)
        await settle()
        assert first.inside and not alone.inside and not shared.inside
        await first.ends()
        await settle()
        assert alone.inside and not shared.inside
        await alone.ends()
        await shared.ends()

    run(scenario())


def test_turns_come_in_the_order_of_asking():
    async def scenario():
        slots, order = Slots(1), []
        first = Caller(slots, False)
        await settle()
        kinds = [True, False, True, False, False]
        callers = [Caller(slots, kind, order, name) for name, kind in enumerate(kinds)]
        await first.ends()
        for caller in callers:
            await caller.ends()
        assert order == [0, 1, 2, 3, 4] and slots.busy == 0

    run(scenario())


@pytest.mark.parametrize("alone", [True, False])
def test_a_cancelled_wait_leaves_the_queue_and_lets_the_next_one_in(alone):
    async def scenario():
        slots = Slots(1)
        first = Caller(slots, False)
        waiting, behind = Caller(slots, alone), Caller(slots, False)
        await settle()
        waiting.task.cancel()
        await settle()
        assert slots.busy == 2
        await first.ends()
        await settle()
        assert behind.inside and slots.busy == 1
        await behind.ends()

    run(scenario())


def test_who_waits_behind_a_cancelled_wait_need_not_wait_for_more():
    async def scenario():
        slots = Slots(2)
        first, waiting, behind = Caller(slots, False), Caller(slots, True), Caller(slots, False)
        await settle()
        assert not behind.inside
        waiting.task.cancel()
        await settle()
        assert behind.inside
        await asyncio.gather(first.ends(), behind.ends())

    run(scenario())


def test_a_turn_that_comes_with_the_cancel_is_given_back():
    async def scenario():
        slots = Slots(1)
        async with slots.taken(True):
            waiting = Caller(slots, True)
            await settle()
        # Its turn has come, but it has not run on yet.
        waiting.task.cancel()
        await settle()
        assert waiting.task.cancelled() and not waiting.inside and slots.busy == 0
        await Caller(slots, True).ends()

    run(scenario())


def test_an_error_inside_gives_the_slot_back():
    async def scenario():
        slots = Slots(1)
        with pytest.raises(OSError):
            async with slots.taken(True):
                raise OSError
        assert slots.busy == 0
        await Caller(slots, True).ends()

    run(scenario())


def test_the_next_turn_goes_to_the_learner_who_has_taken_the_fewest_tokens():
    async def scenario():
        slots, order = Slots(1), []
        async with slots.taken(False, "Ada") as use:
            use(100)
            greedy = [Caller(slots, False, order, f"Ada {n}", "Ada") for n in range(3)]
            others = [Caller(slots, kind, order, who, who) for who, kind in [("Bo", 0), ("Cy", 1)]]
            await settle()
        await all_end([*greedy, *others])
        # The others begin where she is; her first one stood in line before they came.
        assert order == ["Ada 0", "Bo", "Cy", "Ada 1", "Ada 2"]

    run(scenario())


def test_who_was_away_gets_no_turns_for_that_time():
    async def scenario():
        slots, order = Slots(1), []
        async with slots.taken(False, "Ada") as use:
            use(1_000)
        async with slots.taken(False, "Bo") as use:
            use(10)
            callers = [Caller(slots, False, order, who, who) for who in ("Ada", "Bo")]
            await settle()
        await all_end(callers)
        assert order == ["Ada", "Bo"]

    run(scenario())


def test_one_learner_has_so_many_slots_and_the_others_stay_for_the_next():
    async def scenario():
        slots = Slots(4, each=2)
        greedy = [Caller(slots, False, who="Ada") for _ in range(5)]
        await settle()
        assert [caller.inside for caller in greedy] == [True, True, False, False, False]
        other = Caller(slots, False, who="Bo")
        await settle()
        assert other.inside
        await greedy[0].ends()
        await settle()
        assert greedy[2].inside and not greedy[3].inside
        await all_end([*greedy, other])

    run(scenario())


def test_what_two_wait_for_comes_when_it_is_the_turn_of_either():
    async def scenario():
        slots, order, crowd = Slots(1), [], set()
        async with slots.taken(False, "Ada") as use:
            use(100)
            pile = [Caller(slots, False, order, number, "Ada") for number in range(3)]
            slots.join(crowd, "Ada")
            both = Caller(slots, False, order, "both", crowd)
            await settle()
            slots.join(crowd, "Bo")
            assert slots.waiting("Bo") == 1 and slots.waiting("Ada") == 4
            # She has taken more by then than he, who came when she had taken 100.
            use(1)
        await all_end([*pile, both])
        assert order == ["both", 0, 1, 2]
        # It was his turn, so the tokens are his.
        assert slots._tokens == {"Ada": 131, "Bo": 110}

    run(scenario())
