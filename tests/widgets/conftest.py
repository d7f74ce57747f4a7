"""The real app over a fake engine on a real port, so that a client that leaves is really gone."""

import threading
import time
from collections import deque
from contextlib import contextmanager

import pytest
import uvicorn

from qwen_lab.connection import Lab
from qwen_lab.endpoint.app import BASE, create_app
from qwen_lab.endpoint.engine import End, Piece, Prompt

TOKEN = "test-token"


class FakeEngine:
    """A queue of replies in, a list of calls out. A reply is any iterable of events, or errors."""

    model, slots = "fake-qwen", 4

    def __init__(self):
        self.replies, self.calls, self.stopped = deque(), [], threading.Event()

    def reply(self, *texts, reason="stop"):
        pieces = [Piece(text) for text in texts]
        self.replies.append([Prompt(5), *pieces, End(reason, 5, len(texts), 0)])

    def reply_forever(self):
        """Write until the client leaves; a test that fails ends it after ten seconds."""

        def pieces():
            yield Prompt(5)
            for _ in range(1000):
                time.sleep(0.01)
                yield Piece("好")

        self.replies.append(pieces())

    def generate(self, call, seed, alone, emit):
        self.calls.append((call, seed))
        for event in self.replies.popleft():
            if isinstance(event, Exception):
                raise event
            if emit(event):
                self.stopped.set()
                return


@contextmanager
def serving(engine):
    config = uvicorn.Config(create_app(engine, TOKEN), port=0, log_level="critical", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def lab(engine):
    with serving(engine) as port:
        yield Lab(f"http://127.0.0.1:{port}{BASE}", engine.model, "local", TOKEN)
