"""The servers that are measured, and a call to them. Not a benchmark itself.

Each has a home of its own: the one that the lessons use goes on undisturbed.
"""

import os
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx2

from qwen_lab.endpoint import server, server_file
from qwen_lab.endpoint.weights import weights

HTTP = httpx2.Client(timeout=300, trust_env=False, limits=httpx2.Limits(max_connections=None))


@contextmanager
def own(*, record: Path | None = None) -> Iterator[server_file.State]:
    """A server in a process of its own, as the lessons have it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ["QWEN_LAB_HOME"] = home
        try:
            yield server.start(record=record)
        finally:
            server.stop()


@contextmanager
def here(*, room: bool = False) -> Iterator[SimpleNamespace]:
    """A server in a thread of this process, for what only the inside shows: `engine`, `slots`.

    With `room` a call takes the way that it takes in a class.
    """
    import uvicorn

    from qwen_lab.endpoint.app import create_app
    from qwen_lab.endpoint.learner import alone
    from qwen_lab.endpoint.llama import LlamaEngine

    path = weights.fetch()
    engine = Overheard(LlamaEngine(path, weights.model_id(path)))
    app = create_app(engine, alone("benchmark"), **(_room(engine) if room else {}))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}{server_file.BASE}"
    try:
        yield SimpleNamespace(
            base_url=url,
            port=port,
            token="benchmark",
            model=engine.model,
            engine=engine,
            slots=app.state.turns.slots,
        )
    finally:
        server.should_exit = True
        thread.join()


def _room(engine: object) -> dict:
    from qwen_lab.classroom.allowance import Allowance, Limits
    from qwen_lab.classroom.ledger import Ledger
    from qwen_lab.classroom.shares import Shares
    from qwen_lab.endpoint.turns import Turns

    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.jsonl")
    allowance = Allowance(ledger, Limits(tokens=1_000_000_000))
    return {"turns": Shares(Turns(engine, apart=True)), "allowance": allowance}


class Overheard:
    """The engine; it keeps the last call, so that one can be made again without HTTP."""

    def __init__(self, engine: object) -> None:
        self.engine, self.call = engine, None

    def __getattr__(self, name: str) -> object:
        return getattr(self.engine, name)

    def generate(self, request: object, seed: int, alone: bool) -> AsyncGenerator:
        self.call = request, seed, alone
        return self.engine.generate(request, seed, alone)


def request(server: object, prompt: str, **fields: object) -> dict:
    """What asks the server one question, in the words of `HTTP.post` and `HTTP.stream`."""
    messages = [{"role": "user", "content": prompt}]
    return {
        "url": f"{server.base_url}/chat/completions",
        "headers": {"Authorization": f"Bearer {server.token}"},
        "json": {"model": server.model, "messages": messages, **fields},
    }


def ask(server: object, prompt: str, **fields: object) -> dict:
    """The server's answer to one question."""
    return HTTP.post(**request(server, prompt, **fields)).raise_for_status().json()
