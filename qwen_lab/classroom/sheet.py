"""The seats as a page to print: for each learner what to write into `.env`."""

from ..views.html import Html, join
from ..words import language, say
from .seats import Seat

STYLE = """
body { font: 16px/1.5 sans-serif; color: #111; margin: 24px; max-width: 720px }
section { border: 1px dashed #777; border-radius: 8px; padding: 12px 20px; margin: 12px 0;
  break-inside: avoid }
h2 { font-size: 20px; margin: 0 0 4px } pre { font: 16px/1.5 monospace; margin: 8px 0;
  white-space: pre-wrap; overflow-wrap: anywhere } p { margin: 0 }
"""


def page(seats: list[Seat], address: str) -> str:
    """The page, with the learners' names as they are: whatever they hold, they are text."""
    return Html(
        '<!doctype html><html lang="{}"><meta charset="utf-8"><title>{}</title>'
        "<style>{}</style><h1>{}</h1>{}</html>"
    ).format(
        language(),
        say("classroom.sheet"),
        Html(STYLE),
        say("classroom.sheet"),
        join(_seat(seat, address) for seat in seats),
    )


def _seat(seat: Seat, address: str) -> Html:
    return Html("<section><h2>{}</h2><p>{}</p><pre>{}</pre><p>{}</p></section>").format(
        seat.name,
        say("classroom.sheet_write"),
        settings(seat, address),
        say("classroom.sheet_then"),
    )


def settings(seat: Seat, address: str) -> str:
    """The two lines for `.env`."""
    return f"QWEN_LAB_ENDPOINT={address}\nQWEN_LAB_API_KEY={seat.code}"
