"""The door by seats: one command opens the class, says its address and prints the codes."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.routing import Mount

from ..course import exercises
from ..endpoint import free_memory, server, server_file, server_process
from ..endpoint.app import create_app
from ..endpoint.engine import Engine
from ..endpoint.learner import Identify
from ..endpoint.search import Search
from ..endpoint.turns import Turns
from ..endpoint.weights import weights
from ..parameters import MAX_INPUT
from ..paths import home, replacing
from ..words import LabError, say
from . import behind, folder, sheet, teacher
from .address import NEAR, check, kept
from .allowance import Allowance, Limits
from .ledger import Ledger
from .progress import Progress
from .relay import LONGEST
from .seats import Seats
from .shares import Shares
from .site import ByCookie, Site

# How many calls of one learner may wait for a turn.
WAITING = 64


def hold(
    names: Iterable[str],
    limits: Limits,
    *,
    address: str | None = None,
    port: int | None = None,
    certificate: str | None = None,
    key: str | None = None,
    upstream: Sequence[str] | None = None,
    relay: Sequence[str] | None = None,
    page: bool = False,
) -> None:
    """Be the class's endpoint until the teacher ends it.

    Blocks. Seats, ledger, address and port are kept in `class` in the lab's folder, so that a class
    which is opened again goes on; limits are not. `upstream` is the base URL of another server and
    a model of its, or `relay` with all the models that may be asked; then that answers. With `page`
    the lessons run at the class's address, in a browser. Raises `LabError` when there are no names,
    the class is open already, the weights or a part of the page cannot be had, memory is short, no
    price is known for a limit in CNY, or the address, a key, a file or the folder cannot be used.
    """
    check(address, certificate, key)
    with server_file.home_in_use():
        place = home() / folder.CLASS
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock, address = folder.locked(place), kept(place, address)
        seats = Seats(place / "seats.csv")
        seats.add(names)
    if not seats.seats:
        raise LabError("classroom.no_names")
    answers = Answers(place, limits, upstream, relay)
    if page:
        print(say("classroom.building"), flush=True)
    site = Site() if page else None
    listener = server.listen(place, port, address)
    scheme = f"http{'s' if certificate else ''}://"
    url = f"{scheme}{address}:{listener.getsockname()[1]}{'/' if page else server_file.BASE}"
    print(say("classroom.loading"), flush=True)
    with lock:
        serve(
            place,
            listener,
            seats,
            answers,
            hosts=[*NEAR, address],
            scheme=scheme,
            opened=lambda model: _announce(place, seats, url, model, limits, page),
            site=site,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
    print(say("classroom.ended"))


class Answers:
    """Who answers a class, and within which limits; raises `LabError` where nobody can."""

    def __init__(
        self,
        place: Path,
        limits: Limits,
        upstream: Sequence[str] | None = None,
        relay: Sequence[str] | None = None,
    ) -> None:
        other = behind.engine(upstream, relay)
        self.limits, self.prices = limits, behind.prices(other, limits)
        self.make: Callable[[], Engine] = (lambda: other) if other else _local(place)
        self.relays = bool(relay)


class Known(Protocol):
    """The learners of a class: those who have a seat, and whose token one is."""

    identify: Identify

    def names(self) -> list[str]: ...


def serve(
    place: Path,
    listener: socket.socket,
    learners: Known,
    answers: Answers,
    *,
    hosts: list[str],
    scheme: str = "http://",
    opened: Callable[[str], None] = lambda model: None,
    prefix: str = "",
    site: Site | None = None,
    **tls: str | None,
) -> None:
    """Be the endpoint of these learners, and their teacher's page, until a signal ends it.

    All is kept in the folder `place`. `opened` is told the model, once it is there; the endpoint is
    found under `prefix`, too, and a `site` beside it.
    """
    with server_file.home_in_use():
        ledger = Ledger(place / "ledger.jsonl")
        progress = Progress(place / "progress", exercises.numbers())
    # Without a certificate its token would cross the network for all to read.
    near = hosts[-1] if scheme == "https://" else NEAR[0]
    desk = teacher.listen(place, near)
    with _logged(place):
        engine = answers.make()
        server_file.save(place, listener.getsockname()[1], engine.model)
        identify, turns = progress.watched(learners.identify), Turns(engine, WAITING, apart=True)
        most = LONGEST if answers.relays else MAX_INPUT
        allowance = Allowance(ledger, answers.limits, answers.prices, most)
        app = create_app(
            engine,
            identify,
            Search(*server_file.notes()),
            turns=turns if answers.relays else Shares(turns),
            allowance=allowance,
            hosts=hosts,
            more=[progress.route(identify), *(site.routes(learners.identify) if site else ())],
            relays=answers.relays,
        )
        if site:
            app.add_middleware(ByCookie)
        roll = teacher.Roll(learners.names, progress, allowance, ledger)
        teacher.add(app, roll, desk, place, f"{scheme}{near}")
        opened(engine.model)
        both = Starlette(routes=[Mount(prefix, app), Mount("", app)]) if prefix else app
        server.run(both, [listener, desk], lambda _: _turn_log(place), **tls)


def _local(place: Path) -> Callable[[], Engine]:
    path = weights.fetch(afresh=True)
    free_memory.check(path.stat().st_size + server.OVERHEAD)
    return server.local_engine(path, place)


async def _turn_log(place: Path) -> None:
    while True:
        await asyncio.sleep(1)
        server_process.turn_log(place)


@contextmanager
def _logged(place: Path) -> Iterator[None]:
    """Let what the engine and the server say go to a file: the teacher's screen may be shown."""
    screen = os.dup(2)
    with (place / server_process.LOG).open("wb") as log:
        Path(log.name).chmod(0o600)
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(screen, 2)


def _announce(place: Path, seats: Seats, url: str, model: str, limits: Limits, page: bool) -> None:
    """Write the sheet, and say where the class is; no code reaches the screen, or a projector."""
    printed = place / "sheet.html"
    with replacing(printed) as file:
        file.write(sheet.page(seats.seats, url, browser=page))
    print(say("classroom.open", model=model, count=len(seats.seats), url=url, sheet=printed))
    if page:
        print(say("classroom.page"))
    tell(url, place, limits)


def tell(url: str, place: Path, limits: Limits) -> None:
    """Say what a teacher should know of an open class: whom it reaches, and what they may use."""
    lines = [say("classroom.teacher", page=place / teacher.LINK)]
    if urlsplit(url).hostname in NEAR:
        lines.append(say("classroom.near"))
    elif url.startswith("http:"):
        lines.append(say("classroom.readable"))
    told = {name: value for name, value in vars(limits).items() if value is not None}
    lines += [say(f"classroom.limit_{name}", value=value) for name, value in told.items()]
    print("\n".join([*lines, *([] if told else [say("classroom.unlimited")])]))
    print(say("classroom.end"), flush=True)
