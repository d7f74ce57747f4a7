"""The engine, taken in turns: each request waits in its learner's line for a slot."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from math import inf

from ..watch.next_token import NextToken
from .engine import End, Engine, Events, Prefix, Prompt
from .refusal import Refusal
from .rules import ChatRequest
from .slots import Crowd, Slots


class Turns:
    """What an engine answers, to many learners; whoever asks here knows no slots.

    Of one learner's calls at most `waiting` wait; more are refused as too many. Kept `apart`, one
    learner has at most a quarter of the slots, so that the next one finds some, and no call finds
    in the prompt cache what another's has read: how much it finds, and how soon, would tell how
    another's text begins. Who asks is a learner, or the crowd of all who wait for the same.
    """

    def __init__(self, engine: Engine, waiting: float = inf, *, apart: bool = False) -> None:
        self.slots = Slots(engine.slots, max(1, engine.slots // 4) if apart else None)
        self._engine, self._waiting, self._apart = engine, waiting, apart

    async def generate(
        self, request: ChatRequest, seed: int, alone: bool, who: str | Crowd
    ) -> Events:
        """The engine's events for who asks."""
        read = 0
        async with (
            self.taken(alone, who) as use,
            aclosing(self._engine.generate(request, seed, alone or self._apart)) as events,
        ):
            async for event in events:
                if isinstance(event, Prompt):
                    use(event.tokens - read)
                    read = event.tokens
                elif not isinstance(event, End):
                    use(1)
                yield event

    async def next_token(
        self, messages: list[dict], prefix: Prefix, most: int, who: str | Crowd
    ) -> NextToken:
        """The engine's candidates for who asks."""
        async with self.taken(False, who) as use:
            found = await self._engine.next_token(messages, prefix, most)
            use(found.prompt_tokens + 1)
            return found

    def taken(
        self, alone: bool, who: str | Crowd
    ) -> AbstractAsyncContextManager[Callable[[int], None]]:
        """A slot, as `slots` has it; raises `Refusal` where too many of the learner's wait."""
        crowd = {who} if isinstance(who, str) else who
        if min(map(self.slots.waiting, crowd)) >= self._waiting:
            raise Refusal.named("too_many")
        return self.slots.taken(alone, who)
