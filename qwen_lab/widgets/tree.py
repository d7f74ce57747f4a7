"""The list of all beginnings that were tried, to return to one of them."""

from collections.abc import Callable

from ipywidgets import Layout, Select

from ..views.sampler import named
from ..words import say
from .branches import Branches, Node, Path


class Tree(Select):
    """Calls `go` with the path of the beginning that a learner chooses."""

    def __init__(self, go: Callable[[Path], None]) -> None:
        super().__init__(
            description=say("sampler.tree"),
            rows=5,
            layout=Layout(width="auto"),
            style={"description_width": "initial"},
        )
        self._go, self._painting = go, False
        self.observe(self._chosen, "value")

    def show(self, branches: Branches) -> None:
        """Paint the branches, with `here` chosen."""
        options = [(_label(node), node.path) for node in branches.tried()]
        self._painting = True
        if list(self.options) != options:
            self.options = options
        self.value = branches.here.path
        self._painting = False

    def _chosen(self, change: object) -> None:
        # New options move the choice as well.
        if not self._painting:
            self._go(change.new)


def _label(node: Node) -> str:
    if not node.path:
        return say("sampler.root")
    return "· " * len(node.path) + named(node.tokens[-1], node.path[-1])
