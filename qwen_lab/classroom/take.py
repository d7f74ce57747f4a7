"""One answer and the moment of each of its events: read while it is made, and afterwards."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from itertools import count

from ..endpoint.engine import done
from ..endpoint.slots import Crowd


class Take:
    """What a call gives, to any number of readers, each at the pace at which it came.

    It is made, for the `crowd` of who waits for it, as long as anybody reads it; then, or by an
    error, it has `failed`.
    """

    def __init__(self, make: Callable[[Crowd], AsyncGenerator]) -> None:
        self.events: list[tuple[float, object]] = []
        self.crowd: Crowd = set()
        self._readers, self._left = 0, False
        self._news = asyncio.Event()
        self._making = asyncio.create_task(self._make(make(self.crowd)))
        self._making.add_done_callback(lambda _: self._tell())

    @property
    def whole(self) -> bool:
        """Whether all of it is there."""
        return self._making.done() and not self.failed

    @property
    def failed(self) -> bool:
        """Whether it has ended, or is about to end, before it was whole."""
        making = self._making
        ended = making.done() and (making.cancelled() or making.exception() is not None)
        return self._left or ended

    async def read(self) -> AsyncGenerator:
        """The events; raises what the making raised."""
        self._readers += 1
        begun = None
        try:
            for number in count():
                while number == len(self.events) and not self._making.done():
                    await self._news.wait()
                if number == len(self.events):
                    self._making.result()
                    return
                moment, event = self.events[number]
                begun = begun or time.monotonic() - moment
                await asyncio.sleep(max(0, begun + moment - time.monotonic()))
                yield event
        finally:
            self._readers -= 1
            if not self._readers and not self._making.done():
                self._left = self._making.cancel()
                await done(self._making)

    async def _make(self, events: AsyncGenerator) -> None:
        begun = None
        async with aclosing(events):
            async for event in events:
                # The time in the line before it is its maker's own.
                begun = begun or time.monotonic()
                self.events.append((time.monotonic() - begun, event))
                self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
