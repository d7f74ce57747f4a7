"""One person's endpoint before another server: `serve` with `--upstream` or `--relay`."""

from ..endpoint import server, server_file
from ..endpoint.server_file import State
from ..paths import home
from ..words import LabError, say
from . import sheet
from .relay import Relay
from .seats import Seat
from .upstream import Upstream


def serve(behind: Upstream | Relay, port: int | None, idle: float, record: str | None) -> None:
    """Be that endpoint until ended or idle, and say how to reach it; blocks.

    Raises `LabError` when the port, its home or the tape cannot be used, or a relay has a tape.
    """
    relays = isinstance(behind, Relay)
    if record and relays:
        raise LabError("classroom.relay_tape")
    with server_file.home_in_use():
        place = server_file.made(home() / "own")
    server.be(lambda: behind, place, port, idle, record, opened=_announce, relays=relays)


def _announce(state: State) -> None:
    lines = sheet.settings(Seat("", state.token), state.base_url)
    print(say("classroom.own", model=state.model, lines=lines), flush=True)
