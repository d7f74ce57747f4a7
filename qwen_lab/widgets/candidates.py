"""The picture of the candidates, and under it a button for each of them."""

from collections.abc import Callable

import numpy
from ipywidgets import HTML, Button, HBox, Layout, VBox

from ..views import sampler as view
from ..views.html import escaped
from ..watch.next_token import NextToken
from ..watch.sampling import Settings, stages
from ..words import say


class Candidates(VBox):
    """Calls `take` with the place in the list of the candidate whose button is pressed."""

    def __init__(self, take: Callable[[int], None]) -> None:
        self.picture, self._take, self._shown = HTML(), take, []
        self.buttons = [Button(layout=Layout(width="auto")) for _ in range(view.ROWS)]
        for rank, button in enumerate(self.buttons):
            button.on_click(lambda _, rank=rank: self._take(self._shown[rank]))
        row = Layout(flex_flow="row wrap", align_items="center")
        children = [
            self.picture,
            HTML(escaped(say("sampler.take"))),
            HBox(self.buttons, layout=row),
        ]
        super().__init__(children)
        self.layout.display = "none"

    def show(
        self, found: NextToken, settings: Settings, draws: numpy.ndarray | None, counting: bool
    ) -> None:
        """Paint them as they are drawn with these settings."""
        self.layout.display = None
        self._shown = view.chosen(stages(found, settings))
        shown = view.sampler(found, settings, draws=draws, counting=counting)
        self.picture.value = shown._repr_html_()
        for rank, button in enumerate(self.buttons):
            there = rank < len(self._shown)
            button.layout.display = None if there else "none"
            if there:
                index = self._shown[rank]
                name = view.named(found.bytes[index], int(found.ids[index]))
                button.description = f"{rank + 1}. {name}"

    def hide(self) -> None:
        """Show none: what may come next is not known yet."""
        self.layout.display, self.picture.value = "none", ""
