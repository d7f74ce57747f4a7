"""How fast a fetch goes: one that is too slow is left, for another place may be faster."""

import time

from ...words import say

# So many seconds must bring so many bytes; at less, the model would take 80 minutes and more.
SECONDS, LEAST = 20, 2_000_000


class SlowError(OSError):
    """A place gives the file, and too slowly; `str` says how slowly."""


class Pace:
    """Counts what a fetch brings; `add` raises `SlowError` when that is too little."""

    def __init__(self) -> None:
        self._since, self._brought = time.monotonic(), 0

    def add(self, size: int) -> None:
        """Count some bytes more."""
        self._brought += size
        if time.monotonic() - self._since >= SECONDS:
            brought = self._brought
            self.__init__()
            if brought < LEAST:
                raise SlowError(say("weights.slow", brought=brought // 1000, seconds=SECONDS))
