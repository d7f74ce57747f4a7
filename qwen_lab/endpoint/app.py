"""The HTTP face of the local Qwen: DashScope's paths, its bearer token, its errors.

Covered: `POST /chat/completions` (JSON and SSE), `GET /models`, `GET /models/{id}` under
`/compatible-mode/v1`, and below it the lab's own `/lab`, `/lab/search` and `/lab/next_token`;
`/health`. Not covered: everything else of the cloud.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict, replace

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .. import __version__, models
from ..watch.next_token import MOST, WHOLE
from ..words import say
from . import BASE, messages
from .answer import answer
from .chunks import complete
from .engine import Engine
from .learner import Allowance, Call, Identify
from .refusal import DONE, Refusal, invalid, sse
from .request import HOSTS, Guard, LocalOrigin, body, parse, while_connected
from .rules import ChatRequest, checked_request, is_tokens
from .search import Search, insert
from .turns import Turns
from .weather import Weather


def create_app(
    engine: Engine,
    identify: Identify,
    search: Search | None = None,
    *,
    turns: Turns | None = None,
    allowance: Allowance | None = None,
    hosts: Sequence[str] = HOSTS,
    more: Sequence[Route] = (),
    relays: bool = False,
) -> Starlette:
    """The app over an engine, for those whom `identify` knows, at these hosts alone.

    `search` is where `enable_search` looks; the bundled notes, if it is not given. A class has
    `turns` of its own, in which equal questions get one answer, an `allowance`, and `more` routes.
    An engine that `relays` answers chats itself, has no `generate`, and names its models.
    """
    guard = [Middleware(Guard, identify)]
    weathered = [*guard, Middleware(Weather)]
    routes = [
        Route(f"{BASE}/chat/completions", _chat, methods=["POST"], middleware=weathered),
        Route(f"{BASE}/models", _models, middleware=guard),
        Route(f"{BASE}/models/{{name}}", _model, middleware=guard),
        Route(f"{BASE}/lab", _lab, middleware=guard),
        Route(f"{BASE}/lab/next_token", _next_token, methods=["POST"], middleware=guard),
        Route(f"{BASE}/lab/search", _search, middleware=guard),
        Route("/health", _health),
        *more,
    ]
    # A page elsewhere is turned away by its Origin; when it points a name of its own at
    # 127.0.0.1, by its Host.
    origins = [
        Middleware(TrustedHostMiddleware, allowed_hosts=[*hosts]),
        Middleware(LocalOrigin, hosts),
    ]
    app = Starlette(routes=routes, middleware=origins)
    app.state.engine, app.state.turns = engine, turns or Turns(engine)
    app.state.answered = engine.answered if relays else _answered
    others = () if relays else sorted(models.names() - {engine.model})
    app.state.names = [*getattr(engine, "names", [engine.model]), *others]
    app.state.allowance = allowance or Allowance()
    app.state.search, app.state.since = search or Search(), int(time.time())
    return app


async def _chat(request: Request) -> Response:
    answered = request.app.state.answered
    return await while_connected(request, answered(request, await body(request)))


async def _answered(request: Request, content: bytes) -> Response:
    """The answer, run up to its first chunk, so that a refusal still has its own HTTP status."""
    state = request.app.state
    # A long one takes a while to read, and nobody else is to wait for that.
    asked = await run_in_threadpool(_asked, content, state.engine)
    if asked.search:
        asked = _with_notes(asked, state.search)
    call = _call(request)
    chunks = state.allowance.charged(answer(state.turns, asked, call), asked, call)
    if not asked.stream:
        return JSONResponse(await complete(chunks))
    events = _events(chunks, asked.include_usage)
    stream = Stream(await anext(events), events, request.state.id)
    if state.engine.at_once:
        stream.headers["x-lab-played"] = "at once"
    return stream


async def _events(chunks: AsyncGenerator[dict, None], usage: bool) -> AsyncGenerator[str, None]:
    async with aclosing(chunks):
        async for chunk in chunks:
            if chunk["choices"] or usage:
                yield sse(chunk)


def _call(request: Request) -> Call:
    state = request.state
    return Call(state.learner.name, request.app.state.engine.model, state.id)


def _asked(content: bytes, engine: Engine) -> ChatRequest:
    return checked_request(parse(content), engine.model, engine.thinks)


def _with_notes(asked: ChatRequest, search: Search) -> ChatRequest:
    """The request with what a search finds put into the prompt, before the question."""
    question = messages.question(asked.messages)
    notes = search.find(question, forced=asked.search == "forced")
    titles = [note.title for note in notes]
    return replace(asked, prompt=insert(asked.prompt, notes), found=titles)


class Stream(StreamingResponse):
    """Server-sent events. Whatever ends it, what makes them has stopped when it comes back."""

    def __init__(self, first: str | bytes, events: AsyncGenerator, request_id: str) -> None:
        self.events = events
        self.request_id = request_id
        kind = "text/event-stream;charset=UTF-8"
        super().__init__(self._all(first), headers={"content-type": kind})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self.events), aclosing(self.body_iterator):
            # A client that leaves is told nothing any more.
            with suppress(Refusal):
                await while_connected(Request(scope, receive), self.stream_response(send))

    async def _all(self, first: str | bytes) -> AsyncIterator[str | bytes]:
        yield first
        try:
            async for event in self.events:
                yield event
                # A tape answers at once: without a pause nobody would learn that the client left.
                await asyncio.sleep(0)
        except Refusal as refusal:
            yield refusal.event(self.request_id)
        except Exception:
            logging.exception("stream %s failed", self.request_id)
            yield Refusal.named("broken").event(self.request_id)
        yield DONE


async def _next_token(request: Request) -> Response:
    """The lab's own: what may come after `prefix` of an answer to `messages`, as an archive.

    `tail` counts the rest of the vocabulary, `whole` lists all of it; both take a second or two.
    """
    asked, talk = await run_in_threadpool(_asked_next, await body(request))
    whole = asked.get("whole") is True
    most = WHOLE if whole or asked.get("tail") is True else MOST
    prefix = asked.get("prefix", "")
    state, call = request.app.state, _call(request)
    look = state.turns.next_token(talk, prefix, most, call.who)
    found = await while_connected(request, state.allowance.looked(look, talk, prefix, call))
    if whole and len(found.tail_counts):
        raise Refusal(say("tape.whole"), status=404, code="not_on_tape")
    found = found if whole else found.first(MOST)
    return Response(found.dump(), media_type="application/octet-stream")


def _asked_next(content: bytes) -> tuple[dict, list[dict]]:
    """What was asked, and the conversation as the model reads it; raises `Refusal`."""
    value = parse(content)
    asked = value if isinstance(value, dict) else {}
    talk = messages.plain(messages.checked(asked.get("messages")))
    prefix = asked.get("prefix", "")
    messages.fit(talk, prefix if isinstance(prefix, str | list) else "")
    if not isinstance(prefix, str) and not is_tokens(prefix):
        raise invalid("'prefix' must be String or a list of tokens")
    return asked, talk


async def _lab(request: Request) -> Response:
    """The lab's own: that this is one, who answers, and what the learner who asks has left."""
    state, who = request.app.state, request.state.learner.name
    names = {"qwen_lab": __version__, "model": state.engine.model, "learner": who}
    others = {"left": state.allowance.left(who), "passed_on": getattr(state.engine, "host", None)}
    return JSONResponse(names | others | {"relays": state.answered is not _answered})


async def _search(request: Request) -> Response:
    """The lab's own: what `enable_search` would find for a question."""
    notes = request.app.state.search.find(request.query_params.get("question", ""))
    return JSONResponse({"notes": [asdict(note) for note in notes]})


async def _models(request: Request) -> Response:
    rows = [_model_row(name, request) for name in request.app.state.names]
    return JSONResponse({"object": "list", "data": rows})


async def _model(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in request.app.state.names:
        raise Refusal.named("unknown_model", model=name)
    return JSONResponse(_model_row(name, request))


def _model_row(name: str, request: Request) -> dict:
    since = request.app.state.since
    return {"id": name, "object": "model", "created": since, "owned_by": "qwen_lab"}


async def _health(request: Request) -> Response:
    engine = request.app.state.engine
    status = "stuck" if engine.stuck else "ok"
    return JSONResponse({"status": status, "model": engine.model}, 503 if engine.stuck else 200)
