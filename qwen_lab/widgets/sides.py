"""The last answer from every side, in tabs: answer, x-ray, anatomy, wire, code."""

import anywidget
from ipywidgets import HTML, Button, Tab, VBox
from traitlets import Dict, Unicode

from ..lab import Lab
from ..views.anatomy import anatomy
from ..views.html import Html, View, brief
from ..views.tokens import said, visible
from ..views.wire import Wire
from ..views.xray import least, xray
from ..words import say
from . import code, style
from .reply import Reply
from .sampler import OFF, Sampler

SIDES = ("xray", "anatomy", "wire", "code")
# How much of a token stands on a button.
LONGEST = 20


class Code(anywidget.AnyWidget):
    """Code with a button that copies it; nothing as long as `value` is ""."""

    _esm = style.scripts("elements", "copy")
    value = Unicode().tag(sync=True)
    words = Dict().tag(sync=True)

    def __init__(self) -> None:
        names = ("copy", "copied", "selected")
        super().__init__(words={name: say(f"playground.{name}") for name in names})
        self.add_class("qwen-script")


class Places(anywidget.AnyWidget):
    """The tokens of an x-ray as places to go on from, as long as `value` says so.

    `offer` is the button's, for the token that is open.
    """

    _esm = style.scripts("elements", "xray")
    value = Unicode().tag(sync=True)
    offer = Unicode().tag(sync=True)


class Fork(VBox):
    """Under an x-ray: from any of its tokens on with another; without probabilities, `again`."""

    def __init__(self, seen: HTML) -> None:
        self.places = Places().add_class("qwen-script")
        self.again = Button(description=say("playground.again"))
        self.places.on_msg(lambda _, number, __: self.go_on(number))
        self.seen = seen
        super().__init__([self.places, seen, style.row(self.again)])
        self.show(Reply(), {}, None)

    def show(self, reply: Reply, request: dict, lab: Lab | None) -> None:
        """Offer what there is to do with this reply."""
        self._answer, self._request, self._lab = reply.answer, request, lab
        self.tokens = said(reply.answer).tokens if reply.answer else []
        self.places.value = say("playground.go_on") if self.tokens and lab.is_local else ""
        self.again.layout.display = "" if reply.text and not self.tokens else "none"
        self.children = self.children[:3]
        if self.tokens:
            self._offer(least(self.tokens))

    def go_on(self, number: int) -> None:
        """Mark that token, and open the sampler in its place, with what was asked."""
        self.seen.value = xray(self._answer, opened=number)._repr_html_()
        self._offer(number)
        prefix = "".join(token.text for token in self.tokens[:number])
        sent = self._request | self._request.get("extra_body", {})
        start = {name: sent[name] for name in (*OFF, "seed") if name in sent}
        sampler = Sampler(self._lab, sent["messages"], prefix=prefix, **start)
        words = say("playground.instead", token=visible(self.tokens[number].text))
        title = Html('<div class="qwen-panel-title">{}</div><small>{}</small>')
        head = HTML(title.format(words, say("playground.anew")))
        self.children = (*self.children[:3], head, sampler)
        sampler.go(())

    def _offer(self, number: int) -> None:
        token = brief(visible(self.tokens[number].text), LONGEST)
        self.places.offer = say("playground.replace", token=token)


class Results(Tab):
    """Tabs around an answer; `answer` are the widgets of the first one."""

    def __init__(self, answer: list) -> None:
        self.sides = {name: HTML(_words("nothing")) for name in SIDES}
        self.code = Code()
        titles = [say(f"playground.{name}") for name in ("answer", *SIDES)]
        seen, *shown, note = self.sides.values()
        self.fork = Fork(seen)
        tabs = [VBox(answer), self.fork, *shown, VBox([note, self.code])]
        super().__init__(tabs, titles=titles)

    def show(self, reply: Reply, request: dict, lab: Lab) -> None:
        """Show a reply that has ended, or failed."""
        notes = ("code_note", "code_seed" if "seed" in request else "code_no_seed")
        self.sides["code"].value = Html(say("joins.sentences")).join(map(_words, notes))
        self.code.value = code.cell(request, lab)
        answer = reply.answer
        subject = reply.error or answer
        self._show("anatomy", anatomy(subject) if subject else None)
        self._show("xray", xray(answer) if answer else None)
        self.fork.show(reply, request, lab)
        self._show("wire", reply.wire, none="not_streamed")

    def _show(self, side: str, view: View | Wire | None, none: str = "nothing") -> None:
        self.sides[side].value = view._repr_html_() if view else _words(none)


def _words(name: str) -> Html:
    return Html.escape(say(f"playground.{name}"))
