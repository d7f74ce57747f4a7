"""What each learner has used: an append-only file of JSON lines, read again at the next start."""

import json
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path


class Ledger:
    """Tokens and millionths of a CNY by learner: reserved before a call, settled after it.

    What was open when the process was killed counts in full. Raises `OSError` when the file cannot
    be read or written; what could not be written down does not count.
    """

    def __init__(self, path: Path) -> None:
        self.tokens: Counter[str] = Counter()
        self.cost: Counter[str] = Counter()
        self._open: dict[int, tuple[str, int, int]] = {}
        self._last = 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        content = path.read_bytes()
        for line in content.splitlines():
            # One that was cut by the end of its process says nothing.
            with suppress(ValueError, TypeError):
                self._apply(**json.loads(line))
        if content and not content.endswith(b"\n"):
            os.write(self._file, b"\n")

    def reserve(self, who: str, tokens: int, cost: int) -> int:
        """Count a call at its most; gives the number to settle it by."""
        self._write(call=self._last + 1, who=who, tokens=tokens, cost=cost)
        return self._last

    def settle(self, call: int, tokens: int, cost: int) -> None:
        """Count a call that has ended at what it took."""
        self._write(call=call, tokens=tokens, cost=cost)

    def reset(self, who: str) -> None:
        """Let a learner begin anew; what is under way still counts."""
        self._write(who=who)

    def _write(self, **row: object) -> None:
        line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError("a full disk")
        self._apply(**row)

    def _apply(self, call: int = 0, who: str = "", tokens: int = 0, cost: int = 0) -> None:
        if not call:
            under_way = [each for each in self._open.values() if each[0] == who]
            self.tokens[who] = sum(each[1] for each in under_way)
            self.cost[who] = sum(each[2] for each in under_way)
            return
        who, *before = self._open.pop(call, (who, 0, 0))
        self.tokens[who] += tokens - before[0]
        self.cost[who] += cost - before[1]
        if call > self._last:
            self._last, self._open[call] = call, (who, tokens, cost)
