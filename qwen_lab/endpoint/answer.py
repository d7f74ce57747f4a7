"""Answers a request: waits for a slot, and runs the engine in it once for each choice."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from .chunks import Deltas, chunk, head, usage
from .engine import End, Engine, Events, Prompt
from .rules import ChatRequest
from .slots import Slots

# The seed that DashScope documents for a request that names none.
DEFAULT_SEED = 1234


async def answer(
    engine: Engine, slots: Slots, request: ChatRequest, request_id: str
) -> AsyncGenerator[dict, None]:
    """The chunks of the answer, the one with the usage last; raises `Refusal`.

    Closing the iterator stops the engine at its next token. Several choices (`n`) come one after
    the other, each with a seed of its own.
    """
    first = head(request_id, engine.model)
    ends = []
    thoughts = 0
    for index in range(request.n):
        deltas, begun = Deltas(request), False
        async with aclosing(_events(engine, slots, request, index)) as events:
            async for event in events:
                # The role goes out with the first token: until then a refusal may come.
                if not begun and not isinstance(event, Prompt):
                    begun = True
                    yield chunk(first, index, deltas.opening)
                for delta, logprobs in deltas.take(event):
                    yield chunk(first, index, delta, logprobs)
                if isinstance(event, End):
                    ends.append(event)
        thoughts += deltas.thoughts
        yield chunk(first, index, {"content": ""}, reason=deltas.reason)
    yield {**first, "choices": [], "usage": usage(ends, thoughts if request.thinking else None)}


async def _events(engine: Engine, slots: Slots, request: ChatRequest, index: int) -> Events:
    # One seed, one text: neighbours and the prompt cache change the rounding, so a seeded request
    # has the model alone and reads its prompt afresh (design, section 3).
    alone = request.seed is not None
    seed = (request.seed if alone else DEFAULT_SEED) + index
    async with slots.taken(alone), aclosing(engine.generate(request, seed, alone)) as events:
        async for event in events:
            yield event
