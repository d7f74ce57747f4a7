"""The seats as a page to print: for each learner what to write into `.env`, or where to go in."""

from ..views.html import Html, join
from ..views.theme import styled
from ..words import language, say
from .seats import Seat

PAGE = Html('<!doctype html><html lang="{}"><meta charset="utf-8"><title>{}</title>{}</html>')
BODY = Html('<body class="qwen-view qwen-sheet"><h1>{}</h1>{}</body>')
SEAT = Html("<section><h2>{}</h2>{}{}</section>")
WAY = Html("{}<pre>{}</pre>")


def page(seats: list[Seat], address: str, *, hub: bool = False, browser: bool = False) -> str:
    """The page, with the learners' names as they are: whatever they hold, they are text.

    In a `browser` they give their code at the address, on a `hub` it is their password.
    """
    title = say("classroom.sheet")
    seated = _by_browser if browser else _by_hub if hub else _seat
    body = BODY.format(title, join(seated(seat, address) for seat in seats))
    return PAGE.format(language(), title, Html(styled(body)))


def _by_browser(seat: Seat, address: str) -> Html:
    way = WAY.format(say("classroom.page_write"), f"{address}\n{seat.code}")
    return SEAT.format(seat.name, way, say("classroom.sheet_then"))


def _by_hub(seat: Seat, address: str) -> Html:
    way = WAY.format(say("classroom.hub_write"), log_in(seat, address))
    return SEAT.format(seat.name, way, say("classroom.hub_then"))


def _seat(seat: Seat, address: str) -> Html:
    code = f'lab = qwen_lab.connect("{address}", code="{seat.code}")'
    ways = [
        (say("classroom.sheet_write"), settings(seat, address)),
        (say("classroom.sheet_connect"), code),
    ]
    return SEAT.format(seat.name, join(WAY.format(*w) for w in ways), say("classroom.sheet_then"))


def log_in(seat: Seat, address: str) -> str:
    """What a hub asks for, and where."""
    return say("classroom.hub_lines", address=address, name=seat.name, code=seat.code)


def settings(seat: Seat, address: str) -> str:
    """The two lines for `.env`."""
    return f"QWEN_LAB_ENDPOINT={address}\nQWEN_LAB_API_KEY={seat.code}"
