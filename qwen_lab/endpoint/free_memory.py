"""How much memory a new process may take: what the machine has free, or its container's limit."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from ..words import LabError

# Of a cgroup, version 2 and 1: the folder, the limit, what is used, and of that what can be freed.
V2 = "sys/fs/cgroup memory.max memory.current inactive_file".split()
V1 = "sys/fs/cgroup/memory memory.limit_in_bytes memory.usage_in_bytes total_inactive_file".split()


def check(needed: int) -> None:
    """Raise `LabError` when so many bytes would not fit in the memory that is free now."""
    left, limited = free()
    if left < needed:
        key = "server.container_memory" if limited else "server.no_memory"
        raise LabError(key, needed=needed // 10**6, free=max(0, left) // 10**6)


def free(root: Path = Path("/")) -> tuple[int, bool]:
    """Bytes that are free, and whether a container's limit is what holds (on Linux alone)."""
    machine = psutil.virtual_memory().available
    limit = min(_limits(root), default=machine)
    return min(machine, limit), limit < machine


def _limits(root: Path) -> Iterator[int]:
    """What each limit on this process leaves; a group's limit holds for all groups within it."""
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "memory") or "memory" in controllers.split(","):
                base, *names = V1 if controllers else V2
                group = root / base / path.strip("/")
                # In a container the path may be the machine's: then the top is the container.
                for folder in (group, *group.parents):
                    yield from _left(folder, *names)
                    if folder == root / base:
                        break


def _left(folder: Path, limit: str, used: str, cache: str) -> Iterator[int]:
    # No such file, or "max": no limit here.
    with suppress(OSError, ValueError):
        most = int((folder / limit).read_text())
        rows = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
        freed = int(dict(rows).get(cache, 0))
        yield most - int((folder / used).read_text()) + freed
