"""The HTTP face of the local Qwen: DashScope's paths, its bearer token, its errors.

Covered: `POST /chat/completions` (JSON and SSE), `GET /models`, `GET /models/{id}` under
`/compatible-mode/v1`; the lab's own `/lab/search`, `/lab/next_token`, and `/health`. Not
covered: everything else of the cloud.
"""

import asyncio
import json
import logging
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict, replace

from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from .. import models
from ..watch.next_token import MOST, WHOLE, NextToken
from ..words import say
from . import messages
from .answer import answer
from .chunks import complete
from .engine import Engine
from .refusal import DONE, Refusal, broken, invalid, output_inspected, sse, unknown_model, wrong_key
from .request import HOSTS, LocalOrigin, body, parse, while_connected
from .rules import checked_request, is_tokens
from .search import Search
from .server_file import BASE
from .slots import Slots
from .weather import Faults, Weather

Handler = Callable[[Request], Awaitable[Response]]


def create_app(engine: Engine, token: str, search: Search | None = None) -> Starlette:
    """The app over an engine; a request must carry the token. `app.state.slots` says who is in.

    `search` is where `enable_search` looks; the bundled notes, if it is not given.
    """
    slots = Slots(engine.slots)
    routes = [
        Route(f"{BASE}/chat/completions", _guarded(_chat, token), methods=["POST"]),
        Route(f"{BASE}/models", _guarded(_models, token)),
        Route(f"{BASE}/models/{{name}}", _guarded(_model, token)),
        Route("/lab/next_token", _guarded(_next_token, token), methods=["POST"]),
        Route("/lab/search", _guarded(_search, token)),
        Route("/health", _health),
    ]
    # A page elsewhere is turned away by its Origin; when it points a name of its own at
    # 127.0.0.1, by its Host.
    guards = [Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS), Middleware(LocalOrigin)]
    app = Starlette(routes=routes, middleware=guards)
    app.state.engine, app.state.slots, app.state.since = engine, slots, int(time.time())
    app.state.faults = Faults()
    app.state.search = search or Search()
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
    return JSONResponse(refusal.body(request_id), refusal.status, refusal.headers)


async def _chat(request: Request) -> Response:
    content = await body(request)
    weather = request.app.state.faults.weather(request.headers, content)
    return await while_connected(request, _answered(request, content, weather))


async def _answered(request: Request, content: bytes, weather: Weather) -> Response:
    """The answer's first bytes at least: until then, what goes wrong has a status of its own."""
    state, request_id = request.app.state, request.state.id
    await weather.begin()
    asked = checked_request(parse(content), state.engine.model, state.engine.thinks)
    if asked.search:
        notes = state.search.find(
            messages.question(asked.messages), forced=asked.search == "forced"
        )
        asked = replace(asked, notes=tuple(notes))
    chunks = answer(state.engine, state.slots, asked, request_id)
    if not asked.stream:
        whole = await complete(chunks)
        return _spoilt(whole, weather) if weather.spoils else JSONResponse(whole)
    events = _events(await anext(chunks), chunks, asked.include_usage, request_id)
    if weather.spoils:
        events = weather.spoil(events, request_id)
    return StreamingResponse(events, headers={"content-type": "text/event-stream;charset=UTF-8"})


def _spoilt(answer: dict, weather: Weather) -> Response:
    if weather.fault == "content":
        raise output_inspected()
    parts = weather.spoil_whole(json.dumps(answer))
    return StreamingResponse(parts, media_type="application/json")


async def _events(
    first: dict, chunks: AsyncIterator[dict], include_usage: bool, request_id: str
) -> AsyncIterator[str]:
    """The chunks as server-sent events; what goes wrong once the stream runs comes as an event."""
    async with aclosing(chunks):
        yield sse(first)
        try:
            async for chunk in chunks:
                if chunk["choices"] or include_usage:
                    yield sse(chunk)
                # A tape answers at once: without a pause nobody would learn that the client left.
                await asyncio.sleep(0)
        except Refusal as refusal:
            yield refusal.event(request_id)
        except Exception:
            logging.exception("stream %s failed", request_id)
            yield broken().event(request_id)
    yield DONE


async def _next_token(request: Request) -> Response:
    """The lab's own: what may come after `prefix` of an answer to `messages`, as an archive.

    `tail` counts the rest of the vocabulary, `whole` lists all of it; both take a second or two.
    """
    asked = parse(await body(request))
    asked = asked if isinstance(asked, dict) else {}
    talk, prefix = messages.checked(asked.get("messages")), asked.get("prefix", "")
    if not isinstance(prefix, str) and not is_tokens(prefix):
        raise invalid("'prefix' must be String or a list of tokens")
    whole = asked.get("whole") is True
    most = WHOLE if whole or asked.get("tail") is True else MOST
    found = await while_connected(request, _looked(request.app.state, talk, prefix, most))
    if whole and len(found.tail_counts):
        raise Refusal(say("tape.whole"), status=404, code="not_on_tape")
    found = found if whole else found.first(MOST)
    return Response(found.dump(), media_type="application/octet-stream")


async def _looked(state: State, talk: list[dict], prefix: str | list[int], most: int) -> NextToken:
    async with state.slots.taken(alone=False):
        return await state.engine.next_token(talk, prefix, most)


async def _search(request: Request) -> Response:
    """The lab's own: what `enable_search` would find for a question."""
    notes = request.app.state.search.find(request.query_params.get("question", ""))
    return JSONResponse({"notes": [asdict(note) for note in notes]})


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
