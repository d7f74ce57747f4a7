"""The threads in which llama.cpp works, and until when each may.

It calls back with each event from a thread; here that becomes an iterator to await.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

from .engine import Event, Events, events_of
from .llama_chunks import Emit
from .refusal import Refusal

# Longer than the longest prompt and answer take on a slow machine that does other things too.
LIMIT = 600
# Work that was told to stop, or is over its limit, ends within the engine's next step.
PATIENCE = 30


class Threads:
    """As many threads as the engine has slots. Work has `limit` seconds: then it is refused."""

    def __init__(self, size: int, *, limit: float = LIMIT, patience: float = PATIENCE) -> None:
        self._pool = ThreadPoolExecutor(size, "engine")
        self._limit, self._patience = limit, patience
        self._due: dict[asyncio.Future, float] = {}

    @property
    def stuck(self) -> bool:
        """Whether some work goes on that should have ended a while ago."""
        return any(time.monotonic() > due + self._patience for due in self._due.values())

    async def events(self, work: Callable[[Emit], None]) -> Events:
        """What the work emits, until it is done; it is told to stop when nobody reads on."""
        loop, told = asyncio.get_running_loop(), asyncio.Queue()
        left, end = threading.Event(), time.monotonic() + self._limit

        def emit(event: Event) -> bool:
            if time.monotonic() > end:
                raise Refusal.named("timed_out")
            loop.call_soon_threadsafe(told.put_nowait, event)
            return left.is_set()

        def stop() -> None:
            left.set()
            if running in self._due:
                self._due[running] = time.monotonic()

        running = loop.run_in_executor(self._pool, work, emit)
        self._due[running] = end
        running.add_done_callback(self._due.pop)
        async with aclosing(events_of(running, told, stop)) as events:
            async for event in events:
                yield event
