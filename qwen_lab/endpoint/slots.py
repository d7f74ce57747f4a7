"""Who may use the model now: up to `size` requests share it, or one has it alone.

They come in the order of asking, so neither kind starves the other.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """The model's slots, of which one that wants to be alone takes all. For one event loop."""

    def __init__(self, size: int) -> None:
        self.size = size
        # How many requests run or wait.
        self.busy = 0
        self._free = size
        self._waiting: deque[tuple[int, asyncio.Future]] = deque()

    @asynccontextmanager
    async def taken(self, alone: bool) -> AsyncIterator[None]:
        """A slot, or the whole model, for as long as the block runs; a cancelled wait ends."""
        count, turn = self.size if alone else 1, asyncio.get_running_loop().create_future()
        self.busy += 1
        self._waiting.append((count, turn))
        self._admit()
        try:
            await turn
            yield
        finally:
            self.busy -= 1
            # Cancelled in the very moment in which its turn came, it has the slot all the same.
            if turn.cancelled():
                self._waiting.remove((count, turn))
            else:
                self._free += count
            self._admit()

    def _admit(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            count, turn = self._waiting.popleft()
            self._free -= count
            turn.set_result(None)
