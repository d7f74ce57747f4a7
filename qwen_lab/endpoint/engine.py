"""What the endpoint needs of a model: an `Engine`, and the events of an answer, one by one.

It is the boundary at which tests put a fake and a tape stands: all above it is the same for each.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Protocol

from ..watch.next_token import NextToken
from .rules import ChatRequest


@dataclass(frozen=True)
class Prompt:
    """The prompt was counted and is being read; comes again while a long one is."""

    tokens: int


@dataclass(frozen=True)
class Piece:
    """Some text, whole characters; `logprobs` has a row in the SDK's shape for each token."""

    text: str
    logprobs: list[dict] | None = None


@dataclass(frozen=True)
class Thought:
    """Some of the thinking that comes before an answer."""

    text: str


@dataclass(frozen=True)
class End:
    """Nothing more comes. `reason` is "stop" or "length"; counts are tokens."""

    reason: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int


Event = Prompt | Piece | Thought | End
Events = AsyncGenerator[Event, None]
# The beginning of an answer: text, or the numbers of tokens.
Prefix = str | list[int]


class Engine(Protocol):
    """What the endpoint needs of a model; `slots` says how many requests it can answer at once.

    `stuck` is True while it goes on with something that should have ended a while ago; `at_once`,
    where how soon a chunk comes says nothing of the model.
    """

    model: str
    slots: int
    thinks: bool
    stuck: bool
    at_once: bool

    def generate(self, request: ChatRequest, seed: int, alone: bool) -> Events:
        """Answer the request, event by event; `alone` means without the prompt cache.

        Closing the iterator, or cancelling who waits for its next event, stops the engine at its
        next token; either comes back when it has stopped. Raises `Refusal` when the model itself
        cannot take the request.
        """

    async def next_token(self, messages: list[dict], prefix: Prefix, most: int) -> NextToken:
        """The `most` likeliest candidates for the token after `prefix` of an answer, no tail.

        `messages` are what the model reads. Takes 0.03 s for 1,000 candidates, 1.5 s for all.
        Who is cancelled while it waits stops the engine, as with `generate`. Raises `Refusal`.
        """


async def events_of(
    work: asyncio.Future, events: asyncio.Queue, stop: Callable[[], object] | None = None
) -> Events:
    """The events that some work puts into a queue until it is done; then raises what it raised.

    Who closes this before the end has `stop` called, and waits until the work is done.
    """
    work.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        work.result()
    finally:
        if stop:
            stop()
        await done(work)


async def done(work: asyncio.Future) -> None:
    """Wait until the work is done, however it ends; who is cancelled meanwhile waits all the same.

    Raises `CancelledError` then. So a slot is given back only when the engine has really stopped.
    """
    cancelled = None
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError as error:
            cancelled = error
    if not work.cancelled():
        # Looked at, so that asyncio does not complain of an error that nobody wants to know.
        work.exception()
    if cancelled:
        raise cancelled
