"""A call's answer: one stream of chunks, field for field as DashScope records them.

The SSE answer is these chunks; the JSON answer is the same chunks put together, so the two
cannot differ.
"""

import asyncio
import copy
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import aclosing
from functools import partial

from ..watch.next_token import NextToken
from .deltas import Deltas
from .engine import Engine
from .events import End, Event, Prompt
from .rules import Call
from .slots import Slots

# The seed that DashScope documents for a request that names none.
DEFAULT_SEED = 1234


class Answerer:
    """Answers calls: waits for a slot, runs the engine in a thread, makes the chunks."""

    def __init__(self, engine: Engine, slots: Slots, threads: Executor) -> None:
        self.engine, self.slots, self.threads = engine, slots, threads

    async def chunks(self, call: Call, request_id: str) -> AsyncIterator[dict]:
        """The chunks of the answer, the one with the usage last; raises `Refusal`.

        Closing the iterator stops the engine at its next token. Several choices (`n`) come one
        after the other, each with a seed of its own.
        """
        head, ends, thoughts = _head(request_id, self.engine.model), [], 0
        for index in range(call.n):
            deltas, begun = Deltas(call), False
            async with aclosing(self._events(call, index)) as events:
                async for event in events:
                    # The role goes out with the first token: until then a refusal may come.
                    if not begun and not isinstance(event, Prompt):
                        begun = True
                        yield _chunk(head, index, deltas.opening)
                    for delta, logprobs in deltas.take(event):
                        yield _chunk(head, index, delta, logprobs)
            ends.append(event)
            thoughts += deltas.thoughts
            yield _chunk(head, index, {"content": ""}, reason=deltas.reason)
        yield {**head, "choices": [], "usage": _usage(ends, thoughts if call.thinking else None)}

    async def _events(self, call: Call, index: int) -> AsyncIterator[Event]:
        # One seed, one text: neighbours and the prompt cache change the rounding, so a seeded
        # call has the model alone and reads its prompt afresh (design, section 3).
        alone = call.seed is not None
        seed = (call.seed if alone else DEFAULT_SEED) + index
        loop, events, left = asyncio.get_running_loop(), asyncio.Queue(), threading.Event()

        def put(event: object) -> bool:
            loop.call_soon_threadsafe(events.put_nowait, event)
            return left.is_set()

        def work() -> None:
            try:
                self.engine.generate(call, seed, alone, put)
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


async def complete(chunks: AsyncIterator[dict]) -> dict:
    """The JSON answer that the chunks add up to."""
    choices: dict[int, dict] = {}
    async for chunk in chunks:
        for part in chunk["choices"]:
            _add(choices.setdefault(part["index"], _choice(part["index"])), part)
    return {**chunk, "object": "chat.completion", "choices": list(choices.values())}


def _head(request_id: str, model: str) -> dict:
    return {
        "id": f"chatcmpl-{request_id}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": None,
        "usage": None,
    }


def _chunk(head: dict, index: int, delta: dict, logprobs=None, reason: str | None = None) -> dict:
    rows = {"content": logprobs} if logprobs else None
    choice = {"index": index, "delta": delta, "logprobs": rows, "finish_reason": reason}
    return {"choices": [choice], **head}


def _usage(ends: list[End], thoughts: int | None) -> dict:
    # The prompt is billed once, however many choices.
    prompt, completion = ends[0].prompt_tokens, sum(end.completion_tokens for end in ends)
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": ends[0].cached_tokens},
    }
    if thoughts is not None:
        # The engine does not count them: a piece of thinking is a token, or rarely two.
        details = {"reasoning_tokens": thoughts, "text_tokens": completion}
        usage["completion_tokens_details"] = details
    return usage


def _choice(index: int) -> dict:
    message = {"role": "assistant", "content": ""}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": None}


def _add(choice: dict, part: dict) -> None:
    message, delta = choice["message"], part["delta"]
    for name in ("content", "reasoning_content"):
        if name in delta:
            message[name] = message.get(name, "") + (delta[name] or "")
    for piece in delta.get("tool_calls", ()):
        calls = message.setdefault("tool_calls", [])
        if piece["index"] == len(calls):
            calls.append(copy.deepcopy(piece))
        else:
            calls[-1]["function"]["arguments"] += piece["function"]["arguments"]
    choice["finish_reason"] = part["finish_reason"]
    if part["logprobs"]:
        rows = choice["logprobs"] = choice["logprobs"] or {"content": []}
        rows["content"] += part["logprobs"]["content"]
