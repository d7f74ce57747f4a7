"""A stream that is recorded while it is read."""

import asyncio
import time
from types import SimpleNamespace

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from qwen_lab.views.wire import Wire
from qwen_lab.watch import stream

ASK = {"model": "fake-qwen", "messages": [{"role": "user", "content": "你好"}], "stream": True}
USAGE = {"stream_options": {"include_usage": True}}
CHUNK = (
    '{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%s"}}]}'
)


def sent(*parts, **headers):
    """A recorded stream of which exactly these bytes come, in these parts."""

    def answer(request):
        content = iter([part if isinstance(part, bytes) else part.encode() for part in parts])
        return httpx2.Response(200, content=content, headers=headers)

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = OpenAI(base_url="http://127.0.0.1/v1", api_key="x", http_client=http, max_retries=0)
    return Wire(client.chat.completions.create(**ASK))


def test_the_chunks_are_the_sdks_and_every_line_is_kept(client, engine):
    engine.reply("你", "好")
    engine.reply("你", "好")
    plain = list(client.chat.completions.create(**ASK, **USAGE))
    wire = Wire(client.chat.completions.create(**ASK, **USAGE))
    chunks = list(wire)
    assert [c.choices for c in chunks] == [c.choices for c in plain] and wire.chunks == chunks
    assert (wire.text, wire.state, wire.error) == ("你好", "done", None)
    assert [event.chunk for event in wire.events] == [*chunks, None]
    assert wire.events[-1].raw == "data: [DONE]"
    assert wire.events[1].raw.startswith('data: {"choices":') and "你" in wire.events[1].raw


def test_an_asynchronous_stream_is_recorded_alike(lab, engine):
    engine.reply("你", "好")

    async def read():
        async with AsyncOpenAI(base_url=lab.base_url, api_key=lab.api_key) as client:
            wire = Wire(await client.chat.completions.create(**ASK))
            async with wire:
                texts = [chunk.choices[0].delta.content async for chunk in wire]
            return wire, texts

    wire, texts = asyncio.run(read())
    assert texts == ["", "你", "好", ""] and (wire.text, wire.state) == ("你好", "done")
    assert len(wire.events) == 5


def test_seconds_count_from_the_request_and_rise(lab, engine):
    engine.reply("你", "好")
    client = OpenAI(base_url=lab.base_url, api_key=lab.api_key)
    headers = {"X-Lab-Latency": "0.3"}
    wire = Wire(client.chat.completions.create(**ASK, extra_headers=headers))
    list(wire)
    moments = [event.seconds for event in wire.events]
    assert moments == sorted(moments) and 0.3 <= moments[0] < 5


def test_no_event_came_before_its_request_though_the_end_was_noticed_late(monkeypatch):
    wire = sent(f"data: {CHUNK % '你'}\n\n", "data: [DONE]\n\n")
    for _ in wire:
        late = SimpleNamespace(perf_counter=lambda: time.perf_counter() + 10)
        monkeypatch.setattr(stream, "time", late)
    assert wire.state == "done" and min(event.seconds for event in wire.events) >= 0


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_events_come_out_whole_however_they_were_cut(end, size):
    lines = [": waiting", f"data: {CHUNK % '你'}", f"data: {CHUNK % '好'}", "data: [DONE]"]
    content = "".join(line + end for line in lines).encode()
    wire = sent(*(content[at : at + size] for at in range(0, len(content), size)))
    assert len(list(wire)) == 2 and [event.raw for event in wire.events] == lines
    assert [event.text for event in wire.events] == ["", "你", "好", ""]


def test_lines_that_came_compressed_are_shown_as_they_were_written():
    import gzip

    content = gzip.compress(f"data: {CHUNK % '你'}\n\ndata: [DONE]\n\n".encode())
    wire = sent(content, **{"content-encoding": "gzip"})
    list(wire)
    assert [event.raw for event in wire.events] == [f"data: {CHUNK % '你'}", "data: [DONE]"]


def test_a_malformed_chunk_passes_through_and_is_kept():
    wire = sent(f"data: {CHUNK % '你'}\n\n", 'data: {"id":\n\n')
    with pytest.raises(ValueError):
        list(wire)
    assert wire.state == "failed" and isinstance(wire.error, ValueError)
    assert wire.events[-1].raw == 'data: {"id":' and wire.text == "你"


def test_an_error_in_mid_stream_passes_through_and_is_kept(client, engine):
    engine.reply("好")
    engine.replies[0].insert(2, RuntimeError("secret"))
    wire = Wire(client.chat.completions.create(**ASK))
    with pytest.raises(openai.APIError):
        list(wire)
    assert wire.state == "failed" and '"code":"internal_error"' in wire.events[-1].raw.replace(
        " ", ""
    )


def test_a_line_cut_in_two_is_kept_as_far_as_it_came(lab, engine):
    engine.reply("一", "二", "三", "四")
    client = OpenAI(base_url=lab.base_url, api_key=lab.api_key, max_retries=0)
    headers = {"X-Lab-Fault": "cut;after=3"}
    wire = Wire(client.chat.completions.create(**ASK, extra_headers=headers))
    with pytest.raises(openai.APIConnectionError):
        list(wire)
    assert wire.text == "一二" and wire.state == "failed"
    assert wire.events[-1].chunk is None and wire.events[-1].raw.startswith("data: {")


def test_a_stream_that_was_left_says_so_and_frees_the_engine(lab, engine):
    engine.reply_forever()
    client = OpenAI(base_url=lab.base_url, api_key=lab.api_key)
    with Wire(client.chat.completions.create(**ASK)) as wire:
        next(wire)
    assert wire.state == "left" and engine.stopped.wait(5)


def test_it_can_be_looked_at_before_and_after(client, engine):
    engine.reply("你", "好")
    wire = Wire(client.chat.completions.create(**ASK))
    assert wire.state == "unread" and repr(wire).startswith("Nothing has been read yet")
    list(wire)
    assert repr(wire).startswith("5 events, 2 with text: 你好")
    assert "data: [DONE]" in wire._repr_html_()


def test_two_answers_are_kept_apart(client, engine):
    engine.reply("你", "好")
    engine.reply("早", "上", "好")
    wire = Wire(client.chat.completions.create(**ASK, n=2))
    list(wire)
    assert wire.texts == ["你好", "早上好"] and wire.text == "你好"
    assert repr(wire).startswith("10 events, 5 with text: 你好 | 早上好")


def test_before_the_first_piece_the_text_is_empty(client, engine):
    engine.reply("你")
    wire = Wire(client.chat.completions.create(**ASK))
    assert (wire.text, wire.texts) == ("", [""])


def test_an_asynchronous_stream_is_closed_by_awaiting(lab, engine):
    engine.reply_forever()

    async def leave():
        async with AsyncOpenAI(base_url=lab.base_url, api_key=lab.api_key) as client:
            stream = await client.chat.completions.create(**ASK)
            wire = Wire(stream)
            await anext(wire)
            await wire.close()
            return wire.state, stream.response.is_closed, engine.stopped.wait(5)

    assert asyncio.run(leave()) == ("left", True, True)


def test_what_is_no_stream_is_told_what_to_add(client, engine):
    engine.reply("你")
    completion = client.chat.completions.create(**ASK | {"stream": False})
    with pytest.raises(TypeError, match="ChatCompletion, which isn't a stream. Add stream=True"):
        Wire(completion)


def test_a_call_that_was_not_awaited_is_told_so():
    async def create(): ...

    waiting = create()
    with pytest.raises(TypeError, match="not awaited"):
        Wire(waiting)
    waiting.close()
