"""Sites that give the model's file, on this machine: whole, in part, slowly, wrongly."""

import re
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import huggingface_hub
import pytest

from qwen_lab.endpoint.weights import modelscope

MODEL = b"GGUF" + bytes(range(256)) * 9


class State(SimpleNamespace):
    """How a server behaves, and what it was asked for."""

    def __init__(self):
        super().__init__(body=MODEL, cuts=[], empty=False, delay=0, status=206)
        self.bytes_at_a_time, self.paths, self.tokens, self.ranges = None, [], [], []


@contextmanager
def serving():
    """A site whose files lie in a store on another path, as the real ones' do."""
    state = State()
    web = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"state": state}))
    thread = threading.Thread(target=web.serve_forever, args=(0.01,))
    thread.start()
    state.url = f"http://127.0.0.1:{web.server_port}"
    try:
        yield state
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


@pytest.fixture
def server(monkeypatch):
    """A hub, on this machine."""
    with serving() as state:
        monkeypatch.setenv("QWEN_LAB_LANG", "en")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("HF_ENDPOINT", state.url)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        yield state
        huggingface_hub.close_session()


@pytest.fixture
def modelscope_site(monkeypatch):
    """A ModelScope, on this machine."""
    with serving() as state:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(modelscope, "SITE", state.url)
        yield state


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(self.state.delay)
        self.state.paths.append(self.path)
        self.state.tokens.append(self.headers["Authorization"])
        if self.path == "/store":
            self.give(*re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers["Range"]).groups())
        else:
            self.answer(302, ("Location", "/store"))

    def give(self, start, end):
        size = len(self.state.body)
        body = self.state.body[int(start) : int(end or size - 1) + 1]
        if self.state.empty and not end:
            body = b""
        self.state.ranges.append((int(start), len(body)))
        span = f"bytes {start}-{int(start) + len(body) - 1}/{size}"
        self.answer(self.state.status, ("Content-Range", span), ("Content-Length", str(len(body))))
        # The four bytes that are asked for first are never cut.
        cut = self.state.cuts.pop(0) if self.state.cuts and not end else None
        body = body[:cut]
        step = self.state.bytes_at_a_time if not end else None
        # Who has left is written to no more.
        with suppress(ConnectionError):
            for at in range(0, len(body), step or len(body) or 1):
                self.wfile.write(body[at : at + (step or len(body))])
                time.sleep(0.02 * bool(step))

    def answer(self, status, *headers):
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.end_headers()

    def log_message(self, *words):
        pass
