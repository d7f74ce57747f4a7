"""Many calls, recorded: over the real SDK and the real app."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from copy import deepcopy as copy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from qwen_lab.views.timeline import timeline
from qwen_lab.watch.calls import Attempt, Calls, _Stream


def ask(text, **options):
    return {"model": "fake-qwen", "messages": [{"role": "user", "content": text}], **options}


def client_of(lab, kind=OpenAI, **options):
    return kind(base_url=lab.base_url, api_key=lab.api_key, **options)


def test_a_call_is_recorded_from_its_request_to_its_end(lab, engine):
    engine.reply("好")
    calls = Calls()
    headers = {"X-Lab-Latency": "0.2"}
    with calls.watch(client_of(lab)) as client:
        answer = client.chat.completions.create(**ask("你好"), extra_headers=headers)
    assert answer.choices[0].message.content == "好"
    [call] = calls.calls
    [attempt] = call.attempts
    assert (call.label, call.queued, attempt.status, attempt.ok) == ("你好", None, 200, True)
    assert attempt.sent + 0.2 <= attempt.answered <= attempt.ended


def test_the_tries_of_one_call_stand_together(lab, engine):
    engine.reply("好")
    calls = Calls()
    headers = {"X-Lab-Fault": "500;times=2"}
    with calls.watch(client_of(lab)) as client:
        client.chat.completions.create(**ask("你好"), extra_headers=headers)
    [call] = calls.calls
    assert [attempt.status for attempt in call.attempts] == [500, 500, 200]
    assert [attempt.ok for attempt in call.attempts] == [False, False, True]


def test_the_same_question_twice_is_two_calls(lab, engine):
    engine.reply("好")
    engine.reply("好")
    calls = Calls()
    with calls.watch(client_of(lab)) as client:
        for _ in range(2):
            client.chat.completions.create(**ask("你好"))
    assert [len(call.attempts) for call in calls.calls] == [1, 1]


def test_after_clear_only_new_calls_are_recorded(lab, engine):
    calls = Calls()
    with calls.watch(client_of(lab)) as client:
        for question in ("旧", "新"):
            engine.reply("好")
            calls.clear()
            client.chat.completions.create(**ask(question))
    assert [(call.label, len(call.attempts)) for call in calls.calls] == [("新", 1)]


def test_a_try_that_follows_clear_is_a_call_of_its_own(lab, engine):
    engine.reply("好")
    calls = Calls()
    faulty = {"X-Lab-Fault": "500;times=1"}
    with calls.watch(client_of(lab, max_retries=0)) as client:
        with pytest.raises(openai.InternalServerError):
            client.chat.completions.create(**ask("你好"), extra_headers=faulty)
        calls.clear()
        retry = faulty | {"x-stainless-retry-count": "1"}
        client.chat.completions.create(**ask("你好"), extra_headers=retry)
    assert [[attempt.status for attempt in call.attempts] for call in calls.calls] == [[200]]


def test_calls_side_by_side_overlap_and_a_semaphores_queue_is_told(lab, engine):
    calls, limit = Calls(), asyncio.Semaphore(2)
    for _ in range(4):
        engine.reply("好")

    async def one(client, number):
        async with calls.queued(limit):
            headers = {"X-Lab-Latency": "0.2"}
            await client.chat.completions.create(**ask(f"问 {number}"), extra_headers=headers)

    async def gather():
        async with calls.watch(client_of(lab, AsyncOpenAI)) as client:
            await asyncio.gather(*(one(client, number) for number in range(4)))

    asyncio.run(gather())
    waits = sorted(call.attempts[0].sent - call.queued for call in calls.calls)
    assert waits[0] >= 0 and waits[2] >= 0.2
    first, second = calls.calls[0].attempts[0], calls.calls[1].attempts[0]
    assert second.sent < first.ended


def test_threads_have_calls_of_their_own(lab, engine):
    calls = Calls()
    for _ in range(4):
        engine.reply("好")

    def one(client, fault):
        client.chat.completions.create(**ask("同样"), extra_headers={"X-Lab-Fault": fault})

    with calls.watch(client_of(lab)) as client, ThreadPoolExecutor(4) as pool:
        # The same question, but weather that is counted by itself: each fails once.
        faults = ["500;times=1", "500; times=1", "500 ;times=1", "500 ; times=1"]
        list(pool.map(lambda fault: one(client, fault), faults))
    tries = [[attempt.status for attempt in call.attempts] for call in calls.calls]
    assert tries == [[500, 200]] * 4


def test_what_failed_on_the_way_is_named(lab, engine):
    calls = Calls()
    gone = OpenAI(base_url="http://127.0.0.1:9/v1", api_key="x", max_retries=0)
    with calls.watch(gone) as client, pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(**ask("你好"))
    late = client_of(lab, timeout=0.3, max_retries=0)
    with calls.watch(late) as client, pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(**ask("晚"), extra_headers={"X-Lab-Fault": "timeout"})
    errors = [call.attempts[0].error for call in calls.calls]
    assert errors == ["ConnectError", "ReadTimeout"] and not calls.calls[0].attempts[0].ok


class Gone(Exception):
    """What goes wrong in the caller's own code."""


def read(stream, *, first=False, close=True, trouble=False):
    """Read a stream: to its end or its `first` chunk, and `close` it or not."""
    with stream if close else nullcontext():
        for _ in stream:
            if trouble:
                raise Gone
            if first:
                break


async def aread(stream, *, first=False, close=True, trouble=False):
    async with stream if close else nullcontext():
        async for _ in stream:
            if trouble:
                raise Gone
            if first:
                break


def streamed(lab, kind, *, fault="", **how):
    """Stream an answer with a client of this kind, read it so, and give the call's record."""
    calls = Calls()
    request = ask("流", stream=True, extra_headers={"X-Lab-Fault": fault})

    def sync():
        with calls.watch(client_of(lab)) as client:
            stream = client.chat.completions.create(**request)
            with suppress(Gone, ValueError, openai.APIError):
                read(stream, **how)
            return copy(calls.calls[0].attempts)

    async def asynchronous():
        async with calls.watch(client_of(lab, AsyncOpenAI)) as client:
            stream = await client.chat.completions.create(**request)
            with suppress(Gone, ValueError, openai.APIError):
                await aread(stream, **how)
            return copy(calls.calls[0].attempts)

    attempts = sync() if kind is OpenAI else asyncio.run(asynchronous())
    return [(each.status, each.error, each.ended is not None) for each in attempts]


@pytest.mark.parametrize("kind", [OpenAI, AsyncOpenAI])
@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"close": False}, ""),
        ({}, ""),
        ({"first": True}, "left"),
        ({"trouble": True}, "left"),
        ({"fault": "content;after=1"}, "APIError"),
        ({"fault": "malformed;after=1"}, "left"),
        ({"fault": "cut;after=1"}, "RemoteProtocolError"),
    ],
    ids=["list", "with", "break", "exception", "error", "malformed", "cut"],
)
def test_the_end_of_a_stream_is_told_as_it_was(lab, engine, kind, how, error):
    engine.reply(*"很短的回答")
    assert streamed(lab, kind, **how) == [(200, error, True)]


@pytest.mark.parametrize("kind", [OpenAI, AsyncOpenAI])
def test_a_stream_that_nobody_closed_is_still_open(lab, engine, kind):
    engine.reply(*"很短的回答")
    [attempt] = streamed(lab, kind, first=True, close=False)
    assert attempt == (200, "", False)


@pytest.mark.parametrize("kind", [OpenAI, AsyncOpenAI])
def test_a_refusal_that_is_tried_again_was_not_left(lab, engine, kind):
    engine.reply("好")
    tries = streamed(lab, kind, fault="429;times=1")
    assert tries == [(429, "", True), (200, "", True)]


def test_a_text_that_says_done_does_not_end_a_stream(lab, engine):
    engine.reply("data: [DONE]\n", "\ndata: [DONE]", *"还没完")
    assert streamed(lab, OpenAI, first=True) == [(200, "left", True)]


def test_a_last_line_in_two_parts_is_an_end():
    attempt = Attempt(0, 1, None, 200)
    parts = [b"data: {}\n\ndata: [DO", b"NE]\n\n"]
    reading = iter(_Stream(parts, attempt))
    assert [next(reading) for _ in range(3)] == [b"data: {}\n", b"\n", b"data: [DO"]
    assert attempt.ended is None
    assert next(reading) and attempt.ended and not attempt.error


def test_what_was_asked_is_kept(lab, engine):
    engine.reply("好")
    calls = Calls()
    with calls.watch(client_of(lab)) as client:
        client.chat.completions.create(**ask("你好", top_p=0.5))
        client.models.list()
    assert [call.asked.get("top_p") for call in calls.calls] == [0.5, None]
    assert [call.label for call in calls.calls] == ["你好", "/compatible-mode/v1/models"]


def test_a_cancelled_call_was_left(lab, engine):
    calls = Calls()
    engine.reply_forever()

    async def leave():
        async with calls.watch(client_of(lab, AsyncOpenAI)) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.chat.completions.create(**ask("停")), 0.3)

    asyncio.run(leave())
    [attempt] = calls.calls[0].attempts
    assert attempt.error == "CancelledError" and attempt.ended and attempt.left


def test_the_timeline_shows_real_calls(lab, engine):
    engine.reply("好")
    calls = Calls()
    with calls.watch(client_of(lab)) as client:
        client.chat.completions.create(**ask("你好"))
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(**ask("不在") | {"model": "gpt-9"})
    assert repr(timeline(calls)).split("\n") == [
        "calls: 2, answered: 1, retries: 0",
        "你好: 200",
        "不在: 404",
    ]


@pytest.fixture
def proxy(lab, monkeypatch):
    """A proxy that the environment names; it notes what it is asked for."""
    asked = []

    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            body = b'{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[]}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as here:
        thread = Thread(target=here.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{here.server_port}")
        yield asked
        here.shutdown()
        thread.join()


def test_a_watched_client_keeps_its_proxy(proxy):
    calls, away = Calls(), {"base_url": "http://cloud.example/v1", "api_key": "k"}
    with calls.watch(OpenAI(**away)) as client:
        client.chat.completions.create(**ask("sync"))

    async def ask_async():
        async with calls.watch(AsyncOpenAI(**away)) as client:
            await client.chat.completions.create(**ask("async"))

    asyncio.run(ask_async())
    assert proxy == ["http://cloud.example/v1/chat/completions"] * 2
    assert [(call.label, call.attempts[0].ok) for call in calls.calls] == [
        ("sync", True),
        ("async", True),
    ]


def test_a_watched_client_keeps_what_its_own_http_client_does():
    seen = []

    def answer(request):
        seen.append(request.headers["X-Mine"])
        return httpx2.Response(200, json={"choices": []})

    own = {"transport": httpx2.MockTransport(answer), "headers": {"X-Mine": "kept"}}
    calls = Calls()
    with httpx2.Client(**own, timeout=7) as http:
        first = OpenAI(base_url="http://cloud.example/v1", api_key="k", http_client=http)
        client = calls.watch(first)
        client.chat.completions.create(**ask("你好"))
        # The first one is as it was: it works, and is not watched.
        first.chat.completions.create(**ask("你好"))
        assert client._client.timeout == httpx2.Timeout(7)
    assert seen == ["kept", "kept"] and len(calls.calls) == 1


def test_watching_goes_on_when_the_first_client_is_forgotten_and_ends_without_harm(lab, engine):
    engine.reply_forever()
    calls, first = Calls(), client_of(lab)
    with calls.watch(client_of(lab)).chat.completions.create(**ask("流"), stream=True) as stream:
        gc.collect()
        assert next(iter(stream)) and next(iter(stream))
    engine.replies.clear()
    engine.reply("好")
    watched = calls.watch(first)
    del watched
    gc.collect()
    with first:
        assert first.chat.completions.create(**ask("你好")).choices[0].message.content == "好"
