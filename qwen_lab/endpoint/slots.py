"""Who may use the model now: up to `size` requests share it, or one has it alone.

Each learner's requests come in the order of asking, and between learners the next turn goes to who
has taken the fewest tokens (virtual token counters: Sheng et al. 2024, "Fairness in Serving Large
Language Models"). With one learner that is the order of asking.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

# The learners who wait for one answer: it may come as soon as it is the turn of one of them.
Crowd = set[str]


@dataclass(eq=False)
class _Call:
    crowd: Crowd
    count: int
    turn: asyncio.Future
    # Whose turn has come.
    who: str | None = None


class Slots:
    """The model's slots, of which one that wants to be alone takes all. For one event loop.

    Requests of one learner that share have at most `each` of them.
    """

    def __init__(self, size: int, each: int | None = None) -> None:
        self.size, self._each = size, each or size
        # The tokens that each learner has taken, and all that run or wait, in the order of asking.
        self._tokens: Counter[str] = Counter()
        self._calls: list[_Call] = []
        self._last = ""
        self._free = size

    @property
    def busy(self) -> int:
        """How many requests run or wait."""
        return len(self._calls)

    def waiting(self, who: str) -> int:
        """How many requests of one learner wait for their turn."""
        return sum(who in call.crowd and not call.turn.done() for call in self._calls)

    def join(self, crowd: Crowd, who: str) -> Crowd:
        """Let one more wait for an answer; who was away gets no turns for that time."""
        present = {each for call in self._calls for each in call.crowd}
        if who not in present:
            least = min(map(self._tokens.get, present), default=self._tokens[self._last])
            self._tokens[who] = max(self._tokens[who], least)
        crowd.add(who)
        self._admit()
        return crowd

    @asynccontextmanager
    async def taken(
        self, alone: bool, who: str | Crowd = ""
    ) -> AsyncIterator[Callable[[int], None]]:
        """A slot, or the whole model, for as long as the block runs; a cancelled wait ends.

        The block is to call what it gets with the number of tokens that it takes.
        """
        crowd = self.join(set(), who) if isinstance(who, str) else who
        turn = asyncio.get_running_loop().create_future()
        call = _Call(crowd, self.size if alone else 1, turn)
        self._calls.append(call)
        self._admit()

        def use(tokens: int) -> None:
            self._tokens[call.who] += tokens

        try:
            await turn
            yield use
        finally:
            self._calls.remove(call)
            # Cancelled in the very moment in which its turn came, it has the slot all the same.
            if not turn.cancelled():
                self._free += call.count
                self._last = call.who
            self._admit()

    def _admit(self) -> None:
        """Give turns as long as there is room: first to who has taken the fewest tokens."""
        if not self._free:
            return
        running = Counter(call.who for call in self._calls if call.turn.done())
        line = [(who, call) for call in self._calls if not call.turn.done() for who in call.crowd]
        for who, call in sorted(line, key=lambda each: self._tokens[each[0]]):
            if call.turn.done() or (call.count == 1 and running[who] >= self._each):
                continue
            if call.count > self._free:
                return
            call.who = who
            running[who] += 1
            self._free -= call.count
            call.turn.set_result(None)
