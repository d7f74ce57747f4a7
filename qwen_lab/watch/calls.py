"""Many calls, recorded as they go out: when each was sent, answered, read, and tried again."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2
import openai

from ..words import need_type

Client = TypeVar("Client", openai.OpenAI, openai.AsyncOpenAI)
# Since when this task waits for its turn; the next call that it makes takes it.
_waiting: ContextVar[float | None] = ContextVar("waiting", default=None)
# The SDK counts its tries here.
RETRY = "x-stainless-retry-count"
# The error of a stream that was closed before its end.
LEFT = "left"
# With these lines a stream is over, and with which error; the SDK reads no further.
ENDS = {b"data: [DONE]": "", b'data: {"error"': "APIError"}


@dataclass
class Attempt:
    """One HTTP request. Moments are seconds of `time.perf_counter`, None while they lie ahead.

    `error` names what went wrong on the way, or is "left" where the caller closed a stream before
    it had read its end; a status of 400 and more is no such error.
    """

    sent: float
    answered: float | None = None
    ended: float | None = None
    status: int | None = None
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether it brought an answer, as far as that was read."""
        return self.status is not None and not self.refused and not self.error

    @property
    def refused(self) -> bool:
        """Whether the server answered that it will not."""
        return self.status is not None and self.status >= 400

    @property
    def left(self) -> bool:
        """Whether the caller went away before the end."""
        return self.error in (LEFT, asyncio.CancelledError.__name__)

    def end(self, error: str = "") -> None:
        """Note that it ends now; what comes after its end is not noted."""
        if self.ended is None:
            self.ended, self.error = time.perf_counter(), error


@dataclass
class Call:
    """One call of the SDK, with every attempt at it.

    `label` is the last thing that was said; `queued` the moment from which the call waited for
    its turn, None where it did not. `asked` is the JSON that was sent, as a dict.
    """

    label: str
    queued: float | None
    attempts: list[Attempt] = field(default_factory=list)
    asked: dict = field(default_factory=dict)


class Calls:
    """Records the calls of the clients that it watches, in the order in which they were sent.

    `calls` lists them. Each has a `label`, the last thing that was said, what was `asked`, and its
    `attempts`: when each was sent, answered and ended (seconds of `time.perf_counter`), the HTTP
    status, and what went wrong on the way. A stream that was read up to its `[DONE]` has ended;
    one that was closed before is "left".

    >>> import asyncio
    >>> calls = qwen_lab.Calls()
    >>> watched = calls.watch(async_client)
    >>> call = {"model": lab.model, "messages": messages}
    >>> answers = await asyncio.gather(*(watched.chat.completions.create(**call) for _ in range(3)))
    >>> len(calls.calls), calls.calls[0].label
    (3, 'Write a line about autumn')
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._latest: dict[tuple, Call] = {}
        self._lock = threading.Lock()

    def watch(self, client: Client) -> Client:
        """A client like this one, with its proxy and certificates, whose calls are recorded."""
        need_type("timeline.no_client", client, (openai.OpenAI, openai.AsyncOpenAI))
        http = copy(client._client)
        if type(http).__module__.startswith("openai."):
            # The SDK's own closes its connections when it is forgotten; these are the first one's.
            http.__class__ = type(http).__base__
        http.first = client._client
        http._transport = _Transport(self, http._transport)
        http._mounts = {
            pattern: transport and _Transport(self, transport)
            for pattern, transport in http._mounts.items()
        }
        return client.with_options(http_client=http)

    def clear(self) -> None:
        """Forget the calls so far: what comes next is recorded by itself."""
        with self._lock:
            self.calls.clear()
            self._latest.clear()

    @asynccontextmanager
    async def queued(self, semaphore: asyncio.Semaphore) -> AsyncIterator[None]:
        """Hold the semaphore, and note how long the next call here waited for it."""
        since = time.perf_counter()
        async with semaphore:
            _waiting.set(since)
            yield

    def sent(self, request: httpx2.Request) -> Attempt:
        """Note a request that goes out now."""
        attempt = Attempt(time.perf_counter())
        key = (_worker(), request.url, request.content)
        with self._lock:
            call = self._latest.get(key)
            if not call or request.headers.get(RETRY, "0") == "0":
                asked = _asked(request)
                call = Call(_label(asked, request), _waiting.get(), asked=asked)
                _waiting.set(None)
                self.calls.append(call)
                self._latest[key] = call
            call.attempts.append(attempt)
        return attempt


def _worker() -> object:
    """The task that runs, else the thread: the tries of a call all come from one."""
    try:
        return asyncio.current_task() or threading.get_ident()
    except RuntimeError:
        return threading.get_ident()


def _asked(request: httpx2.Request) -> dict:
    with suppress(ValueError):
        if isinstance(asked := json.loads(request.content), dict):
            return asked
    return {}


def _label(asked: dict, request: httpx2.Request) -> str:
    try:
        content = asked["messages"][-1]["content"]
    except (LookupError, TypeError):
        content = None
    return content if isinstance(content, str) else request.url.path


def _answered(response: httpx2.Response, attempt: Attempt) -> httpx2.Response:
    attempt.answered, attempt.status = time.perf_counter(), response.status_code
    response.stream = _Stream(response.stream, attempt)
    return response


@contextmanager
def _noted(attempt: Attempt, kind: type[BaseException]) -> Iterator[None]:
    """Note an error of this kind as the end of the attempt, and let it pass."""
    try:
        yield
    except kind as error:
        attempt.end(type(error).__name__)
        raise


class _Transport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Notes what goes through the `inner` transport, which is a sync or an async one."""

    def __init__(self, calls: Calls, inner: Any) -> None:
        self._calls, self._inner = calls, inner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        attempt = self._calls.sent(request)
        with _noted(attempt, BaseException):
            return _answered(self._inner.handle_request(request), attempt)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        attempt = self._calls.sent(request)
        with _noted(attempt, BaseException):
            return _answered(await self._inner.handle_async_request(request), attempt)

    def close(self) -> None:
        self._inner.close()

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Stream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The body of an answer; notes when it was read to its end, given up, or broke.

    It hands on line by line: what the reader has not come to is not read, though it may be here.
    """

    def __init__(self, inner: object, attempt: Attempt) -> None:
        self._inner, self._attempt = inner, attempt
        self._line = b""

    def __iter__(self) -> Iterator[bytes]:
        with _noted(self._attempt, Exception):
            for part in self._inner:
                yield from self._lines(part)
            self._attempt.end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _noted(self._attempt, Exception):
            async for part in self._inner:
                for line in self._lines(part):
                    yield line
            self._attempt.end()

    def close(self) -> None:
        self._closed()
        self._inner.close()

    async def aclose(self) -> None:
        self._closed()
        await self._inner.aclose()

    def _lines(self, part: bytes) -> Iterator[bytes]:
        """The lines of a part of the body, of which the first may go on with the one before."""
        for line in part.splitlines(keepends=True):
            self._line = line if self._line.endswith((b"\n", b"\r")) else self._line + line
            for begin, error in ENDS.items():
                if self._line.startswith(begin):
                    self._attempt.end(error)
            yield line

    def _closed(self) -> None:
        # Before it tries again, the SDK closes the refusal unread: nobody went away.
        self._attempt.end("" if self._attempt.refused else LEFT)
