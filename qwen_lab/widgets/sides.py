"""The last answer from every side, in tabs: answer, x-ray, anatomy, wire, code."""

from ipywidgets import HTML, Tab, VBox

from ..lab import Lab
from ..views.anatomy import anatomy
from ..views.html import View, escaped
from ..views.xray import xray
from ..watch.stream import Wire
from ..words import say
from . import code
from .reply import Reply

SIDES = ("xray", "anatomy", "wire", "code")


class Results(Tab):
    """Tabs around an answer; `answer` are the widgets of the first one."""

    def __init__(self, answer: list) -> None:
        self.sides = {name: HTML(escaped(say("playground.nothing"))) for name in SIDES}
        titles = [say(f"playground.{name}") for name in ("answer", *SIDES)]
        super().__init__([VBox(answer), *self.sides.values()], titles=titles)

    def show(self, reply: Reply, request: dict, lab: Lab) -> None:
        """Show a reply that has ended, or failed."""
        self.sides["code"].value = _code(request, lab)
        answer, none = reply.answer, escaped(say("playground.nothing"))
        subject = reply.error or answer
        self.sides["anatomy"].value = _html(anatomy(subject)) if subject else none
        self.sides["xray"].value = _html(xray(answer)) if answer else none
        whole = escaped(say("playground.not_streamed"))
        self.sides["wire"].value = _html(reply.wire) if reply.wire else whole


def _html(view: View | Wire) -> str:
    return view._repr_html_()


def _code(request: dict, lab: Lab) -> str:
    notes = ["code_note", "code_seed" if "seed" in request else "code_no_seed"]
    said = " ".join(say(f"playground.{note}") for note in notes)
    return f"<p>{escaped(said)}</p><pre>{escaped(code.cell(request, lab))}</pre>"
