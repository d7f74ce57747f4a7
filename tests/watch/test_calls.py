"""Many calls, recorded: over the real SDK and the real app."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from qwen_lab.views.timeline import timeline
from qwen_lab.watch.calls import Calls


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


def test_a_cancelled_call_and_a_stream_that_was_left_are_told(lab, engine):
    calls = Calls()
    engine.reply_forever()
    engine.reply_forever()

    async def leave():
        async with calls.watch(client_of(lab, AsyncOpenAI)) as client:
            stream = await client.chat.completions.create(**ask("流"), stream=True)
            async with stream:
                await anext(stream)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.chat.completions.create(**ask("停")), 0.3)

    asyncio.run(leave())
    stream, stopped = (call.attempts[0] for call in calls.calls)
    assert (stream.status, stream.error) == (200, "left") and stopped.error == "CancelledError"
    assert stopped.ended and stream.ended


def test_the_timeline_shows_real_calls(lab, engine):
    engine.reply("好")
    calls = Calls()
    with calls.watch(client_of(lab)) as client:
        client.chat.completions.create(**ask("你好"))
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(**ask("不在") | {"model": "gpt-9"})
    assert repr(timeline(calls)).split("\n") == [
        "calls: 2, answered: 1, tries repeated: 0",
        "你好: 200",
        "不在: 404",
    ]
