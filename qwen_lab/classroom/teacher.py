"""The teacher's page: how far each learner is, live, at a port of its own and behind a token.

No script of a learner's shares its origin, and no cookie opens it.
"""

import json
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..endpoint import listener, server_file
from ..endpoint.learner import alone
from ..endpoint.refusal import invalid
from ..endpoint.request import Guard, LocalOrigin, body, parse
from ..paths import replacing
from ..rows import as_csv
from ..views import theme
from ..views.html import Html
from ..words import language, patterns, say
from .allowance import Allowance
from .ledger import Ledger
from .progress import Progress

# The file that leads to the page: its token shows on no screen before it is opened.
LINK = "teacher.html"
OPEN = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={0}">'
    '<a href="{0}">{0}</a>'
)
SCRIPT = Path(__file__).with_suffix(".js")
# What the page may load: its own script, and from its own address alone; and who may hold it.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Roll:
    """Who is in the class, and what is known of each; `names` are those who have a seat."""

    names: Callable[[], Iterable[str]]
    progress: Progress
    allowance: Allowance
    ledger: Ledger

    def learners(self) -> list[str]:
        """Those with a seat, then whoever else came."""
        others = [*self.progress.learners, *self.progress.seen, *self.ledger.tokens]
        return [*dict.fromkeys([*self.names(), *others])]

    def rows(self) -> list[dict]:
        """All that the page shows of each learner; `seen` is so many seconds ago."""
        return [self._row(name) for name in self.learners()]

    def _row(self, name: str) -> dict:
        tried, seen = self.progress.learners.get(name, {}), self.progress.seen.get(name)
        return {
            "name": name,
            "seen": None if seen is None else max(0, int(time.time()) - seen),
            "used": self.ledger.tokens[name],
            "left": self.allowance.left(name),
            "stuck": _stuck(tried),
            "exercises": {n: [each["status"], each["tries"]] for n, each in tried.items()},
        }

    def csv(self) -> bytes:
        """The page as a table, a row a learner, with two columns for each exercise."""
        return as_csv([self._cells(row) for row in self.rows()])

    def _cells(self, row: dict) -> dict:
        shown, seen = dict(row), self.progress.seen.get(row["name"])
        shown["seen"] = seen and time.strftime("%Y-%m-%d %H:%M", time.localtime(seen))
        if stuck := row["stuck"]:
            # A spreadsheet would make 2.1 of "02.1".
            told = {"number": say("teacher.exercise", number=stuck)}
            shown["stuck"] = say("teacher.stuck_at", **told, tries=row["exercises"][stuck][1])
        names = ("name", "seen", "used", "left", "stuck")
        cells = {say(f"teacher.{name}"): shown[name] for name in names}
        for number in self.progress.numbers:
            status, tries = row["exercises"].get(number, ["", None])
            cells[say("teacher.exercise", number=number)] = status and say(f"checks.{status}")
            cells[say("teacher.csv_tries", number=number)] = tries
        return cells


def _stuck(tried: dict[str, dict]) -> str | None:
    """The exercise with the most tries that has not passed."""
    tries = {n: each["tries"] for n, each in tried.items() if each["status"] != "passed"}
    return max(tries, key=tries.get, default=None)


def listen(place: Path, host: str) -> socket.socket:
    """A socket for the page, on the port that it had before; raises as `listener.listen` does."""
    with server_file.home_in_use():
        (place / "teacher").mkdir(mode=0o700, exist_ok=True)
    return listener.listen(place / "teacher", None, host)


def add(app: Starlette, roll: Roll, desk: socket.socket, place: Path, url: str) -> None:
    """Serve the page beside the class, on the socket `desk`; `place` gets a file with the link.

    `url` is the page's but for its port.
    """
    port = desk.getsockname()[1]
    token = server_file.save(place / "teacher", port, "").token
    with replacing(place / LINK) as file:
        file.write(Html(OPEN).format(f"{url}:{port}/#{token}"))
    page = create_page(roll, token, [f"{url}:{port}".split("//")[1]])
    app.add_middleware(_Beside, page=page, port=port)


class _Beside:
    """The page for whoever comes by its port, and for everybody else the app."""

    def __init__(self, app: ASGIApp, page: ASGIApp, port: int) -> None:
        self._app, self._page, self._port = app, page, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["server"][1] == self._port
        await (self._page if is_page else self._app)(scope, receive, send)


def create_page(roll: Roll, token: str, hosts: Sequence[str]) -> Starlette:
    """The page over a roll, for who has the token, at these hosts, each with its port."""

    async def overview(request: Request) -> Response:
        found = {"exercises": roll.progress.numbers, "learners": roll.rows()}
        return JSONResponse(found, headers=HEADERS)

    async def csv(request: Request) -> Response:
        return Response(roll.csv(), headers=HEADERS, media_type="text/csv")

    async def reset(request: Request) -> Response:
        name = parse(await body(request))
        if name not in roll.learners():
            raise invalid("no learner has this name")
        roll.ledger.reset(name)
        return JSONResponse({}, headers=HEADERS)

    guard = [Middleware(Guard, alone(token))]
    routes = [
        Route("/", _page),
        Route("/teacher.js", _script),
        Route("/overview", overview, middleware=guard),
        Route("/csv", csv, middleware=guard),
        Route("/reset", reset, methods=["POST"], middleware=guard),
    ]
    names = [host.rsplit(":", 1)[0] for host in hosts]
    origins = [
        Middleware(TrustedHostMiddleware, allowed_hosts=names),
        Middleware(LocalOrigin, hosts),
    ]
    return Starlette(routes=routes, middleware=origins)


async def _page(request: Request) -> Response:
    words = patterns("teacher")
    page = Html(
        '<!doctype html><html lang="{}"><head><meta charset="utf-8"><title>{}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><style>{}</style>'
        '</head><body class="qwen-view qwen-teacher" data-words="{}"><header><h1>{}</h1>'
        '<button id="csv" hidden>{}</button></header><p id="state" role="status"></p>'
        '<main class="qwen-table" tabindex="0" aria-label="{}"><table></table></main>'
        "<small>{}</small>"
        '<script src="teacher.js"></script></body></html>'
    )
    style = Html(theme.sheet("failed", "sign", "table", "teacher"))
    told = language(), words["title"], style, json.dumps(words), words["title"], words["csv"]
    more = words["table"], words["legend"]
    return HTMLResponse(page.format(*told, *more), headers=HEADERS)


async def _script(request: Request) -> Response:
    return FileResponse(SCRIPT, headers=HEADERS)
