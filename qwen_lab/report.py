"""What a class is told of a learner's exercises: which one, and how it was judged; no answer.

A class that is out of reach costs a check neither time nor its verdict: it is told the next time.
"""

import asyncio
import atexit
import sys
import threading
from collections import deque
from contextlib import suppress

from .lab import Lab

PATIENCE = 10
# Seconds that the end of a program waits for what is being told.
LAST = 3
_telling = threading.Lock()
# The class that is told, and what it could not be told yet.
_class: tuple[Lab, deque[dict]] | None = None


def to(lab: Lab) -> None:
    """From now on tell the class that this lab is of, or nobody where it is of none."""
    global _class
    _class = (lab, deque(maxlen=1_000)) if lab.kind == "class" else None


def is_told() -> bool:
    """Whether a class is told."""
    return _class is not None


def exercise(number: str, status: str) -> None:
    """Tell the class how the answer to an exercise was judged, while the learner goes on."""
    if _class:
        _class[1].append({"exercise": number, "status": status})
        if sys.platform == "emscripten":
            # In a page there are no threads.
            asyncio.get_running_loop().create_task(_tell_between(*_class))
        else:
            threading.Thread(target=_tell, args=_class, daemon=True).start()


@atexit.register
def _end() -> None:
    # The thread that tells would end with the program, in the middle of it.
    if _class and _class[1]:
        _tell(*_class, LAST)


def _tell(lab: Lab, untold: deque[dict], patience: float = PATIENCE) -> None:
    import httpx2

    # Whoever holds it tells what is there by then, this too.
    if not _telling.acquire(timeout=patience):
        return
    try:
        with suppress(httpx2.HTTPError, OSError):
            while untold:
                httpx2.post(**_message(lab, untold[0]), timeout=patience)
                untold.popleft()
    finally:
        _telling.release()


async def _tell_between(lab: Lab, untold: deque[dict]) -> None:
    """The same between the cells."""
    import httpx2

    if not _telling.acquire(blocking=False):
        return
    try:
        with suppress(httpx2.HTTPError, OSError):
            async with httpx2.AsyncClient(timeout=PATIENCE) as client:
                while untold:
                    await client.post(**_message(lab, untold[0]))
                    untold.popleft()
    finally:
        _telling.release()


def _message(lab: Lab, told: dict) -> dict:
    url = f"{lab.base_url.rstrip('/')}/lab/progress"
    return {"url": url, "json": told, "headers": {"Authorization": f"Bearer {lab.api_key}"}}
