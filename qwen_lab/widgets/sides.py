"""The last answer from every side, in tabs: answer, x-ray, anatomy, wire, code."""

from ipywidgets import HTML, Tab, VBox

from ..lab import Lab
from ..views.anatomy import anatomy
from ..views.html import Html, View
from ..views.wire import Wire
from ..views.xray import xray
from ..words import say
from . import code
from .reply import Reply

SIDES = ("xray", "anatomy", "wire", "code")


class Results(Tab):
    """Tabs around an answer; `answer` are the widgets of the first one."""

    def __init__(self, answer: list) -> None:
        self.sides = {name: HTML(_words("nothing")) for name in SIDES}
        titles = [say(f"playground.{name}") for name in ("answer", *SIDES)]
        super().__init__([VBox(answer), *self.sides.values()], titles=titles)

    def show(self, reply: Reply, request: dict, lab: Lab) -> None:
        """Show a reply that has ended, or failed."""
        self.sides["code"].value = _code(request, lab)
        answer = reply.answer
        subject = reply.error or answer
        self._show("anatomy", anatomy(subject) if subject else None)
        self._show("xray", xray(answer) if answer else None)
        self._show("wire", reply.wire, none="not_streamed")

    def _show(self, side: str, view: View | Wire | None, none: str = "nothing") -> None:
        self.sides[side].value = view._repr_html_() if view else _words(none)


def _words(name: str) -> Html:
    return Html.escape(say(f"playground.{name}"))


def _code(request: dict, lab: Lab) -> Html:
    seed = _words("code_seed" if "seed" in request else "code_no_seed")
    page = Html("<p>{} {}</p><pre>{}</pre>")
    return page.format(_words("code_note"), seed, code.cell(request, lab))
