"""An axis of time that begins at 0: some round steps, and what lies where on it."""

import math
from collections.abc import Callable, Mapping

from .html import Html, filled, join

# As many in every picture, so that the lines of all lanes are one style.
STEPS = 5
ROUND = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
MARK = Html('<small><span class="qwen-part {}"></span> {}</small> ')
PART = Html('<div class="qwen-part {}" style="right:{:.2f}%;width:{:.2f}%"></div>')


class Axis:
    """As long as its steps are round and so many seconds fit; each step has its `label`."""

    def __init__(self, seconds: float, label: Callable[[float], str]) -> None:
        power = 10.0 ** math.floor(math.log10(seconds / STEPS))
        step = next(power * each for each in ROUND if power * each * STEPS >= seconds - 1e-9)
        self._length = step * STEPS
        ticks = filled("<small>{}</small>", (label(step * at) for at in range(STEPS + 1)))
        self.head = filled('<div class="qwen-row">{}</div>', [lane("", ticks)])

    def part(self, kind: str, start: float, end: float) -> Html:
        """What is of this kind, from one second to another."""
        # Placed by its end: as wide as it must be to be seen, it still ends where it did.
        end = max(start, end)
        right, width = (100 * part / self._length for part in (self._length - end, end - start))
        return PART.format(kind, right, width)


def legend(kinds: Mapping[str, str]) -> Html:
    """What the kinds of parts mean."""
    return filled('<p class="qwen-legend">{}</p>', [join(MARK.format(*k) for k in kinds.items())])


def lane(name: object, parts: object) -> Html:
    """A row: its name, and its parts on the axis."""
    whole = Html('<span class="qwen-lane-name">{}</span><div class="qwen-lane">{}</div>')
    return whole.format(name, parts)
