"""A request as it comes in: who may send one, its body, its JSON, and whether its client waits."""

import asyncio
import json
import logging
import re
import uuid
from collections.abc import Coroutine, Sequence
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .learner import Identify
from .refusal import Refusal

HOSTS = ["127.0.0.1", "localhost"]
# The cloud's own limit: "Exceeded limit on max bytes to request body : 6291456" (seen 2026-04).
MAX_BODY = 6_291_456
# Seconds for a whole body to come: what comes no further would be kept for ever.
BODY_TIME = 60
# A text with none of these, each digit a 0, has no number and no half character that JSON, UTF-8
# or the engine does not know.
ODD = (b"\\ud", b"\xed", b"NaN", b"Infinity", b"0e", b"0" * 19)
ALIKE = bytes.maketrans(b"123456789ED", b"000000000ed")


class LocalOrigin:
    """Refuses a browser's request that comes from a page of another host than these."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app = app
        self.ours = re.compile(rf"https?://({'|'.join(map(re.escape, hosts))})(:\d+)?")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin and not self.ours.fullmatch(origin):
            await PlainTextResponse("Invalid origin header", 403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class Guard:
    """Lets in whom `identify` knows, with an id for the request; refuses in the recorded envelope.

    Inside, `request.state` has `id` and `learner`.
    """

    def __init__(self, app: ASGIApp, identify: Identify) -> None:
        self.app, self.identify = app, identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        request.state.id, begun = str(uuid.uuid4()), False

        async def named(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message)["x-request-id"] = request.state.id
            await send(message)

        try:
            kind, _, given = request.headers.get("authorization", "").partition(" ")
            request.state.learner = await self.identify(given) if kind == "Bearer" else None
            if not request.state.learner:
                raise Refusal.named("wrong_key")
            await self.app(scope, receive, named)
        except ClientDisconnect:
            logging.warning("request %s: its client left", request.state.id)
        except Exception as error:
            if begun:
                raise
            if not isinstance(error, Refusal):
                logging.exception("request %s failed", request.state.id)
            refusal = error if isinstance(error, Refusal) else Refusal.named("broken")
            response = JSONResponse(refusal.body(request.state.id), refusal.status, refusal.headers)
            await response(scope, receive, named)


async def body(request: Request) -> bytes:
    """The request's body; raises `Refusal` when it is larger than the cloud takes, or too slow."""
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_TIME):
            async for part in request.stream():
                content += part
                if len(content) > MAX_BODY:
                    raise Refusal(f"Exceeded limit on max bytes to request body : {MAX_BODY}")
    except TimeoutError:
        raise Refusal.named("timed_out") from None
    return bytes(content)


def parse(content: bytes) -> object:
    """What the JSON says; raises `Refusal` when it is none."""
    try:
        alike = content.translate(ALIKE)
        if not any(sign in alike for sign in ODD):
            return json.loads(content)
        value = json.loads(content, parse_int=_integer)
        # NaN is no JSON; half a character is, and yet no text.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        return value
    except (ValueError, OverflowError, RecursionError):
        raise Refusal.named("malformed") from None


def _integer(digits: str) -> int | float:
    # The engine's are of 64 bits.
    return int(digits) if abs(int(digits)) < 2**63 else float(digits)


async def while_connected(request: Request, work: Coroutine) -> object:
    """The work's result; when the client leaves first, the work is cancelled at once.

    It has ended when this comes back: with its result, or a `Refusal` that nobody reads any more.
    """
    task = asyncio.create_task(work)
    left = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Refusal("The client has left.", status=499, code="client_closed_request")
        return task.result()
    finally:
        for each in (task, left):
            each.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await each


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
