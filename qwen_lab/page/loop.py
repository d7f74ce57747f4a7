"""An event loop within another, and the SDK's way to an app in it: no port, no thread, no wait.

The page's own loop stands still while a cell calls without `await`, as any kernel's does; the
endpoint must not. So it has a loop of its own, which whoever waits for an answer turns.
"""

import asyncio
import sys
import time
from asyncio import events, tasks
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import count

import httpx2

# Seconds between two looks at the loop while nothing is due.
PAUSE = 0.02
# In a page `time.sleep` lets the page's loop run on, where the browser can do that; a call without
# `await` stops that loop in every kernel. But for what comes from the page it must run on.
SLEEP = getattr(sys.modules.get("pyodide.webloop"), "_orig_sleep", time.sleep)
# Python 3.11 knows no running task but by its loop.
_swap_task = getattr(tasks, "_swap_current_task", lambda loop, task: None)


class Loop(asyncio.BaseEventLoop):
    """An event loop that nothing reaches from outside: it goes on only when it is turned."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = self
        # How much is waited for that comes from outside.
        self.abroad = 0

    def select(self, timeout: float | None) -> list:
        """What came from outside, for the base class: nothing ever does."""
        return []

    def _process_events(self, found: list) -> None:
        pass

    def __del__(self) -> None:
        # The base class asks to be closed; here nothing of the system's is open.
        pass

    def turn(self) -> float:
        """Do what is due, and say how many seconds to wait before the next turn."""
        outer = events._get_running_loop()
        task = outer and _swap_task(outer, None)
        events._set_running_loop(None)
        try:
            self.call_soon(self.stop)
            self.run_forever()
        finally:
            events._set_running_loop(outer)
            if outer:
                _swap_task(outer, task)
        due = self._scheduled[0].when() - self.time() if self._scheduled else PAUSE
        return 0 if self._ready else max(0, min(due, PAUSE))


def stops() -> int:
    """How often the learner has pressed Stop so far, by the count of the page's `start.js`."""
    return getattr(sys.modules.get("js"), "stops", 0)


@contextmanager
def outside() -> Iterator[None]:
    """While it lasts, what the running loop waits for comes from the page, not from within."""
    loop = asyncio.get_running_loop()
    loop.abroad += 1
    try:
        yield
    finally:
        loop.abroad -= 1


class Exchange(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """One request's way through the app, and the body of its answer."""

    def __init__(self, app: Callable, loop: Loop, request: httpx2.Request, body: bytes) -> None:
        self._loop, self._body, self._told = loop, body, deque()
        self._left, self._over = asyncio.Event(), False
        self._patience = (request.extensions.get("timeout") or {}).get("read")
        url = request.url
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
            "method": request.method, "scheme": url.scheme, "server": (url.host, url.port),
            "path": url.path, "raw_path": url.raw_path, "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
        }  # fmt: skip
        self._running = loop.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> dict:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict) -> None:
        self._told.append(message)

    def _turns(self) -> Iterator[float]:
        """Turn the loop until the app says something more; the seconds to wait before each turn."""
        end = time.monotonic() + self._patience if self._patience else None
        before = stops()
        while not (self._told or self._running.done()):
            pause = self._loop.turn()
            if not (self._told or self._running.done()):
                if end and time.monotonic() > end:
                    self.close()
                    raise httpx2.ReadTimeout("timed out")
                yield pause
                if stops() != before:
                    self.close()
                    raise KeyboardInterrupt

    def _next(self) -> dict:
        if not self._told:
            self._running.exception()
            raise httpx2.RemoteProtocolError("the answer ended too soon")
        message = self._told.popleft()
        self._over = message["type"] == "http.response.body" and not message.get("more_body")
        return message

    def response(self, start: dict) -> httpx2.Response:
        return httpx2.Response(start["status"], headers=start["headers"], stream=self)

    def read(self) -> dict:
        for pause in self._turns():
            (time.sleep if self._loop.abroad else SLEEP)(pause)
        return self._next()

    async def aread(self) -> dict:
        try:
            for pause in self._turns():
                await asyncio.sleep(pause)
        except asyncio.CancelledError:
            self.close()
            raise
        return self._next()

    def __iter__(self) -> Iterator[bytes]:
        while not self._over:
            yield self.read().get("body", b"")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self._over:
            yield (await self.aread()).get("body", b"")

    def close(self) -> None:
        """The client leaves: the app hears of it at the next turns, whoever makes them.

        What it has begun outside would go on till then, so for that the turns are made.
        """
        self._left.set()
        self._loop.turn()
        if self._loop.abroad and (outer := events._get_running_loop()):
            self._leaving = outer.create_task(self._end())

    async def _end(self) -> None:
        while not self._running.done():
            await asyncio.sleep(self._loop.turn())

    async def aclose(self) -> None:
        self.close()


class Host:
    """An invented host: each app has a port of it, to which calls of this process go."""

    def __init__(self, name: str) -> None:
        self.name, self._apps, self._ports = name, {}, count(1)

    def serve(self, app: Callable) -> str:
        """Take an app in; the address at which calls reach it from now on."""
        if not self._apps:
            self._redirect()
        port = next(self._ports)
        self._apps[port] = app, Loop()
        return f"http://{self.name}:{port}"

    def _redirect(self) -> None:
        """Let the SDK's own transports bring to an app what goes to this host."""
        by_fetch, by_async_fetch = (
            httpx2.HTTPTransport.handle_request, httpx2.AsyncHTTPTransport.handle_async_request
        )  # fmt: skip

        def handle_request(transport, request: httpx2.Request) -> httpx2.Response:
            if request.url.host != self.name:
                return by_fetch(transport, request)
            exchange = self._exchange(request, b"".join(request.stream))
            return exchange.response(exchange.read())

        async def handle_async_request(transport, request: httpx2.Request) -> httpx2.Response:
            if request.url.host != self.name:
                return await by_async_fetch(transport, request)
            exchange = self._exchange(request, b"".join([part async for part in request.stream]))
            return exchange.response(await exchange.aread())

        httpx2.HTTPTransport.handle_request = handle_request
        httpx2.AsyncHTTPTransport.handle_async_request = handle_async_request

    def _exchange(self, request: httpx2.Request, body: bytes) -> Exchange:
        if request.url.port not in self._apps:
            raise httpx2.ConnectError("nothing listens there")
        app, loop = self._apps[request.url.port]
        return Exchange(app, loop, request, body)
