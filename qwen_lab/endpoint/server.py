"""The server's life: start it once for all kernels, find it again, end it.

It lives while any process that connected lives, and `IDLE` seconds more.
"""

import asyncio
import http.client
import logging
import os
import secrets
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

from filelock import FileLock

from ..words import LabError
from . import failure, free_memory, learner, server_file, server_process
from .server_file import State
from .weights import weights

IDLE = 30 * 60
START_LIMIT = 120
# How long a server that lives may take to say so, before another takes its place.
PATIENCE = 10
# Beside the weights: the slots' memory and the engine's buffers (measured: about 350 MB).
OVERHEAD = 400_000_000


@server_file.home_in_use()
def start(*, record: Path | None = None) -> State:
    """The running server, started if need be; safe when many processes ask at once.

    `record` names a tape for a server that is started now to write. Raises `LabError` when the
    weights cannot be had, memory is short, its home cannot be written, or it does not start.
    """
    path = weights.fetch()
    place = server_file.make(path)
    with FileLock(place / "lock"):
        running = _running(place) or _spawn(place, weights.fetch(afresh=True), record)
        server_file.register(place)
    return running


def play(path: Path, *, timed: bool = False) -> State:
    """Serve a tape from a thread of this process, gone with it and counting from its start.

    On a free port of loopback. Raises `LabError` when the tape cannot be played.
    """
    import uvicorn

    from .app import create_app
    from .tape import Player

    player, token = Player(path, timed=timed), secrets.token_urlsafe(32)
    app = create_app(player, learner.alone(token))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    return State(port, player.model, token)


@server_file.home_in_use()
def status() -> State | None:
    """The server that runs for the weights at hand, or None; makes nothing.

    Raises `LabError` when its home may not be read.
    """
    path = weights.find()
    return _running(server_file.folder(path)) if path else None


def stop() -> bool:
    """End the server; False when none runs."""
    if not (running := status()):
        return False
    server_process.end(running.pid)
    return True


def serve(*, port: int | None = None, idle: float = IDLE, record: str | Path | None = None) -> None:
    """Be the server, until ended or idle; with `record`, write a tape of all that is answered.

    Blocks. Raises `LabError` when the weights cannot be had, memory is short, another server runs,
    or its port or its home cannot be used.
    """
    path = weights.fetch(afresh=True)
    if other := status():
        raise LabError("server.already_runs", url=other.base_url)
    free_memory.check(path.stat().st_size + OVERHEAD)
    with server_file.home_in_use():
        place = server_file.make(path)
    be(local_engine(path, place), place, port, idle, record)


def main(path: str, record: str | None) -> None:
    """Be the server that `start` spawns; the log ends with the one sentence that says why."""
    logging.basicConfig(format="%(asctime)s %(message)s")
    try:
        # Its folder is there: were it gone by now, nobody would find the server in a new one.
        place = server_file.folder(Path(path))
        be(local_engine(Path(path), place), place, None, IDLE, record)
    except LabError as error:
        sys.exit(str(error))


def local_engine(path: Path, place: Path) -> Callable:
    """What loads the local Qwen from these weights, with its socket in the folder `place`."""
    from .llama import LlamaEngine

    return lambda: LlamaEngine(path, weights.model_id(path), place)


def be(
    make: Callable,
    place: Path,
    port: int | None,
    idle: float,
    record: str | Path | None = None,
    opened: Callable[[State], None] = lambda _: None,
    relays: bool = False,
) -> None:
    """Be one person's server before the engine that `make` makes; blocks, as `serve` does.

    `opened` is called with its state when it can be reached.
    """
    from . import listener
    from .app import create_app
    from .search import Search
    from .tape import Recorder

    with server_file.home_in_use():
        bound = listener.listen(place, port)
    engine = make()
    if record:
        engine = Recorder(engine, Path(record))
    with server_file.home_in_use():
        kept = server_file.save(place, bound.getsockname()[1], engine.model)
    identify, search = learner.alone(kept.token), Search(*server_file.notes())
    app = create_app(engine, identify, search, relays=relays)
    opened(kept)
    watch = partial(_exit_when_idle, state=app.state, place=place, kept=kept, idle=idle)
    listener.serve(app, [(bound, None)], watch)


async def _exit_when_idle(server, state, place: Path, kept: State, idle: float) -> None:
    """End the server when nobody has needed it for so long, or when nobody can find it."""
    used = time.monotonic()
    try:
        while time.monotonic() - used < idle and server_file.load(place) == kept:
            await asyncio.sleep(min(idle, 5))
            server_process.turn_log(place)
            at_work = state.turns.slots.busy and not state.engine.stuck
            if at_work or server_file.clients(place):
                used = time.monotonic()
    except Exception:
        logging.exception("the server ends, for it cannot watch over its folder")
    if state.engine.stuck:
        # Its thread never ends, and no process does before its threads.
        os._exit(1)
    server.should_exit = True


def _running(place: Path) -> State | None:
    """The folder's server, if its process lives and it answers."""
    known = server_file.load(place)
    if not known or not known.alive:
        return None
    if _healthy(known):
        return known
    # It lives, and does not answer or says that its model is stuck: the next one takes its place.
    server_process.end(known.pid)
    return None


def _healthy(known: State) -> bool:
    # The environment's proxies are for other machines.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        url = f"http://127.0.0.1:{known.port}/health"
        with opener.open(url, timeout=PATIENCE) as answer:
            return answer.status == 200
    except (OSError, http.client.HTTPException):
        return False


def _spawn(place: Path, path: Path, record: Path | None) -> State:
    free_memory.check(path.stat().st_size + OVERHEAD)
    earlier, tape = server_file.load(place), str(record.absolute()) if record else None
    asked = f"server.main({str(path.absolute())!r}, {tape!r})"
    child = server_process.spawn(place, f"from qwen_lab.endpoint import server; {asked}")
    running = _await_health(child, place, path, earlier)
    # It is this process's child: someone must take note when it ends, or it stays a zombie.
    threading.Thread(target=child.wait, daemon=True).start()
    return running


def _await_health(child: subprocess.Popen, place: Path, path: Path, earlier: State | None) -> State:
    end = time.monotonic() + START_LIMIT
    try:
        while time.monotonic() < end and child.poll() is None:
            known = server_file.load(place)
            # Not by the child's number: on Windows a venv's Python is a launcher's child.
            if known and known != earlier and known.alive and _healthy(known):
                return known
            time.sleep(0.05)
    except BaseException:
        child.kill()
        raise
    code = child.poll()
    child.kill()
    child.wait()
    raise failure.failure(code, place / server_process.LOG, path, START_LIMIT)
