"""A stream that is recorded while it is read: every line as it came over the wire, and when."""

import inspect
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from ..words import WrongTypeError
from . import typed

# Of fewer tokens the speed says nothing: the time between two is mostly chance.
FEWEST = 5
# Server-sent events end with an empty line, whatever ends their lines.
END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


@dataclass(frozen=True)
class Line:
    """One server-sent event: its text as it came, the moment it was whole, and its chunk.

    `seconds` count from the moment the request was sent. `chunk` has its fields as the SDK's types
    have them; None for a comment, for `[DONE]`, and for what could not be read. `texts` is what it
    adds to each answer, by its index: a call with `n` has several, whose chunks come mixed.
    """

    raw: str
    seconds: float
    chunk: Any = None

    @property
    def texts(self) -> dict[int, str]:
        """What each answer of which it is a chunk gains by it, "" for nothing."""
        choices = self.chunk.choices if self.chunk else []
        return {choice.index: choice.delta.content or "" for choice in choices}

    @property
    def text(self) -> str:
        """All that it adds, whichever answer gains it."""
        return "".join(self.texts.values())


class Recording:
    """Reads a stream of the SDK, sync or async, and keeps every line that came, and when.

    What the SDK raises passes through, and is kept in `error`. `state` is "unread", "reading",
    "done", "left" (closed before its end) or "failed".
    """

    def __init__(self, stream: Any) -> None:
        if inspect.isawaitable(stream):
            raise WrongTypeError("wire.not_awaited", stream)
        if not hasattr(stream, "response"):
            raise WrongTypeError("wire.not_stream", stream)
        self._stream, self._rest = stream, b""
        self._heard: list[tuple[str, float]] = []
        # Each chunk as the SDK made it, and as its types have it.
        self._chunks: dict[int, tuple[Any, Any]] = {}
        self.state, self.error = "unread", None
        self._ended: float | None = None
        response = stream.response
        # A tape that is played at once says so: its speed is not the model's.
        self.at_once = "x-lab-played" in response.headers
        self._waits = hasattr(stream, "__anext__")
        # The SDK takes the bytes from here, and not before the first chunk is asked for.
        if self._waits:
            response.aiter_bytes = self._tap_async(response.aiter_bytes)
        else:
            response.iter_bytes = self._tap(response.iter_bytes)

    @property
    def chunks(self) -> list:
        """The chunks that were read, in order."""
        return [chunk for chunk, part in self._chunks.values() if part]

    @property
    def part(self) -> Any:
        """The last chunk, with its fields as the SDK's types have them; None for no chunk."""
        return next(reversed(self._chunks.values()), (None, None))[1]

    def need_chunk(self) -> None:
        """Raise `LabError` where no chunk came: what was read may be a page of HTML."""
        if not self.chunks:
            raise typed.no_completion(" ".join(raw for raw, _ in self._heard))

    @property
    def text(self) -> str:
        """The text of the first answer so far."""
        return self.texts[0]

    @property
    def texts(self) -> list[str]:
        """The text of each answer so far, in the order of their indices."""
        return texts([Line("", 0, part) for _, part in self._chunks.values()])

    @property
    def events(self) -> list[Line]:
        """Every event that arrived, read or not."""
        began = self._began()
        return [
            Line(raw, heard - began, self._chunks.get(index, (None, None))[1])
            for index, (raw, heard) in enumerate(self._heard)
        ]

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        self.state = "reading"
        try:
            return self._keep(next(self._stream))
        except StopIteration:
            self._end("done")
            raise
        except Exception as error:
            self._end("failed", error)
            raise

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> Coroutine | None:
        """Hang up; what came before stays. An async stream is closed by `await wire.close()`."""
        if self._waits:
            return self._close()
        self._stream.close()
        self._end("left")

    async def _close(self) -> None:
        await self._stream.close()
        self._end("left")

    def __aiter__(self) -> AsyncIterator:
        return self

    async def __anext__(self) -> Any:
        self.state = "reading"
        try:
            return self._keep(await anext(self._stream))
        except StopAsyncIteration:
            self._end("done")
            raise
        except Exception as error:
            self._end("failed", error)
            raise

    async def __aenter__(self) -> "Recording":
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self._close()

    def _tap(self, read: Callable) -> Callable:
        def parts(*arguments: object) -> Iterator[bytes]:
            for part in read(*arguments):
                self._hear(part)
                yield part

        return parts

    def _tap_async(self, read: Callable) -> Callable:
        async def parts(*arguments: object) -> AsyncIterator[bytes]:
            async for part in read(*arguments):
                self._hear(part)
                yield part

        return parts

    def _hear(self, part: bytes) -> None:
        now = time.perf_counter()
        *whole, self._rest = END.split(self._rest + part)
        self._heard += [(raw.decode(errors="replace"), now) for raw in whole]

    def _keep(self, chunk: Any) -> Any:
        """Put the chunk to its event: the next one that has data."""
        at = next(reversed(self._chunks), -1) + 1
        while at < len(self._heard) and not _has_data(self._heard[at][0]):
            at += 1
        self._chunks[at] = chunk, typed.chunk(chunk)
        return chunk

    def _end(self, state: str, error: Exception | None = None) -> None:
        if self._ended is None:
            self.state, self.error = state, error
            self._ended = time.perf_counter()
            if self._rest.strip():
                raw = self._rest.decode(errors="replace").rstrip("\r\n")
                self._heard.append((raw, self._ended))

    def _began(self) -> float:
        """When the request was sent; while the stream is open, when its first event came."""
        response = self._stream.response
        first = self._heard[0][1] if self._heard else 0
        if self._ended and response.is_closed:
            # On a busy machine the end is noticed here later than it came.
            return min(first, self._ended - response.elapsed.total_seconds())
        return first


def usage(events: list[Line]) -> Any:
    """What the stream said it used; None where it did not."""
    return next((event.chunk.usage for event in events if event.chunk and event.chunk.usage), None)


def pace(events: list[Line]) -> float | None:
    """Tokens a second after the first, thinking included; None where unknown."""
    began = next((event.seconds for event in events if event.text or _thought(event)), None)
    found = usage(events)
    if found is None or began is None:
        return None
    # The token that ends an answer is counted, and has no text.
    tokens, seconds = found.completion_tokens or 0, events[-1].seconds - began
    return (tokens - 1) / seconds if tokens >= FEWEST and seconds > 0 else None


def _thought(event: Line) -> str:
    deltas = [choice.delta for choice in event.chunk.choices] if event.chunk else []
    return "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)


def texts(events: list[Line]) -> list[str]:
    """The text of each answer after these events, by index; the first is there in any case."""
    found = {0: ""}
    for event in events:
        for index, text in event.texts.items():
            found[index] = found.get(index, "") + text
    return [found[index] for index in sorted(found)]


def _has_data(raw: str) -> bool:
    return any(line.startswith("data:") for line in raw.splitlines())
