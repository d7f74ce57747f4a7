"""A server's sockets: which port, how soon an answer leaves, and who is let go."""

import asyncio
import socket
import threading
import time
from contextlib import suppress

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from qwen_lab.endpoint import listener
from qwen_lab.words import LabError

ASK = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.mark.parametrize("port", [70000, -1, 2**70])
def test_a_port_that_there_cannot_be_is_an_error(tmp_path, port):
    with pytest.raises(LabError, match=str(port)):
        listener.listen(tmp_path, port)


def test_small_answers_are_sent_at_once(tmp_path):
    # asyncio switches Nagle's algorithm off only where the socket names its protocol.
    with listener.listen(tmp_path, None) as bound:
        assert bound.proto == socket.IPPROTO_TCP


async def hello(request):
    return PlainTextResponse("hello")


async def slow(request):
    """An answer that takes several times as long as a request may."""

    async def words():
        for _ in range(8):
            yield "word "
            await asyncio.sleep(0.2)

    return StreamingResponse(words())


async def much(request):
    """More than lies in any socket."""
    return StreamingResponse(b"x" * 100_000 for _ in range(300))


@pytest.fixture
def port(tmp_path, monkeypatch):
    """A server that is as impatient as a test."""
    monkeypatch.setattr(listener, "PATIENCE", 0.5)
    routes = [Route("/", hello), Route("/slow", slow), Route("/much", much)]
    server = listener._server(Starlette(routes=routes), None)
    bound = listener.listen(tmp_path, None)
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    yield bound.getsockname()[1]
    server.should_exit = True
    thread.join()


def connection(port, sent=b""):
    held = socket.create_connection(("127.0.0.1", port), timeout=60)
    held.sendall(sent)
    return held


def until_the_end(held):
    """How many bytes come before the server ends it, or breaks it off."""
    count = 0
    with suppress(ConnectionError):
        while part := held.recv(1 << 16):
            count += len(part)
    return count


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        ASK,
        # An answered one, then half of the next.
        ASK + b"\r\n" + ASK,
    ],
)
def test_who_asks_nothing_more_is_let_go(port, sent):
    with connection(port, sent) as held:
        assert until_the_end(held) < 1_000


def test_who_sends_a_request_letter_by_letter_is_let_go(port):
    with connection(port, ASK) as held, pytest.raises(OSError):
        for letter in range(100):
            held.sendall(b"x" if letter % 10 else b"\r\nx: ")
            time.sleep(0.1)


def test_who_asks_for_much_and_reads_nothing_is_let_go(port):
    with connection(port, ASK.replace(b"/ ", b"/much ") + b"\r\n") as held:
        time.sleep(4)
        assert until_the_end(held) < 30_000_000


def test_who_waits_for_an_answer_has_it_however_long_it_takes(port):
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        assert http.get("/slow").text == "word " * 8
        assert http.get("/").text == "hello"
