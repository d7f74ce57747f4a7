"""Calls of the SDK that reach an app without a port: at once, as a stream, and many at a time."""

import asyncio
import sys
import threading
import time
from types import SimpleNamespace

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from qwen_lab.endpoint import BASE
from qwen_lab.endpoint.app import create_app
from qwen_lab.endpoint.engine import End, Piece, Prompt
from qwen_lab.endpoint.learner import alone
from qwen_lab.page.loop import Host

ASKED = {"model": "fake-qwen", "messages": [{"role": "user", "content": "你好"}]}
KINDS = (
    (httpx2.HTTPTransport, "handle_request"),
    (
        httpx2.AsyncHTTPTransport,
        "handle_async_request",
    ),
)


@pytest.fixture
def url(engine, monkeypatch):
    """An address of an invented host; calls to others go their usual way again afterwards."""
    for kind, name in KINDS:
        monkeypatch.setattr(kind, name, getattr(kind, name))
    # In a page there are no threads.
    monkeypatch.setattr("qwen_lab.endpoint.app.run_in_threadpool", at_once)
    host = Host("qwen.lab")
    yield host.serve(create_app(engine, alone("token"), hosts=[host.name])) + BASE
    # What a client has left hears of it at the next turns, and in a test there are none.
    [(_, loop)] = host._apps.values()
    while left := asyncio.all_tasks(loop):
        for task in left:
            task.cancel()
        loop.turn()


async def at_once(work, *given):
    return work(*given)


@pytest.fixture
def client(url):
    with OpenAI(base_url=url, api_key="token", max_retries=0) as client:
        yield client


def later(seconds):
    return {"extra_headers": {"X-Lab-Latency": str(seconds)}}


def test_a_call_is_answered(client, engine):
    engine.reply("好", "的")
    assert client.chat.completions.create(**ASKED).choices[0].message.content == "好的"


def test_a_stream_comes_piece_by_piece(client, engine):
    engine.replies.append([Prompt(5), Piece("好"), 0.2, Piece("的"), End("stop", 5, 2, 0)])
    came = [
        time.monotonic()
        for chunk in client.chat.completions.create(**ASKED, stream=True)
        if chunk.choices and chunk.choices[0].delta.content
    ]
    assert len(came) == 2 and came[1] - came[0] > 0.15


def test_a_refusal_is_the_recorded_one(client):
    with pytest.raises(openai.BadRequestError, match="Temperature should be"):
        client.chat.completions.create(**ASKED, temperature=2)
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="another").chat.completions.create(**ASKED)


def test_an_answer_that_breaks_off_is_told_as_one(client, engine):
    fault = {"X-Lab-Fault": "cut;after=1"}
    stream = client.chat.completions.create(**ASKED, stream=True, extra_headers=fault)
    with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError)):
        list(stream)


def test_a_client_that_waits_no_longer_is_told_so(client):
    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(**ASKED, timeout=0.2, **later(30))


def test_a_client_that_leaves_stops_the_model(client, engine):
    engine.reply_forever()
    with client.chat.completions.create(**ASKED, stream=True) as stream:
        next(iter(stream))
    engine.reply("好")
    client.chat.completions.create(**ASKED)
    assert engine.stopped.is_set()


def test_stop_ends_what_is_waited_for_and_nothing_later(client, engine, monkeypatch):
    page = SimpleNamespace(stops=3)
    monkeypatch.setitem(sys.modules, "js", page)
    engine.replies.append([Prompt(5), Piece("好"), 60.0, Piece("的"), End("stop", 5, 2, 0)])
    pressed = threading.Timer(0.3, setattr, (page, "stops", 4))
    pressed.start()
    with pytest.raises(KeyboardInterrupt):
        list(client.chat.completions.create(**ASKED, stream=True))
    engine.reply("好", "的")
    assert client.chat.completions.create(**ASKED).choices[0].message.content == "好的"
    assert engine.stopped.is_set()
    pressed.join()


def test_many_wait_together_and_one_that_is_cancelled_frees_its_place(url, engine):
    async def ask():
        async with AsyncOpenAI(base_url=url, api_key="token") as client:
            create = client.chat.completions.create
            slow = asyncio.create_task(create(**ASKED, **later(30)))
            began = time.monotonic()
            await asyncio.gather(*[create(**ASKED, **later(0.5)) for _ in range(4)])
            slow.cancel()
            return time.monotonic() - began

    assert asyncio.run(ask()) < 1.9


def test_a_call_without_await_is_answered_while_others_wait(url, client, engine):
    async def ask():
        async with AsyncOpenAI(base_url=url, api_key="token") as waiting:
            others = [waiting.chat.completions.create(**ASKED, **later(0.1)) for _ in range(6)]
            tasks = [*map(asyncio.create_task, others)]
            await asyncio.sleep(0.01)
            found = client.chat.completions.create(**ASKED, **later(0.1))
            return [found, *await asyncio.gather(*tasks)]

    assert all(each.choices[0].message.content for each in asyncio.run(ask()))


def test_calls_to_other_hosts_go_their_usual_way(client):
    with pytest.raises(httpx2.ConnectError):
        httpx2.get("http://127.0.0.1:9/", trust_env=False)
    with pytest.raises(httpx2.ConnectError, match="nothing listens"):
        httpx2.get("http://qwen.lab:9/", trust_env=False)
