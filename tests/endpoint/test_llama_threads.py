"""The way from the engine's threads to who awaits its events, without the engine."""

import asyncio
import threading

import pytest

from qwen_lab.endpoint.engine import Piece
from qwen_lab.endpoint.llama_threads import Threads
from qwen_lab.endpoint.refusal import Refusal


@pytest.fixture
def threads():
    return Threads(2)


class Writer:
    """Writes on until it is told to stop; then it takes a while to end."""

    def __init__(self, tail=0.05):
        self.began, self.ended, self.written, self.tail = threading.Event(), False, 0, tail

    def __call__(self, emit):
        self.began.set()
        for number in range(1000):
            threading.Event().wait(0.005)
            self.written += 1
            if emit(Piece(str(number))):
                break
        threading.Event().wait(self.tail)
        self.ended = True


def run(scenario):
    return asyncio.run(asyncio.wait_for(scenario, 10))


async def first(events):
    async for event in events:
        return event


async def texts(events):
    return [event.text async for event in events]


def test_events_come_in_order_and_the_end_after_them(threads):
    def answer(emit):
        for number in range(200):
            assert not emit(Piece(str(number)))

    assert run(texts(threads.events(answer))) == [str(number) for number in range(200)]


def test_an_error_comes_after_the_events_before_it(threads):
    def answer(emit):
        emit(Piece("好"))
        raise OSError("gone")

    async def scenario():
        events = threads.events(answer)
        assert await anext(events) == Piece("好")
        with pytest.raises(OSError, match="gone"):
            await anext(events)

    run(scenario())


def test_closing_comes_back_when_the_thread_has_ended_at_its_next_token(threads):
    async def scenario():
        writer = Writer()
        events = threads.events(writer)
        await anext(events)
        await events.aclose()
        assert writer.ended and writer.written < 20

    run(scenario())


def test_nothing_begins_for_who_closes_before_the_first_event(threads):
    async def scenario():
        writer = Writer()
        await threads.events(writer).aclose()
        await asyncio.sleep(0.05)
        assert not writer.began.is_set()

    run(scenario())


@pytest.mark.parametrize("times", [1, 5])
def test_a_cancelled_reader_waits_for_the_thread_however_often_it_is_cancelled(threads, times):
    async def scenario():
        writer = Writer(tail=0.3)
        reader = asyncio.create_task(texts(threads.events(writer)))
        while not writer.written:
            await asyncio.sleep(0.001)
        for _ in range(times):
            reader.cancel()
            await asyncio.sleep(0.01)
        assert not reader.done()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert writer.ended and writer.written < 20

    run(scenario())


def test_of_two_readers_one_is_cancelled_and_the_other_reads_to_the_end(threads):
    def short(emit):
        for number in range(50):
            threading.Event().wait(0.005)
            assert not emit(Piece(str(number)))

    async def scenario():
        writer = Writer()
        leaves = asyncio.create_task(texts(threads.events(writer)))
        stays = asyncio.create_task(texts(threads.events(short)))
        while writer.written < 3:
            await asyncio.sleep(0.001)
        leaves.cancel()
        assert len(await stays) == 50 and writer.ended

    run(scenario())


def test_an_error_that_nobody_waits_for_any_more_makes_no_noise(threads, caplog):
    def answer(emit):
        while not emit(Piece("好")):
            threading.Event().wait(0.005)
        raise OSError("gone")

    async def scenario():
        events = threads.events(answer)
        await anext(events)
        await events.aclose()

    run(scenario())
    assert caplog.records == []


def test_work_beyond_its_time_is_refused_and_ends_whoever_waits(threads):
    writer = Writer()
    with pytest.raises(Refusal, match="timed out") as caught:
        run(texts(Threads(2, limit=0.1).events(writer)))
    assert caught.value.status == 500 and writer.written < 100


@pytest.mark.parametrize("leaves", [True, False])
def test_work_that_goes_on_though_it_should_have_ended_is_stuck(leaves):
    threads = Threads(2, limit=60 if leaves else 0.1, patience=0.2)
    goes_on = threading.Event()

    def deaf(emit):
        emit(Piece("好"))
        goes_on.wait(10)

    async def scenario():
        reader = asyncio.create_task(texts(threads.events(deaf)))
        await asyncio.sleep(0.05)
        assert not threads.stuck
        if leaves:
            reader.cancel()
        while not threads.stuck:
            await asyncio.sleep(0.01)
        goes_on.set()
        await asyncio.wait({reader})
        assert not threads.stuck

    run(scenario())


def test_who_has_read_to_the_end_leaves_nothing_stuck():
    threads = Threads(2, limit=0, patience=0)
    run(texts(threads.events(lambda emit: None)))
    assert not threads.stuck
