"""The lab in the page's kernel: which Qwen answers there, and the endpoint behind it.

Nothing else of the package knows of the page. It runs in Pyodide alone.
"""

import asyncio
import os
import re
import secrets
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import openai

from .. import addresses, paths
from ..endpoint import BASE, app, learner
from ..endpoint.engine import Engine
from ..endpoint.refusal import Refusal
from ..endpoint.tape import Player
from ..keys import Secret
from ..lab import Lab
from ..words import LabError, say
from .loop import Host

HOST = Host("qwen.lab")
# The Qwen in the page, once it is loaded: there is one, whoever connects.
LIVE: list[Lab] = []
# The site names each cell by its lesson.
CELL = re.compile(r"(zh|en)-(\w+)--")
# What a browser cannot do, and the lab does not need: pools of connections, locks that die with us.
for _words in ("The following transport option", "only soft file lock"):
    warnings.filterwarnings("ignore", _words)


def _sentence(error: openai.NotFoundError) -> list[str]:
    """What IPython shows of a call that was not recorded: what to do, without a traceback."""
    if error.code != "not_on_tape":
        # It shows any other in its own way then.
        raise error
    return [error.body["message"]]


openai.NotFoundError._render_traceback_ = _sentence


def _punctual(loop: type) -> None:
    """Let a loop take a moment that has passed for now, as asyncio's do; Pyodide's refuses it."""
    later = loop.call_later
    loop.call_later = lambda self, delay, *given, **more: later(self, max(0, delay), *given, **more)


if sys.platform == "emscripten":
    _punctual(type(asyncio.get_running_loop()))


def lab(choice: str, ask: Callable[[str], Lab]) -> Lab:
    """The lab for a choice; `ask` connects to an address. `LabError` as `connect` has it.

    In a page that a class serves the local Qwen is the class's.
    """
    if choice == "dashscope" or addresses.region(choice):
        raise LabError("page.no_keys")
    in_class = _at_class() and choice in ("local", "class")
    if choice in ("local", "replay") and not in_class:
        if choice == "local" and not LIVE:
            LIVE.extend(_qwen())
        return LIVE[0] if LIVE and choice == "local" else _played(_lesson())
    import js

    from . import fetch

    fetch.prepare()
    try:
        return ask(f"{js.location.origin}{BASE}" if in_class else choice)
    except LabError as error:
        if error.key == "connection.wants_key" and in_class:
            raise LabError("page.no_seat", url=f"{js.location.origin}/") from None
        raise


def lost(kind: str) -> list[str]:
    """What this browser cannot do here, in a sentence each."""
    import js
    from pyodide.ffi import can_run_sync

    told = [] if js.isSecureContext else [say("page.plain")]
    return told if kind == "page" or can_run_sync() else [*told, say("page.one_piece")]


def _at_class() -> bool:
    return os.environ.get("QWEN_LAB_ENDPOINT") == "class"


class Recording(Player):
    """A lesson's tape for someone who tries things out: each answer again and again."""

    def _find(self, ask: dict) -> dict:
        try:
            return super()._find(ask)
        except Refusal as refusal:
            raise Refusal(say("page.not_recorded"), status=404, code=refusal.code) from None


def _played(lesson: Path) -> Lab:
    return _served(Recording(paths.tape(lesson), endless=True), "page")


def _qwen() -> Iterator[Lab]:
    """The Qwen in the page, unless its weights are not kept, or no call can wait for it here."""
    import js
    from pyodide.ffi import JsException, can_run_sync, run_sync

    from . import weights

    if not can_run_sync() or not (file := run_sync(weights.kept())):
        return
    from . import qwen

    print(say("page.qwen_loads"), flush=True)
    try:
        yield _served(run_sync(qwen.found(file, _root(js.location.href))), "browser")
    except JsException as error:
        raise LabError("page.qwen_broken") from error


def _served(engine: Engine, kind: str) -> Lab:
    """The lab whose endpoint stands before this engine."""
    token = secrets.token_urlsafe(32)
    # There are no threads, and nobody else who would have to wait.
    app.run_in_threadpool = _at_once
    served = HOST.serve(app.create_app(engine, learner.alone(token), hosts=[HOST.name]))
    return Lab(served + BASE, engine.model, kind, Secret(token))


def _root(script: str) -> str:
    """The site's address, by that of the kernel's script."""
    return script.split("extensions/")[0]


async def _at_once(work: Callable, *given: object) -> object:
    return work(*given)


def _lesson() -> Path:
    """The lesson whose cell runs; `LabError` for a cell that is of none."""
    from IPython import get_ipython

    cell = get_ipython().kernel.get_parent()["metadata"].get("cellId", "")
    if not (found := CELL.match(cell)):
        raise LabError("page.no_lesson")
    return Path(found[1]) / f"{found[2]}.ipynb"
