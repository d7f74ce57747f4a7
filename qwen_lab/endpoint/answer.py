"""Answers a request: asks for events once for each choice, and makes chunks of them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from .chunks import Deltas, chunk, head, usage
from .engine import End, Events, Prompt
from .rules import ChatRequest
from .turns import Turns

# The seed that DashScope documents for a request that names none.
DEFAULT_SEED = 1234


async def answer(
    turns: Turns, request: ChatRequest, who: str, model: str, request_id: str
) -> AsyncGenerator[dict, None]:
    """The chunks of the answer to `who`, the one with the usage last; raises `Refusal`.

    Closing the iterator stops the engine at its next token. Several choices (`n`) come one after
    the other, each with a seed of its own.
    """
    first = head(request_id, model)
    ends = []
    thoughts = 0
    for index in range(request.n):
        deltas, begun = Deltas(request), False
        async with aclosing(_events(turns, request, who, index)) as events:
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


def _events(turns: Turns, request: ChatRequest, who: str, index: int) -> Events:
    # One seed, one text: neighbours and the prompt cache change the rounding, so a seeded request
    # has the model alone and reads its prompt afresh (design, section 3).
    alone = request.seed is not None
    seed = (request.seed if alone else DEFAULT_SEED) + index
    return turns.generate(request, seed, alone, who)
