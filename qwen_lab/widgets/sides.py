"""The last answer from every side, in tabs: answer, x-ray, anatomy, wire, code."""

from pathlib import Path

import anywidget
from ipywidgets import HTML, Tab, VBox
from traitlets import Dict, Unicode

from ..lab import Lab
from ..views.anatomy import anatomy
from ..views.html import Html, View
from ..views.wire import Wire
from ..views.xray import xray
from ..words import say
from . import code
from .reply import Reply

SIDES = ("xray", "anatomy", "wire", "code")


class Code(anywidget.AnyWidget):
    """Code with a button that copies it; nothing as long as `value` is ""."""

    # A notebook's page can fetch no module: two scripts as one.
    _esm = "".join(
        Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8")
        for name in ("elements", "copy")
    )
    value = Unicode().tag(sync=True)
    words = Dict().tag(sync=True)

    def __init__(self) -> None:
        names = ("copy", "copied", "selected")
        super().__init__(words={name: say(f"playground.{name}") for name in names})


class Results(Tab):
    """Tabs around an answer; `answer` are the widgets of the first one."""

    def __init__(self, answer: list) -> None:
        self.sides = {name: HTML(_words("nothing")) for name in SIDES}
        self.code = Code()
        titles = [say(f"playground.{name}") for name in ("answer", *SIDES)]
        *shown, note = self.sides.values()
        super().__init__([VBox(answer), *shown, VBox([note, self.code])], titles=titles)

    def show(self, reply: Reply, request: dict, lab: Lab) -> None:
        """Show a reply that has ended, or failed."""
        seed = _words("code_seed" if "seed" in request else "code_no_seed")
        self.sides["code"].value = Html("{} {}").format(_words("code_note"), seed)
        self.code.value = code.cell(request, lab)
        answer = reply.answer
        subject = reply.error or answer
        self._show("anatomy", anatomy(subject) if subject else None)
        self._show("xray", xray(answer) if answer else None)
        self._show("wire", reply.wire, none="not_streamed")

    def _show(self, side: str, view: View | Wire | None, none: str = "nothing") -> None:
        self.sides[side].value = view._repr_html_() if view else _words(none)


def _words(name: str) -> Html:
    return Html.escape(say(f"playground.{name}"))
