"""A request as it comes in, and its client, who may leave."""

import asyncio
import json
import socket
import time
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request

from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.endpoint.request import parse, while_connected
from tests.conftest import TOKEN


def run(scenario):
    return asyncio.run(asyncio.wait_for(scenario, 5))


@pytest.fixture
def gone():
    return asyncio.Event()


@pytest.fixture
def waiting_request(gone):
    """A request whose client leaves when `gone` is set."""

    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http"}, receive)


class Work:
    """Waits until it is cancelled; then it takes a moment to end."""

    def __init__(self):
        self.began, self.ended = asyncio.Event(), False

    async def __call__(self):
        self.began.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            self.ended = True


def test_the_result_comes_while_the_client_waits(waiting_request):
    async def work():
        return 5

    assert run(while_connected(waiting_request, work())) == 5


def test_an_error_of_the_work_comes_as_it_is(waiting_request):
    async def work():
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        run(while_connected(waiting_request, work()))


def test_a_client_that_leaves_cancels_the_work_and_it_has_ended_then(waiting_request, gone):
    async def scenario():
        work = Work()
        waiting = asyncio.create_task(while_connected(waiting_request, work()))
        await work.began.wait()
        gone.set()
        with pytest.raises(Refusal) as caught:
            await waiting
        assert caught.value.status == 499 and work.ended

    run(scenario())


def test_a_server_that_ends_cancels_the_work_and_it_has_ended_then(waiting_request):
    async def scenario():
        work = Work()
        waiting = asyncio.create_task(while_connected(waiting_request, work()))
        await work.began.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert work.ended

    run(scenario())


def test_nothing_is_left_running(waiting_request):
    async def scenario():
        before = asyncio.all_tasks()
        await while_connected(waiting_request, asyncio.sleep(0))
        assert asyncio.all_tasks() == before

    run(scenario())


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999", "1E999", r'"\ud800"', r'"\uDBFF"'])
def test_what_no_json_can_say_again_is_refused(text):
    for content in (text, f"[1, {text}]", f'{{"a": "b", "c": {text}}}'):
        with pytest.raises(Refusal):
            parse(content.encode())


def test_half_a_character_in_bytes_is_refused():
    with pytest.raises(Refusal):
        parse(b'"\xed\xa0\x80"')


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63) + 1, 5, 0.5, 2e3, "한글", "😀", "\n"])
def test_what_is_json_is_read_as_it_is(value):
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value
    assert parse(json.dumps(value).encode()) == value


def test_a_number_too_long_for_the_engine_is_read_as_a_float():
    assert isinstance(parse(b"9223372036854775808"), float)
    assert isinstance(parse(b"-99999999999999999999"), float)


@pytest.mark.parametrize("sent", [0, 20, None])
@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_hangs_up_is_at_most_one_line_of_the_log(
    served, engine, caplog, sent, stream
):
    engine.reply_forever()
    hello = [{"role": "user", "content": "Hello"}]
    asked = json.dumps({"model": "qwen-plus", "messages": hello, "stream": stream}).encode()
    url = urlsplit(served)
    head = f"POST {url.path}/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Authorization: Bearer {TOKEN}\r\nContent-Length: {len(asked)}\r\n\r\n"
    with socket.create_connection((url.hostname, url.port)) as client:
        client.sendall(head.encode() + asked[:sent])
        if sent is None:
            while not engine.calls:
                time.sleep(0.01)
    if sent is None:
        assert engine.stopped.wait(10)
    for _ in range(500 if sent is not None else 10):
        if caplog.records:
            break
        time.sleep(0.01)
    assert len(caplog.records) == (sent is not None)
    assert all("client left" in each.message and not each.exc_info for each in caplog.records)
