"""The real app over a fake engine, reached through the real SDK without a port."""

import threading
import time
from collections import deque

import pytest
import uvicorn
from openai import OpenAI
from starlette.testclient import TestClient

from qwen_lab.endpoint.app import create_app
from qwen_lab.endpoint.engine import End, Piece, Prompt
from qwen_lab.endpoint.state import BASE
from qwen_lab.next_token import listed

TOKEN = "test-token"


class FakeEngine:
    """A queue of replies in, a list of calls out. A reply is a list of events or an exception."""

    model, slots, thinks = "fake-qwen", 4, False

    def __init__(self):
        self.replies, self.calls, self.stopped = deque(), [], threading.Event()

    def reply(self, *texts, reason="stop", prompt=5, cached=0):
        pieces = [Piece(text) for text in texts]
        self.replies.append([Prompt(prompt), *pieces, End(reason, prompt, len(texts), cached)])

    def generate(self, call, seed, alone, emit):
        self.calls.append((call, seed, alone))
        reply = self.replies.popleft()
        for event in reply:
            if isinstance(event, Exception):
                raise event
            if emit(event):
                self.stopped.set()
                return

    def next_token(self, messages, prefix, most):
        self.calls.append((messages, prefix, most))
        candidates = [(number, b"t%d" % number, -0.5 * number) for number in range(1, 3001)]
        return listed(candidates[:most])


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def http(engine):
    headers = {"authorization": f"Bearer {TOKEN}"}
    app = create_app(engine, TOKEN)
    with TestClient(app, base_url="http://127.0.0.1", headers=headers) as client:
        yield client


@pytest.fixture
def client(http):
    return OpenAI(
        base_url=f"http://127.0.0.1{BASE}", api_key=TOKEN, http_client=http, max_retries=0
    )


@pytest.fixture
def served(engine):
    """The app on a real port, for what only a real connection shows; gives the base URL."""
    config = uvicorn.Config(create_app(engine, TOKEN), port=0, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}{BASE}"
    server.should_exit = True
    thread.join()
