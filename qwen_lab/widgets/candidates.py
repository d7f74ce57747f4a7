"""The picture of the candidates, and under it a button for each of them."""

from collections.abc import Callable

from ipywidgets import HTML, Button, Layout, VBox

from ..views import sampler as view
from ..views.html import View
from ..watch.next_token import NextToken
from . import style


class Candidates(VBox):
    """Calls `take` with the place in the list of the candidate whose button is pressed."""

    def __init__(self, take: Callable[[int], None]) -> None:
        self.picture = HTML()
        self.buttons = [Button(layout=Layout(width="auto")) for _ in range(view.ROWS)]
        self._listed: list[int] = []
        for rank, button in enumerate(self.buttons):
            button.on_click(lambda _, rank=rank: take(self._listed[rank]))
        title = style.sentence("sampler.take")
        super().__init__([self.picture, title, style.row(*self.buttons)])
        self.layout.display = "none"

    def show(self, found: NextToken, listed: list[int], picture: View) -> None:
        """Show the picture, and the buttons of the candidates that are listed in it."""
        self._listed = listed
        self.layout.display = None
        self.picture.value = picture._repr_html_()
        for rank, button in enumerate(self.buttons):
            there = rank < len(listed)
            button.layout.display = None if there else "none"
            if there:
                index = listed[rank]
                name = view.token_name(found.bytes[index], int(found.ids[index]))
                button.description = f"{rank + 1}. {name}"

    def hide(self) -> None:
        """Show none: what may come next is not known yet."""
        self.layout.display = "none"
        self.picture.value = ""
