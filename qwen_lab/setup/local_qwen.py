"""The doctor's look at the local Qwen: its weights, and whether its server's model moves."""

import json
import os
import time
import urllib.request
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from ..words import LabError
from .finding import BROKEN, FINE, ODD, Finding, found

if TYPE_CHECKING:
    from ..endpoint.server_file import State

# Seconds for one token; a model that is read in and not busy takes a tenth of one.
PATIENCE = 2.5


def weights() -> Finding:
    """The model's file, which is hashed if it changed."""
    from ..endpoint.weights import weights

    if not (path := weights.find()):
        return found(ODD, "weights_none")
    own = os.environ.get("QWEN_LAB_GGUF")
    return found(FINE, "weights_own" if own else "weights", path=path)


def memory() -> Finding:
    """What is free for the local Qwen; what it has already, it need not be given."""
    from ..endpoint import free_memory, server
    from ..endpoint.weights import weights

    left, limited = free_memory.free()
    needed = weights.SIZE + server.OVERHEAD
    key, told = "memory_container" if limited else "memory", {"free": max(0, left) / 1e9}
    if left > needed or _running():
        return found(FINE, key, **told)
    return found(BROKEN, f"{key}_low", **told, needed=needed / 1e9)


def server() -> Finding:
    """The server as its state file tells it. It is left as it is, even if it is stuck."""
    import psutil

    from ..endpoint import server_file

    server_file.notes()
    if not (state := _running()):
        return found(FINE, "server_none")
    told = {"pid": state.pid, "since": f"{datetime.fromtimestamp(state.created):%Y-%m-%d %H:%M}"}
    told["memory"] = psutil.Process(state.pid).memory_info().rss / 1e6
    began = time.monotonic()
    try:
        _one_token(state)
    except (OSError, ValueError) as error:
        return found(BROKEN, "server_stuck", **told, reason=error)
    return found(FINE, "server", **told, model=state.model, seconds=time.monotonic() - began)


def _running() -> "State | None":
    from ..endpoint import server_file
    from ..endpoint.weights import weights

    # What is wrong with the file or the folder has a row of its own.
    with suppress(LabError, OSError):
        if (path := weights.find()) and (state := server_file.load(server_file.folder(path))):
            return state if state.alive else None


def _one_token(state: "State") -> None:
    """Let the model write one token; `OSError` or `ValueError` if none comes in time."""
    asked = {"model": state.model, "messages": [{"role": "user", "content": "1"}], "max_tokens": 1}
    headers = {"authorization": f"Bearer {state.token}", "content-type": "application/json"}
    url, body = f"{state.base_url}/chat/completions", json.dumps(asked).encode()
    # The environment's proxies are for other machines.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, body, headers), timeout=PATIENCE) as answer:
        if not json.load(answer).get("choices"):
            raise ValueError(answer.status)
