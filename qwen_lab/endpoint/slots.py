"""Who may use the model now: up to `size` requests share it, or one has it alone.

Each learner's requests come in the order of asking, and between learners the next turn goes to who
has taken the fewest tokens (virtual token counters: Sheng et al. 2024, "Fairness in Serving Large
Language Models"). With one learner that is the order of asking.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Slots:
    """The model's slots, of which one that wants to be alone takes all. For one event loop."""

    def __init__(self, size: int) -> None:
        self.size = size
        # How many requests of each learner run or wait, and the tokens that each has taken.
        self._present: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()
        self._last = ""
        self._free = size
        self._lines: dict[str, deque[tuple[int, asyncio.Future]]] = {}

    @property
    def busy(self) -> int:
        """How many requests run or wait."""
        return self._present.total()

    def waiting(self, who: str) -> int:
        """How many requests of one learner wait for their turn."""
        return len(self._lines.get(who, ()))

    @asynccontextmanager
    async def taken(self, alone: bool, who: str = "") -> AsyncIterator[Callable[[int], None]]:
        """A slot, or the whole model, for as long as the block runs; a cancelled wait ends.

        The block is to call what it gets with the number of tokens that it takes.
        """
        count, turn = self.size if alone else 1, asyncio.get_running_loop().create_future()
        self._come(who)
        self._lines.setdefault(who, deque()).append((count, turn))
        self._admit()
        try:
            await turn
            yield lambda tokens: self._tokens.update({who: tokens})
        finally:
            self._present -= Counter([who])
            self._last = who
            # Cancelled in the very moment in which its turn came, it has the slot all the same.
            if turn.cancelled():
                self._remove(who, (count, turn))
            else:
                self._free += count
            self._admit()

    def _come(self, who: str) -> None:
        """Count one more; who was away gets no turns for that time."""
        if who not in self._present:
            least = min(map(self._tokens.get, self._present), default=self._tokens[self._last])
            self._tokens[who] = max(self._tokens[who], least)
        self._present[who] += 1

    def _admit(self) -> None:
        while self._lines:
            who = min(self._lines, key=self._tokens.get)
            count, turn = self._lines[who][0]
            if count > self._free:
                return
            self._remove(who, (count, turn))
            self._free -= count
            turn.set_result(None)

    def _remove(self, who: str, waiting: tuple[int, asyncio.Future]) -> None:
        self._lines[who].remove(waiting)
        if not self._lines[who]:
            del self._lines[who]
