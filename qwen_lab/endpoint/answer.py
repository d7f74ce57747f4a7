"""Answers a request: waits for a slot, and runs the engine in it once for each choice."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import aclosing
from functools import partial

from ..watch.next_token import NextToken
from .chunks import Deltas, chunk, head, usage
from .engine import Engine, Event, Prompt
from .rules import ChatRequest
from .slots import Slots

# The seed that DashScope documents for a request that names none.
DEFAULT_SEED = 1234


class Answerer:
    """Answers calls: waits for a slot, runs the engine in a thread, makes the chunks."""

    def __init__(self, engine: Engine, slots: Slots, threads: Executor) -> None:
        self.engine, self.slots, self.threads = engine, slots, threads

    async def chunks(self, request: ChatRequest, request_id: str) -> AsyncIterator[dict]:
        """The chunks of the answer, the one with the usage last; raises `Refusal`.

        Closing the iterator stops the engine at its next token. Several choices (`n`) come one
        after the other, each with a seed of its own.
        """
        first, ends, thoughts = head(request_id, self.engine.model), [], 0
        for index in range(request.n):
            deltas, begun = Deltas(request), False
            async with aclosing(self._events(request, index)) as events:
                async for event in events:
                    # The role goes out with the first token: until then a refusal may come.
                    if not begun and not isinstance(event, Prompt):
                        begun = True
                        yield chunk(first, index, deltas.opening)
                    for delta, logprobs in deltas.take(event):
                        yield chunk(first, index, delta, logprobs)
            ends.append(event)
            thoughts += deltas.thoughts
            yield chunk(first, index, {"content": ""}, reason=deltas.reason)
        yield {**first, "choices": [], "usage": usage(ends, thoughts if request.thinking else None)}

    async def _events(self, request: ChatRequest, index: int) -> AsyncIterator[Event]:
        # One seed, one text: neighbours and the prompt cache change the rounding, so a seeded
        # request has the model alone and reads its prompt afresh (design, section 3).
        alone = request.seed is not None
        seed = (request.seed if alone else DEFAULT_SEED) + index
        loop, events, left = asyncio.get_running_loop(), asyncio.Queue(), threading.Event()

        def put(event: object) -> bool:
            loop.call_soon_threadsafe(events.put_nowait, event)
            return left.is_set()

        def work() -> None:
            try:
                self.engine.generate(request, seed, alone, put)
                put(None)
            except Exception as error:
                put(error)

        await self.slots.acquire(alone)
        running = loop.run_in_executor(self.threads, work)
        running.add_done_callback(lambda _: self.slots.release(alone))
        try:
            while (event := await events.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            left.set()
            # The slot is free once the engine has stopped, which it does at its next token.
            await asyncio.shield(running)

    async def next_token(
        self, messages: list[dict], prefix: str | list[int], most: int
    ) -> NextToken:
        """`Engine.next_token` in a slot and a thread."""
        await self.slots.acquire(False)
        work = partial(self.engine.next_token, messages, prefix, most)
        running = asyncio.get_running_loop().run_in_executor(self.threads, work)
        running.add_done_callback(lambda _: self.slots.release(False))
        return await asyncio.shield(running)
