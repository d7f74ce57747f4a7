"""The beginnings of an answer that a learner tries: tokens taken one after the other, and back."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy

from ..lab import Lab
from ..watch.next_token import NextToken
from ..watch.sampling import Settings, stages

Path = tuple[int, ...]


@dataclass
class Node:
    """A beginning: the numbers of the tokens taken, their bytes, and what may come next.

    `order` sorts a beginning before those that go on from it. `found` is None until it was asked
    for; `counting` says that its tail is still to come.
    """

    path: Path = ()
    tokens: tuple[bytes, ...] = ()
    order: tuple[int, ...] = ()
    found: NextToken | None = None
    counting: bool = False

    @property
    def ready(self) -> bool:
        """Whether all is known that a draw needs."""
        return self.found is not None and not self.counting


class Branches:
    """All beginnings that were tried, from `prefix` on; `here` is the one that is looked at."""

    def __init__(self, lab: Lab, messages: list[dict], prefix: str | Sequence[int]) -> None:
        self._lab = lab
        self._messages = messages
        self._prefix = prefix
        self.root = self.here = Node()
        self._nodes: dict[Path, Node] = {(): self.root}

    def take(self, number: int, token: bytes) -> None:
        """Go on with this token; a beginning that was tried before is found again."""
        here = self.here
        path = (*here.path, number)
        order = (*here.order, len(self._nodes))
        self.here = self._nodes.setdefault(path, Node(path, (*here.tokens, token), order))

    def go(self, path: Path) -> None:
        """Return to a beginning that was tried; `KeyError` if it was not."""
        self.here = self._nodes[path]

    def tried(self) -> list[Node]:
        """All of them, each followed by those that go on from it, in the order of trying."""
        return sorted(self._nodes.values(), key=lambda node: node.order)

    async def look(self, changed: Callable[[], None]) -> None:
        """Ask for what is not known here, saying `changed` when a part of it is; `LabError`."""
        node = self.here
        if not node.found:
            node.found = await self._ask(node, tail=False)
            node.counting = not len(node.found.tail_counts)
            changed()
        if node.counting:
            node.found, node.counting = await self._ask(node), False

    async def take_rare(self, settings: Settings, random: numpy.random.Generator) -> None:
        """Draw among the tokens that are not listed, and go on; `LabError`.

        The whole vocabulary is asked for: only there they have names.
        """
        node = self.here
        whole = await self._ask(node, whole=True)
        weights = stages(whole, settings)[-1].probabilities.copy()
        weights[numpy.isin(whole.ids, node.found.ids)] = 0
        index = int(random.choice(len(weights), p=weights / weights.sum()))
        if node is self.here:
            self.take(int(whole.ids[index]), whole.bytes[index])

    async def _ask(self, node: Node, **options: bool) -> NextToken:
        prefix = self._prefix
        if node.path:
            # As the engine cut the beginning into tokens, so that none of them melt.
            begun = self.root.found.context[self.root.found.prompt_tokens :]
            prefix = [*begun.tolist(), *node.path]
        return await asyncio.to_thread(self._lab.next_token, self._messages, prefix, **options)
