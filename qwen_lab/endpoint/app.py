"""The HTTP face of the local Qwen: DashScope's paths, its bearer token, its errors.

Covered: `POST /chat/completions` (JSON and SSE), `GET /models`, `GET /models/{id}` under
`/compatible-mode/v1`, and `GET /health`. Not covered: everything else of the cloud.
"""

import asyncio
import json
import logging
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from .. import models
from .answer import Answerer, complete
from .engine import Engine
from .refusal import Refusal, broken, unknown_model, wrong_key
from .rules import read
from .slots import Slots

BASE = "/compatible-mode/v1"
HOSTS = ["127.0.0.1", "localhost"]

Handler = Callable[[Request], Awaitable[Response]]


def create_app(engine: Engine, token: str) -> Starlette:
    """The app over an engine; a request must carry the token. `app.state.slots` says who is in."""
    slots = Slots(engine.slots)
    threads = ThreadPoolExecutor(engine.slots, "engine")
    routes = [
        Route(f"{BASE}/chat/completions", _guarded(_chat, token), methods=["POST"]),
        Route(f"{BASE}/models", _guarded(_models, token)),
        Route(f"{BASE}/models/{{name}}", _guarded(_model, token)),
        Route("/health", _health),
    ]
    # A page elsewhere that points a name of its own at 127.0.0.1 is turned away by its Host.
    app = Starlette(
        routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)]
    )
    app.state.engine, app.state.slots, app.state.since = engine, slots, int(time.time())
    app.state.answerer = Answerer(engine, slots, threads)
    return app


def _guarded(handler: Handler, token: str) -> Handler:
    """The handler behind the token, with a request id, and refusals in the recorded envelope."""
    expected = f"Bearer {token}".encode()

    async def guarded(request: Request) -> Response:
        request.state.id = str(uuid.uuid4())
        try:
            given = request.headers.get("authorization", "").encode()
            if not secrets.compare_digest(given, expected):
                raise wrong_key()
            response = await handler(request)
        except Refusal as refusal:
            response = _refused(refusal, request.state.id)
        except Exception:
            logging.exception("request %s failed", request.state.id)
            response = _refused(broken(), request.state.id)
        response.headers["x-request-id"] = request.state.id
        return response

    return guarded


def _refused(refusal: Refusal, request_id: str) -> Response:
    return JSONResponse(refusal.body(request_id), refusal.status)


async def _chat(request: Request) -> Response:
    state = request.app.state
    call = read(await _body(request), state.engine.model)
    chunks = state.answerer.chunks(call, request.state.id)
    if not call.stream:
        return JSONResponse(await _while_connected(request, complete(chunks)))
    first = await _while_connected(request, anext(chunks))
    events = _events(first, chunks, call.include_usage, request.state.id)
    return StreamingResponse(events, headers={"content-type": "text/event-stream;charset=UTF-8"})


async def _body(request: Request) -> object:
    try:
        return await request.json()
    except (ValueError, RecursionError):
        raise Refusal("Required body invalid, please check the request body format.") from None


async def _while_connected(request: Request, work: Awaitable) -> object:
    """The work's result; when the client leaves first, the work is cancelled at once."""
    task = asyncio.ensure_future(work)
    left = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Refusal("The client has left.", status=499, code="client_closed_request")
        return task.result()
    finally:
        for future in (task, left):
            future.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await future


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _events(
    first: dict, chunks: AsyncIterator[dict], include_usage: bool, request_id: str
) -> AsyncIterator[str]:
    """The chunks as server-sent events; what goes wrong once the stream runs comes as an event."""
    async with aclosing(chunks):
        yield _event(first)
        try:
            async for chunk in chunks:
                if chunk["choices"] or include_usage:
                    yield _event(chunk)
        except Refusal as refusal:
            yield _event(refusal.body(request_id))
        except Exception:
            logging.exception("stream %s failed", request_id)
            yield _event(broken().body(request_id))
    yield "data: [DONE]\n\n"


def _event(data: dict) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


async def _models(request: Request) -> Response:
    local = request.app.state.engine.model
    names = [local, *sorted(models.names() - {local})]
    rows = [_model_row(name, request) for name in names]
    return JSONResponse({"object": "list", "data": rows})


async def _model(request: Request) -> Response:
    name = request.path_params["name"]
    if name != request.app.state.engine.model and name not in models.names():
        raise unknown_model(name)
    return JSONResponse(_model_row(name, request))


def _model_row(name: str, request: Request) -> dict:
    since = request.app.state.since
    return {"id": name, "object": "model", "created": since, "owned_by": "qwen_lab"}


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "ok", "model": request.app.state.engine.model})
