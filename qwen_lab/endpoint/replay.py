"""A tape's server: a thread of the process that connects, gone with it, counting from its start."""

import os
import secrets
import threading
import time
from pathlib import Path

import psutil

from .server_file import State
from .tape import Player


def start(path: Path, *, timed: bool = False) -> State:
    """Serve a tape on a free port of loopback; raises `LabError` when it cannot be played."""
    import uvicorn

    from .app import create_app

    player, token = Player(path, timed=timed), secrets.token_urlsafe(32)
    server = uvicorn.Server(uvicorn.Config(create_app(player, token), port=0, log_level="critical"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    return State(port, os.getpid(), psutil.Process().create_time(), player.model, token)
