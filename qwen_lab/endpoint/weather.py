"""Practice weather: what goes wrong in the cloud goes wrong here, when a request asks for it.

    X-Lab-Latency: 0.8              the answer begins so many seconds later
    X-Lab-Fault: 429;times=2        the request fails twice, then works
    X-Lab-Fault: cut;after=5        the connection breaks after five chunks

A middleware round the chat's path: it waits or refuses before a request goes in, and spoils the
answer on its way out. No tape records it, so a tape's answers can have it too. Faults: 401, 429,
500, timeout, content; and in mid-stream cut, malformed and content with `after`. A failed request
does not reach the model.
"""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..words import joined, say
from .refusal import DONE, Refusal
from .request import body, while_connected

LATENCY, FAULT = "x-lab-latency", "x-lab-fault"
LONGEST = 600
REFUSALS = {"401": "wrong_key", "429": "too_many", "500": "broken", "content": "input_inspected"}
KINDS = (*REFUSALS, "timeout", "cut", "malformed")
OPTIONS = {"times", "after"}
# Where a stream breaks that was not told where: it has begun, and is far from its end.
AFTER = 3
REMEMBERED = 1_000


class Cut(Exception):
    """The answer ends here: what writes it is to stop. Uncaught, it breaks the connection."""


@dataclass(frozen=True)
class Conditions:
    """What one request is to meet: seconds to wait, then a fault or none."""

    latency: float = 0
    fault: str = ""
    times: int | None = None
    after: int | None = None

    @property
    def spoils(self) -> bool:
        """Whether the fault comes once the answer runs, so that the model is asked."""
        return self.fault in ("cut", "malformed") or bool(self.fault == "content" and self.after)

    async def begin(self) -> None:
        """Wait; then raise the `Refusal` of a fault that comes before the answer."""
        await asyncio.sleep(self.latency)
        if self.fault == "timeout":
            await asyncio.sleep(LONGEST)
            raise Refusal.named("timed_out")
        if self.fault and not self.spoils:
            raise Refusal.named(REFUSALS[self.fault])


class Weather:
    """The middleware. It counts how often each request has failed that is to fail some `times`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._failed: OrderedDict[bytes, int] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if LATENCY not in request.headers and FAULT not in request.headers:
            return await self.app(scope, receive, send)
        content = await body(request)
        conditions = self._conditions(request, content)
        await while_connected(request, conditions.begin())
        receive = _again(content, receive)
        if not conditions.spoils:
            return await self.app(scope, receive, send)
        try:
            await self.app(scope, receive, _Spoiled(send, conditions, request.state.id))
        except Cut:
            if conditions.fault == "cut":
                raise
            await send({"type": "http.response.body"})

    def _conditions(self, request: Request, content: bytes) -> Conditions:
        """Those that the headers ask for; raises `Refusal` for headers that name none.

        With `times`, a learner's request of the same body fails so often, works once, and then the
        count starts again.
        """
        headers = request.headers
        try:
            asked = _read(headers.get(LATENCY, "0"), headers.get(FAULT, ""))
        except ValueError:
            message = say("weather.unknown", kinds=joined(KINDS), longest=LONGEST)
            raise Refusal(message, code="unknown_weather") from None
        who = f"{request.state.learner.name}\n{headers.get(FAULT)}\n".encode()
        if asked.times is None or self._fails(who + content, asked.times):
            return asked
        return Conditions(asked.latency)

    def _fails(self, request: bytes, times: int) -> bool:
        key = hashlib.sha256(request).digest()
        count = self._failed.pop(key, 0)
        if count < times:
            self._failed[key] = count + 1
        while len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)
        return count < times


class _Spoiled:
    """A `send` that passes an answer on up to the fault; then spoils it and raises `Cut`."""

    def __init__(self, send: Send, conditions: Conditions, request_id: str) -> None:
        self.send = send
        self.fault = conditions.fault
        self.request_id = request_id
        # Events that still pass; of an answer in one piece nothing does.
        self.left = AFTER if conditions.after is None else conditions.after
        self.streamed = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif self.streamed and self.left and message["body"] != DONE.encode():
            self.left -= 1
            await self.send(message)
        else:
            await self._spoil(message["body"])

    async def _start(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        self.streamed = headers["content-type"].startswith("text/event-stream")
        if self.fault == "content" and not self.streamed:
            raise Refusal.named("output_inspected")
        # What comes is shorter than was said.
        del headers["content-length"]
        await self.send(message)

    async def _spoil(self, whole: bytes) -> None:
        half = whole[: len(whole) // 2]
        if self.fault == "content":
            half = (Refusal.named("output_inspected").event(self.request_id) + DONE).encode()
        elif self.fault == "malformed" and self.streamed:
            half += b"\n\n"
        await self.send({"type": "http.response.body", "body": half, "more_body": True})
        raise Cut


def _again(content: bytes, receive: Receive) -> Receive:
    """A `receive` for those inside, who read the body once more."""
    read = iter([{"type": "http.request", "body": content, "more_body": False}])

    async def again() -> Message:
        return next(read, None) or await receive()

    return again


def _read(latency: str, fault: str) -> Conditions:
    kind, *options = (part.strip() for part in fault.split(";"))
    pairs = (option.partition("=") for option in options)
    numbers = {name: int(value) for name, _, value in pairs}
    known = kind in KINDS if options else kind in ("", *KINDS)
    seconds, least = float(latency), min(numbers.values(), default=0)
    if not (known and 0 <= seconds <= LONGEST and least >= 0 and numbers.keys() <= OPTIONS):
        raise ValueError
    return Conditions(seconds, kind, **numbers)
