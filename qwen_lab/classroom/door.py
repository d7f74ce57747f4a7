"""The door by seats: one command opens the class, says its address and prints the codes."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.routing import Mount

from ..course import exercises
from ..endpoint import free_memory, listener, server, server_file, server_process
from ..endpoint.app import create_app
from ..endpoint.engine import Engine
from ..endpoint.learner import Identify
from ..endpoint.search import Search
from ..endpoint.turns import Turns
from ..endpoint.weights import weights
from ..parameters import MAX_INPUT
from ..paths import home, replacing
from ..words import say
from . import behind, folder, sheet, teacher
from .allowance import Allowance
from .config import NEAR, Config
from .ledger import Ledger
from .progress import Progress
from .relay import LONGEST
from .seats import Seats
from .shares import Shares
from .site import ByCookie, Site

# How many calls of one learner may wait for a turn.
WAITING = 64


def hold(names: Iterable[str], config: Config) -> None:
    """Be the class's endpoint until the teacher ends it.

    Blocks. Seats, ledger, address and port are kept in `class` in the lab's folder, so that a class
    which is opened again goes on; limits are not. Raises `LabError` when there are no names, the
    class is open already, the weights or a part of the page cannot be had, memory is short, no
    price is known for a limit in CNY, or the port, a key, a file or the folder cannot be used.
    """
    place = home() / folder.CLASS
    lock, seats, config = folder.opened(place, names, config)
    answers = Answers(place, config)
    if config.page:
        print(say("classroom.building"), flush=True)
    site = Site() if config.page else None
    bound = listener.listen(place, config.port, config.address)
    start = "/" if config.page else server_file.BASE
    url = f"{config.scheme}{config.address}:{bound.getsockname()[1]}{start}"
    print(say("classroom.loading"), flush=True)
    with lock:
        opened = partial(announce, place, seats, url, config)
        with suppress(KeyboardInterrupt):
            serve(place, bound, seats, answers, opened=opened, site=site)
    print(f"\n{say('classroom.ended')}")


class Answers:
    """Who answers a class, as its `config` says; raises `LabError` where nobody can."""

    def __init__(self, place: Path, config: Config) -> None:
        other = behind.engine(config.upstream, config.relay)
        self.config, self.prices = config, behind.prices(other, config.limits)
        self.make: Callable[[], Engine] = (lambda: other) if other else _local(place)


class Known(Protocol):
    """The learners of a class: those who have a seat, and whose token one is."""

    identify: Identify

    def names(self) -> list[str]: ...


def serve(
    place: Path,
    bound: socket.socket,
    learners: Known,
    answers: Answers,
    *,
    opened: Callable[[str], None] = lambda model: None,
    prefix: str = "",
    site: Site | None = None,
) -> None:
    """Be the endpoint of these learners, and their teacher's page, until a signal ends it.

    All is kept in the folder `place`. `opened` is told the model, once it is there. Behind a proxy,
    which has the certificate, the endpoint is found under its `prefix`, too; a `site` is beside it.
    """
    config = answers.config
    with server_file.home_in_use():
        ledger = Ledger(place / "ledger.jsonl")
        progress = Progress(place / "progress", exercises.numbers())
    # Without a certificate its token would cross the network for all to read.
    near = config.hosts[-1 if config.tls else 0]
    desk = teacher.listen(place, near)
    with _logged(place):
        engine = answers.make()
        server_file.save(place, bound.getsockname()[1], engine.model)
        identify, turns = progress.watched(learners.identify), Turns(engine, WAITING, apart=True)
        most = LONGEST if config.relay else MAX_INPUT
        allowance = Allowance(ledger, config.limits, answers.prices, most)
        app = create_app(
            engine,
            identify,
            Search(*server_file.notes()),
            turns=turns if config.relay else Shares(turns),
            allowance=allowance,
            hosts=config.hosts,
            more=[progress.route(identify), *(site.routes(learners.identify) if site else ())],
            relays=bool(config.relay),
        )
        if site:
            app.add_middleware(ByCookie)
        roll = teacher.Roll(learners.names, progress, allowance, ledger)
        teacher.add(app, roll, desk, place, f"{config.scheme}{near}")
        opened(engine.model)
        both = Starlette(routes=[Mount(prefix, app), Mount("", app)]) if prefix else app
        sockets = [(bound, None if prefix else config.tls), (desk, config.tls)]
        listener.serve(both, sockets, lambda _: _turn_log(place))


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


def announce(
    place: Path, seats: Seats, url: str, config: Config, model: str, *, hub: bool = False
) -> None:
    """Write the sheet, and say where the class is, whom it reaches, and what learners may use.

    No code reaches the screen, or a projector.
    """
    printed = place / "sheet.html"
    with replacing(printed) as file:
        file.write(sheet.page(seats.seats, url, hub=hub, browser=config.page))
    key = "classroom.hub_open" if hub else "classroom.open"
    print(say(key, model=model, count=len(seats.seats), url=url, sheet=printed))
    if config.page:
        print(say("classroom.page"))
    link = place.parent / folder.CLASS / teacher.LINK
    lines = [say("classroom.teacher", page=link)]
    if urlsplit(url).hostname in NEAR:
        lines.append(say("classroom.near"))
    elif url.startswith("http:"):
        lines.append(say("classroom.readable"))
    told = {name: value for name, value in vars(config.limits).items() if value is not None}
    lines += [say(f"classroom.limit_{name}", value=value) for name, value in told.items()]
    print("\n".join([*lines, *([] if told else [say("classroom.unlimited")])]))
    print(say("classroom.end"), flush=True)
