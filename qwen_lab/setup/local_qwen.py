"""The doctor's look at the local Qwen: its weights, and whether its server's model moves."""

import os
import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from ..settings import Settings
from ..words import LabError, reason
from . import access
from .finding import BROKEN, FINE, ODD, Finding, found

if TYPE_CHECKING:
    from ..endpoint.server_file import State

# Seconds for one token; a model that is read in and not busy takes a tenth of one.
PATIENCE = 2.5


def weights() -> Finding:
    """The model's file, which is hashed if it changed; one's own has to be whole."""
    from ..endpoint.weights import gguf, weights

    if not (path := weights.find()):
        return found(ODD, "weights_none")
    if not os.environ.get("QWEN_LAB_GGUF"):
        return found(FINE, "weights", path=path)
    whole = gguf.is_whole(path)
    return found(*((FINE, "weights_own") if whole else (BROKEN, "weights_cut")), path=path)


def memory(given: Settings) -> Finding:
    """What is free for the local Qwen; what it has already, it need not be given.

    Where another one answers, as in a class, there need be no room for it.
    """
    from ..endpoint import free_memory, server
    from ..endpoint.weights import weights

    left, limited = free_memory.free()
    needed = weights.SIZE + server.OVERHEAD
    key, told = "memory_container" if limited else "memory", {"free": max(0, left) / 1e9}
    elsewhere = access.choice(given) != "local"
    if left > needed or elsewhere or ((state := _state()) and state.alive):
        return found(FINE, key, **told)
    return found(BROKEN, f"{key}_low", **told, needed=needed / 1e9)


def server() -> Finding:
    """The server as its state file tells it. It is left as it is, even if it is stuck."""
    import httpx2
    import psutil

    from ..endpoint import server_file

    server_file.notes()
    if not (state := _state()):
        return found(FINE, "server_none")
    told = {"pid": state.pid, "since": f"{datetime.fromtimestamp(state.created):%Y-%m-%d %H:%M}"}
    if not state.alive:
        return found(FINE, "server_ended", **told)
    told |= {"model": state.model, "url": state.base_url}
    told["memory"] = psutil.Process(state.pid).memory_info().rss / 1e6
    asked = {"model": state.model, "messages": [{"role": "user", "content": "1"}], "max_tokens": 1}
    # The environment's proxies are for other machines.
    how = {"headers": {"authorization": f"Bearer {state.token}"}, "trust_env": False}
    url, began = f"{state.base_url}/chat/completions", time.monotonic()
    try:
        httpx2.post(url, json=asked, timeout=PATIENCE, **how).raise_for_status()
    except httpx2.TimeoutException:
        # On a slow machine, or behind somebody's call, a token may take longer than that.
        return found(ODD, "server_slow", **told)
    except httpx2.HTTPError as error:
        return found(BROKEN, "server_stuck", **told, reason=reason(error))
    return found(FINE, "server", **told, seconds=time.monotonic() - began)


def _state() -> "State | None":
    from ..endpoint import server_file
    from ..endpoint.weights import weights

    # What is wrong with the file or the folder has a row of its own.
    with suppress(LabError, OSError):
        if path := weights.find():
            return server_file.load(server_file.folder(path))
