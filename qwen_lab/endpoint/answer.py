"""Answers a request: asks for events once for each choice, and makes chunks of them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from .chunks import Deltas, chunk, head, usage
from .engine import End, Event, Events, Prompt
from .learner import Call
from .rules import ChatRequest
from .turns import Turns

# The seed that DashScope documents for a request that names none.
DEFAULT_SEED = 1234


async def answer(turns: Turns, request: ChatRequest, call: Call) -> AsyncGenerator[dict, None]:
    """The chunks of the answer to a call, the one with the usage last; raises `Refusal`.

    What it takes is counted in `call`. Closing the iterator stops the engine at its next token.
    Several choices (`n`) come one after the other, each with a seed of its own.
    """
    first = head(call.id, call.model)
    ends: list[End] = []
    thoughts = 0
    for index in range(request.n):
        deltas, begun = Deltas(request), False
        async with aclosing(_events(turns, request, call.who, index)) as events:
            async for event in events:
                if isinstance(event, End):
                    ends.append(event)
                _count(call, event, ends)
                # The role goes out with the first token: until then a refusal may come.
                if not begun and not isinstance(event, Prompt):
                    begun = True
                    yield chunk(first, index, deltas.opening)
                for delta, logprobs in deltas.take(event):
                    yield chunk(first, index, delta, logprobs)
        thoughts += deltas.thoughts
        yield chunk(first, index, {"content": ""}, reason=deltas.reason)
    yield {**first, "choices": [], "usage": usage(ends, thoughts if request.thinking else None)}


def _count(call: Call, event: Event, ends: list[End]) -> None:
    """Count an event into what the call has taken; until its end, a piece is a token."""
    match event:
        case Prompt(tokens=read) | End(prompt_tokens=read):
            # Each choice reads the same one; an engine that does not know it says 0.
            call.prompt = max(call.prompt or 0, read) or None
        case _:
            call.completion += 1
    if isinstance(event, End):
        call.completion = sum(end.completion_tokens for end in ends)


def _events(turns: Turns, request: ChatRequest, who: str, index: int) -> Events:
    # One seed, one text: neighbours and the prompt cache change the rounding, so a seeded request
    # has the model alone and reads its prompt afresh (design, section 3).
    alone = request.seed is not None
    seed = (request.seed if alone else DEFAULT_SEED) + index
    return turns.generate(request, seed, alone, who)
