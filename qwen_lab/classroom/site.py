"""The course's site at a class's own address, for learners who have a browser and nothing else.

They give their code once, on the first page. A cookie keeps it for the day, which no script can
read: neither a cell nor what a model wrote can pass it on.
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import AsyncIterator, Sequence
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..endpoint.learner import Identify
from ..endpoint.request import body
from ..page import front, site
from ..views.html import Html, fold
from ..words import say

COOKIE, DAY = "qwen-lab-code", 12 * 3600
# What the page's kernel sends for a key. No page elsewhere can: a browser would ask first whether
# it may, and nothing here says yes.
STAND_IN = "cookie"
SETTINGS = {"QWEN_LAB_ENDPOINT": "class", "QWEN_LAB_API_KEY": STAND_IN}
# Where the learner's name comes on the first page.
NAME = "\ue000"
PIECE = 1 << 16
KINDS = {"mjs": "text/javascript", "js": "text/javascript", "wasm": "application/wasm"}


class Site:
    """The site, kept in memory as it is sent; `LabError` when a part of it cannot be had."""

    def __init__(self) -> None:
        self._files = {name: _packed(content) for name, content in site.files(SETTINGS).items()}
        self._asks, self._wrong, self._knows = map(front.page, (_asks, _wrong, _knows))

    def routes(self, identify: Identify) -> Sequence[Route]:
        """The first page, at which learners come in, and all else."""

        async def first(request: Request) -> Response:
            if request.method == "POST":
                return await self._entered(request, identify)
            given = request.cookies.get(COOKIE)
            learner = await identify(given) if given else None
            page = self._knows.replace(NAME, Html.escape(learner.name)) if learner else self._asks
            return HTMLResponse(page, headers={"cache-control": "no-store"})

        return [
            *(Route(path, first, methods=["GET", "POST"]) for path in ("/", "/index.html")),
            Route("/{name:path}", self._file),
        ]

    async def _entered(self, request: Request, identify: Identify) -> Response:
        given = parse_qs((await body(request)).decode(errors="replace")).get("code", [""])[0]
        if not await identify(given):
            return HTMLResponse(self._wrong, 401)
        answer = RedirectResponse("/", 303)
        tls = request.url.scheme == "https"
        bare = re.sub(r"[\W_]", "", given)
        answer.set_cookie(COOKIE, bare, DAY, httponly=True, samesite="lax", secure=tls)
        return answer

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        name += "index.html" if name.endswith("/") else ""
        if name not in self._files:
            return Response(status_code=404)
        content, mark, is_packed = self._files[name]
        headers = {"etag": mark, "cache-control": "no-cache", "x-content-type-options": "nosniff"}
        if request.headers.get("if-none-match") == mark:
            return Response(status_code=304, headers=headers)
        kind = KINDS.get(name.split(".")[-1]) or mimetypes.guess_type(name)[0]
        if is_packed and "gzip" not in request.headers.get("accept-encoding", ""):
            content, is_packed = gzip.decompress(content), False
        headers |= {"content-length": str(len(content)), "vary": "accept-encoding"}
        headers |= {"content-encoding": "gzip"} if is_packed else {}
        return StreamingResponse(_pieces(content), headers=headers, media_type=kind)


def _packed(content: bytes) -> tuple[bytes, str, bool]:
    """A file as it is sent, a mark of what it holds, and whether it was packed for that."""
    mark, packed = f'"{hashlib.sha256(content).hexdigest()[:16]}"', gzip.compress(content, 6)
    smaller = len(packed) < 0.95 * len(content)
    return packed if smaller else content, mark, smaller


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    # Thirty come at once: what is not taken yet shall not lie in memory thirty times.
    for at in range(0, len(content), PIECE):
        yield content[at : at + PIECE]


class ByCookie:
    """Takes the code in the cookie for the key, where the kernel of a page of this address asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            # Last, for whoever reads a scope's headers makes them anew.
            code, headers = HTTPConnection(scope).cookies.get(COOKIE), MutableHeaders(scope=scope)
            if code and headers.get("authorization") == f"Bearer {STAND_IN}" and _ours(headers):
                headers["authorization"] = f"Bearer {code}"
        await self._app(scope, receive, send)


def _ours(headers: Headers) -> bool:
    """Whether a page of this very address asks, its port too, as far as the browser says."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    return site == "same-origin" and (not origin or urlsplit(origin).netloc == headers["host"])


FORM = Html(
    '<form method="post" action="/"><label>{}<br><input name="code" required autocomplete="off"'
    ' autocapitalize="off" spellcheck="false"></label> <button>{}</button></form>'
)


def _asks(start: Html) -> Html:
    return FORM.format(say("page.class_code"), say("page.class_enter"))


def _wrong(start: Html) -> Html:
    told = Html('<p class="qwen-view qwen-failed" role="alert">{}</p>{}')
    return told.format(say("page.class_wrong"), _asks(start))


def _knows(start: Html) -> Html:
    known = say("page.class_known", name=NAME)
    return Html("<p>{}</p>{}{}").format(known, start, fold(say("page.class_other"), _asks(start)))
