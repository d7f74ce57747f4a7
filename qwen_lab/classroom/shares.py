"""Equal questions get one answer: a call that somebody else has made, or makes, is joined.

All learners of a class run the same cells. A call is known by what a tape knows it by: the request,
and the how-manieth time this learner asks it.
"""

import hashlib
import json
import pickle
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from ..endpoint import tape_line
from ..endpoint.engine import Events, Prefix
from ..endpoint.rules import ChatRequest
from ..endpoint.slots import Crowd
from ..endpoint.turns import Turns
from ..watch.next_token import NextToken
from .take import Take

# Bytes of answers, and how many counts of who asked what.
MOST, COUNTED = 64_000_000, 200_000


class Shares:
    """Answers by turns, each computed once for all who ask alike; the latest are kept."""

    def __init__(self, turns: Turns, most: int = MOST) -> None:
        self.slots = turns.slots
        self._turns, self._most = turns, most
        self._takes: OrderedDict[bytes, Take] = OrderedDict()
        self._sizes: dict[bytes, int] = {}
        self._size = 0
        self._asked: OrderedDict[bytes, int] = OrderedDict()

    async def generate(self, request: ChatRequest, seed: int, alone: bool, who: str) -> Events:
        """The events for the learner of this name, never faster than they came at first."""
        # Unmasked: what differs in a key alone is not the same question.
        ask = tape_line.canonical(request, seed, alone)

        def make(crowd: Crowd) -> Events:
            return self._turns.generate(request, seed, alone, crowd)

        async with aclosing(self._joined(ask, who, make)) as events:
            async for event in events:
                yield event

    async def next_token(
        self, messages: list[dict], prefix: Prefix, most: int, who: str
    ) -> NextToken:
        """The candidates for the learner of this name."""

        async def look(crowd: Crowd) -> AsyncGenerator[NextToken, None]:
            yield await self._turns.next_token(messages, prefix, most, crowd)

        [found] = [each async for each in self._joined([messages, prefix, most], who, look)]
        return found

    async def _joined(
        self, ask: object, who: str, make: Callable[[Crowd], AsyncGenerator]
    ) -> AsyncGenerator:
        """What the call gives, made now or for another; it comes when it is the turn of either."""
        key = self._key(json.dumps(ask, sort_keys=True).encode(), who)
        take = self._takes.pop(key, None)
        if not take or take.failed:
            take = Take(make)
        self._takes[key] = take
        self.slots.join(take.crowd, who)
        try:
            async with aclosing(take.read()) as events:
                async for event in events:
                    yield event
        finally:
            take.crowd.discard(who)
            self._keep(key, take)

    def _key(self, ask: bytes, who: str) -> bytes:
        """The question, and the how-manieth time it is for this learner."""
        mine = hashlib.sha256(who.encode() + b"\n" + ask).digest()
        count = self._asked.pop(mine, 0) + 1
        self._asked[mine] = count
        while len(self._asked) > COUNTED:
            self._asked.popitem(last=False)
        return hashlib.sha256(b"%d\n" % count + ask).digest()

    def _keep(self, key: bytes, take: Take) -> None:
        """Keep it if it is whole, and no more than fits of those that lie longest."""
        if take.failed and self._takes.get(key) is take:
            del self._takes[key]
        elif take.whole and key not in self._sizes:
            self._sizes[key] = len(pickle.dumps(take.events))
            self._size += self._sizes[key]
            while self._size > self._most:
                oldest = next(key for key in self._takes if key in self._sizes)
                del self._takes[oldest]
                self._size -= self._sizes.pop(oldest)
