"""What tests share: a clean environment, the real app over a fake engine, a home for a server."""

import asyncio
import os
import threading
import time
from collections import deque
from contextlib import contextmanager

import pytest
import uvicorn
from openai import OpenAI
from starlette.testclient import TestClient

from qwen_lab.endpoint import server
from qwen_lab.endpoint.app import create_app
from qwen_lab.endpoint.engine import End, Piece, Prompt
from qwen_lab.endpoint.learner import alone
from qwen_lab.endpoint.server_file import BASE
from qwen_lab.lab import Lab
from qwen_lab.watch.next_token import listed

TOKEN = "test-token"


def pytest_addoption(parser):
    parser.addoption("--live", action="store_true", help="run the lessons with the real model")
    parser.addoption("--whole-page", action="store_true", help="run every lesson in the page")
    parser.addoption("--thorough", action="store_true", help="fuzz with every example")
    parser.addoption("--pictures", metavar="FOLDER", help="keep the browser tests' screenshots")


def pytest_configure(config):
    """How many examples there are is settled before a test that has them is imported."""
    if config.getoption("--thorough"):
        from . import strange

        strange.SHARE = 1


@pytest.fixture(scope="session", autouse=True)
def no_settings():
    """No key, endpoint or language of the person who runs the tests reaches them."""
    with pytest.MonkeyPatch.context() as shell:
        for name in list(os.environ):
            if name.startswith(("OPENAI_", "DASHSCOPE_", "QWEN_")):
                shell.delenv(name)
        yield


@pytest.fixture(autouse=True)
def clean_env(monkeypatch, tmp_path):
    """Each test has a home of its own, and English unless it chooses otherwise."""
    monkeypatch.setenv("QWEN_LAB_LANG", "en")
    monkeypatch.setenv("QWEN_LAB_HOME", str(tmp_path / "home"))


class FakeEngine:
    """A queue of replies in, a list of calls out. With no reply left it writes 200 tokens at most.

    A reply is a list of events, of errors to raise, and of seconds to wait. `stopped` is set when
    nobody reads a reply to its end.
    """

    model, slots, thinks, stuck, at_once = "fake-qwen", 4, False, False, False

    def __init__(self):
        self.replies, self.calls, self.stopped = deque(), [], threading.Event()

    def reply(self, *texts, reason="stop", prompt=5, cached=0):
        pieces = [Piece(text) for text in texts]
        self.replies.append([Prompt(prompt), *pieces, End(reason, prompt, len(texts), cached)])

    def reply_forever(self):
        """Write until the client leaves; a test that fails ends it after ten seconds."""
        self.replies.append([Prompt(5), *[0.01, Piece("好")] * 1000])

    async def generate(self, request, seed, alone):
        self.calls.append((request, seed, alone))
        if not self.replies:
            count = min(200, request.sampling["max_tokens"])
            self.reply(*["word 字 "] * count, reason="stop" if count == 200 else "length")
        try:
            for event in self.replies.popleft():
                if isinstance(event, Exception):
                    raise event
                if isinstance(event, float):
                    await asyncio.sleep(event)
                else:
                    yield event
        except (GeneratorExit, asyncio.CancelledError):
            self.stopped.set()
            raise

    async def next_token(self, messages, prefix, most):
        self.calls.append((messages, prefix, most))
        candidates = [(number, b"t%d" % number, -0.5 * number) for number in range(1, 3001)]
        return listed(candidates[:most])


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def app(engine):
    return create_app(engine, alone(TOKEN))


@pytest.fixture
def http(app):
    """The app without a port, over plain HTTP."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    with TestClient(app, base_url="http://127.0.0.1", headers=headers) as client:
        yield client


@pytest.fixture
def client(http):
    """The app without a port, through the real SDK."""
    return OpenAI(
        base_url=f"http://127.0.0.1{BASE}", api_key=TOKEN, http_client=http, max_retries=0
    )


@contextmanager
def serving(app):
    """The app on a port of this machine, which it gives."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="critical", ws="none", lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while thread.is_alive() and not server.started:
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def real_port():
    """A port that is served as long as the tests run: gives it, and a place for a test's app."""
    here = {}

    async def current(scope, receive, send):
        await here["app"](scope, receive, send)

    with serving(current) as number:
        yield number, here


@pytest.fixture
def served(real_port, app):
    """The app on a real port, for what only a real connection shows; gives the base URL."""
    number, here = real_port
    here["app"] = app
    return f"http://127.0.0.1:{number}{BASE}"


@pytest.fixture
def lab(served, engine):
    """The lab of a learner who is connected to that app."""
    return Lab(served, engine.model, "local", TOKEN)


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A home with a real server of its own, which ends with the tests."""
    place = tmp_path_factory.mktemp("home")
    yield place
    os.environ["QWEN_LAB_HOME"] = str(place)
    server.stop()
    del os.environ["QWEN_LAB_HOME"]
