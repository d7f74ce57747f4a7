"""A text that grows: only its last block is sent to the browser again."""

import unicodedata

from ipywidgets import HTML, VBox

from ..views.html import Html
from ..words import say

SIZE = 200
BLOCK = Html('<span aria-live="polite" aria-busy="{}">{}</span>')
JOINERS = ("\u200d", "\ufe0f", "\ufe0e")


class Flow(VBox):
    """Shows a text while it is written. Painting it n times costs n blocks, not n whole texts."""

    def __init__(self) -> None:
        nothing = Html("<small>{}</small>").format(say("playground.nothing"))
        super().__init__([HTML(nothing)])
        self.add_class("qwen-panel-answer")

    @property
    def value(self) -> str:
        """The HTML that is shown, in one piece."""
        return "".join(block.value for block in self.children)

    def show(self, text: str, marked: Html | None = None, *, running: bool = False) -> None:
        """Show the text, `marked` if it is; what is the same as before is not sent."""
        # Where nothing came, an empty box would say nothing.
        self.layout.display = None if text or running else "none"
        pieces = [marked] if marked else blocks(text or " ")
        kept = self.children[: len(pieces)]
        self.children = (*kept, *(HTML() for _ in pieces[len(kept) :]))
        for block, piece in zip(self.children, pieces, strict=True):
            busy = str(running and piece is pieces[-1]).lower()
            block.value = BLOCK.format(busy, piece)


def blocks(text: str) -> list[str]:
    """The text in pieces; all but the last stay as they are when it grows."""
    found = []
    start = 0
    while len(text) - start > 2 * SIZE:
        end = _cut(text, start + SIZE)
        found.append(text[start:end])
        start = end
    return [*found, text[start:]]


def _cut(text: str, at: int) -> int:
    """Where to cut: after a space or a line's end that is near, and never within a character."""
    near = [at + offset for offset in range(SIZE // 4) if text[at + offset].isspace()]
    if near:
        return near[0] + 1
    for end in range(at, at + SIZE):
        joined = text[end] in JOINERS or text[end - 1] in JOINERS
        if not joined and not unicodedata.combining(text[end]):
            return end
    return at
