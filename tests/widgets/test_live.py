"""What every widget that calls does alike, on a small one that counts."""

import asyncio
import html
import re
import threading

import pytest

from qwen_lab.lab import Lab
from qwen_lab.widgets.live import PAUSE, Live


class Counter(Live):
    """Counts on and on, or until `end`; `begun` are its runs, `painted` the states it showed."""

    def __init__(self, end=10**6):
        super().__init__(Lab("http://127.0.0.1:1/v1", "some-qwen", "local", "x"))
        self.end, self.count = end, 0
        self.begun, self.painted, self.stops, self.at_work = 0, [], 0, 0

    async def run(self):
        await self._wait(self._start())
        return self.count

    async def _work(self, *, start=0):
        self.begun, self.count = self.begun + 1, start
        self.at_work += 1
        try:
            while self.count < self.end:
                self.count += 1
                self._paint_soon()
                await asyncio.sleep(0.001)
            self._paint()
        finally:
            self.at_work -= 1

    def _show(self):
        self.painted.append(self.count)

    def _stopped(self):
        self.stops += 1


async def until(true):
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that within 5 s")


def started(act, box):
    """Run the box, act once it counts, and give what `run` returned."""

    async def go():
        running = asyncio.create_task(box.run())
        await until(lambda: box.count > 3)
        act()
        return await asyncio.wait_for(running, 5)

    return asyncio.run(go())


def test_a_run_is_awaited_and_stop_can_be_pressed_meanwhile():
    box = Counter(end=50)
    assert box.stop_button.disabled
    assert started(lambda: box.stop_button.disabled or box.painted.clear(), box) == 50
    assert box.painted and box.stop_button.disabled and not box.stops


def test_of_run_and_stop_the_one_that_can_be_pressed_stands_out():
    box, looks = Counter(end=50), []

    def look():
        for button in (box.run_button, box.stop_button):
            looks.append((button.disabled, button.button_style))

    look(), started(look, box), look()
    off, on = (True, ""), (False, "primary")
    assert looks == [on, off, off, on, on, off]


def test_the_run_button_begins_in_a_cell_that_does_not_wait():
    box = Counter(end=5)

    async def click():
        box.run_button.click()
        assert not box.stop_button.disabled
        await until(lambda: box.stop_button.disabled)

    asyncio.run(click())
    assert box.count == 5


@pytest.mark.parametrize("leave", [Live.stop, Live.close, lambda box: box.stop_button.click()])
def test_a_run_that_is_stopped_or_closed_ends_and_keeps_what_came(leave):
    box = Counter()
    assert started(lambda: leave(box), box) == box.count > 3
    assert box.stops == 1 and box.at_work == 0 and box.stop_button.disabled


def test_a_stop_where_nothing_runs_does_nothing():
    box = Counter(end=5)
    box.stop()
    asyncio.run(box.run())
    box.stop()
    assert box.stops == 0


def test_a_stop_before_the_work_begins_is_one():
    box = Counter()

    async def stop():
        box.run_button.click()
        box.stop()
        await asyncio.sleep(0.02)

    asyncio.run(stop())
    assert (box.begun, box.stops, box.stop_button.disabled) == (0, 1, True)


def test_a_second_run_stops_the_first_so_that_one_is_at_work():
    box, seen = Counter(), []

    async def twice():
        first = asyncio.create_task(box.run())
        await until(lambda: box.count > 3)
        second = asyncio.create_task(box.run())
        await asyncio.wait_for(first, 5)
        # The first cell came to its end, and left the second's run alone.
        await until(lambda: box.count > 3 or seen.append(box.at_work))
        assert not box.stop_button.disabled
        box.stop()
        await second

    asyncio.run(twice())
    assert box.begun == 2 and set(seen) <= {1} and box.stops == 2


def test_an_interrupted_cell_stops_its_own_run():
    box = Counter()

    async def interrupt():
        running = asyncio.create_task(box.run())
        await until(lambda: box.count > 3)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.sleep(0.01)

    asyncio.run(interrupt())
    assert box.at_work == 0 and box.stops == 1 and box.stop_button.disabled


def test_a_click_in_another_thread_stops_a_run_that_waits():
    box = Counter()
    # Nothing else wakes the loop, as when the first token takes its time.
    box._work = lambda: asyncio.Event().wait()

    async def go():
        running = asyncio.create_task(box.run())
        await asyncio.sleep(0.05)
        clicking = threading.Timer(0.2, box.stop_button.click)
        clicking.start()
        await asyncio.wait_for(running, 5)
        clicking.join()

    asyncio.run(go())
    assert box.stops == 1


@pytest.mark.parametrize("grouped", [False, True])
def test_an_error_of_the_work_is_shown_and_gone_with_the_next_run(grouped):
    box, error = Counter(end=5), OSError("<img src=x> is full")

    async def fail():
        raise ExceptionGroup("many", [error]) if grouped else error

    box._work = fail
    asyncio.run(box.run())
    assert re.fullmatch('<div [^>]*role="alert">[^<]*</div>', box.error.value)
    assert html.unescape(box.error.value).count("<img src=x> is full") == 1
    assert box.stop_button.disabled and box.stops == 1
    del box._work
    assert asyncio.run(box.run()) == 5 and box.error.value == ""


def test_it_paints_at_most_every_pause_and_the_last_state_always():
    box = Counter(end=200)

    async def timed():
        began = asyncio.get_running_loop().time()
        await box.run()
        return asyncio.get_running_loop().time() - began

    seconds = asyncio.run(timed())
    assert 3 <= len(box.painted) <= seconds / PAUSE + 2 and box.painted[-1] == 200


def test_a_change_after_a_quiet_time_is_painted_at_once_and_the_next_one_later():
    box = Counter()

    async def change():
        box._paint_soon()
        assert box._later.when() <= asyncio.get_running_loop().time()
        await until(lambda: box.painted)
        for box.count in range(5):
            box._paint_soon()
        await asyncio.sleep(0)
        assert box.painted == [0]
        await until(lambda: len(box.painted) > 1)

    asyncio.run(change())
    assert box.painted == [0, 4]


def test_without_a_loop_it_paints_at_once():
    box = Counter()
    box._paint_soon()
    assert box.painted == [0]
