"""Who may use the model now: up to `size` calls share it, or one has it alone; first come, first
served, so neither kind starves the other."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """The model's slots. Used from the event loop alone."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._waiting: deque[tuple[bool, asyncio.Future]] = deque()
        self._shared = 0
        self._alone = False

    @property
    def busy(self) -> int:
        """How many calls run or wait."""
        return self._shared + self._alone + len(self._waiting)

    @asynccontextmanager
    async def taken(self, alone: bool) -> AsyncIterator[None]:
        """A slot, or the whole model, for as long as the block runs."""
        await self.acquire(alone)
        try:
            yield
        finally:
            self.release(alone)

    async def acquire(self, alone: bool) -> None:
        """Wait for a slot, or for the whole model; a cancelled wait leaves the queue."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((alone, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            # The turn may have come in the same moment.
            if turn.done() and not turn.cancelled():
                self.release(alone)
            else:
                self._waiting.remove((alone, turn))
                self._admit()
            raise

    def release(self, alone: bool) -> None:
        """Give back what `acquire` gave."""
        if alone:
            self._alone = False
        else:
            self._shared -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            alone, turn = self._waiting.popleft()
            if alone:
                self._alone = True
            else:
                self._shared += 1
            turn.set_result(None)

    def _fits(self, alone: bool) -> bool:
        limit = 0 if alone else self.size - 1
        return not self._alone and self._shared <= limit
