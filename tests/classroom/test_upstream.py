"""Another server's model behind the lab's rules, over real HTTP: its answers, and its failures."""

import asyncio
import json
import socket
from contextlib import contextmanager

import httpx2
import openai
import pytest
from openai import OpenAI
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from qwen_lab.classroom import upstream
from qwen_lab.classroom.upstream import Upstream
from qwen_lab.endpoint.app import BASE, create_app
from qwen_lab.endpoint.engine import End, Piece, Prompt
from qwen_lab.endpoint.learner import alone
from qwen_lab.endpoint.llama import LlamaEngine
from qwen_lab.endpoint.refusal import sse
from qwen_lab.endpoint.weights import weights
from qwen_lab.watch import next_token
from tests.conftest import TOKEN, serving

HELLO = [{"role": "user", "content": "你好"}]
SAID = {"token": "你", "logprob": -0.5, "bytes": [228, 189, 160]}
ROW = {**SAID, "top_logprobs": [SAID, {**SAID, "token": "您", "logprob": -1.5}]}
PRICE = {"type": "object", "properties": {"size": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "get_price", "parameters": PRICE}}
CHUNK = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


@contextmanager
def asking(url, key=TOKEN):
    """A client of a lab whose engine is the server at this address."""
    engine = Upstream(url, key, "fake-qwen")
    headers = {"authorization": f"Bearer {TOKEN}"}
    with TestClient(create_app(engine, alone(TOKEN)), "http://127.0.0.1", headers=headers) as http:
        base = f"http://127.0.0.1{BASE}"
        yield OpenAI(base_url=base, api_key=TOKEN, http_client=http, max_retries=0)
        http.portal.call(engine._client.close)


@pytest.fixture
def through(served):
    """Through a lab to a second lab, whose engine is the fake one."""
    with asking(served) as client:
        yield client


@contextmanager
def server(answer):
    """A client through a lab to a server that answers every call so."""
    app = Starlette(routes=[Route("/v1/chat/completions", answer, methods=["POST"])])
    with serving(app) as port, asking(f"http://127.0.0.1:{port}/v1") as client:
        yield client


def ask(client, **fields):
    return client.chat.completions.create(model="fake-qwen", messages=HELLO, **fields)


def chunks(*deltas, reason="stop", usage=None):
    for delta in deltas:
        yield sse({**CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    if reason:
        yield sse({**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    if usage:
        yield sse({**CHUNK, "choices": [], "usage": usage})
    yield "data: [DONE]\n\n"


def streaming(*deltas, **more):
    async def answer(request):
        return StreamingResponse(chunks(*deltas, **more), media_type="text/event-stream")

    return answer


def test_an_answer_comes_through_as_the_other_server_gave_it(through, engine):
    pieces = [Piece("你", [ROW]), Piece("好", [{**ROW, "token": "好"}])]
    engine.replies.append([Prompt(9), *pieces, End("length", 9, 2, 4)])
    answer = ask(through, logprobs=True, top_logprobs=2, max_tokens=2)
    [choice] = answer.choices
    assert (choice.message.content, choice.finish_reason) == ("你好", "length")
    assert choice.logprobs.content[0].top_logprobs[1].token == "您"
    usage = answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (9, 2)
    assert usage.prompt_tokens_details.cached_tokens == 4


def test_a_stream_comes_piece_by_piece_and_ends_when_its_reader_leaves(through, engine):
    engine.reply_forever()
    with ask(through, stream=True) as stream:
        texts = [chunk.choices[0].delta.content for _, chunk in zip(range(4), stream, strict=False)]
    assert texts == ["", "好", "好", "好"]
    assert engine.stopped.wait(10)


def test_every_parameter_goes_through(through, engine):
    extra = {"top_k": 7, "repetition_penalty": 1.3}
    ask(through, temperature=0.3, top_p=0.9, seed=5, stop=["x"], max_tokens=3, extra_body=extra)
    request, seed, _ = engine.calls[0]
    told = {"temperature": 0.3, "top_p": 0.9, "max_tokens": 3, **extra}
    assert told.items() <= request.sampling.items() and (seed, request.stop) == (5, ["x"])


def test_a_schema_and_a_tool_that_must_be_called_go_through(through, engine):
    engine.reply('{"name": "get_price", "arguments": {"size": "small"}}')
    answer = ask(through, tools=[TOOL], tool_choice="required")
    [call] = answer.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("get_price", '{"size": "small"}')
    assert answer.choices[0].finish_reason == "tool_calls"
    engine.reply('{"size": "small"}')
    form = {"type": "json_schema", "json_schema": {"name": "price", "schema": PRICE}}
    messages = [{"role": "user", "content": "Answer in JSON."}]
    through.chat.completions.create(model="fake-qwen", messages=messages, response_format=form)
    assert engine.calls[-1][0].schema == PRICE


def test_calls_that_come_in_pieces_become_calls():
    first = {"index": 0, "id": "a", "type": "function"}
    deltas = [
        {"tool_calls": [{**first, "function": {"name": "get_price", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"size": '}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '"small"}'}}]},
    ]
    with server(streaming(*deltas, reason="tool_calls")) as client:
        [call] = ask(client, tools=[TOOL]).choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"size": "small"}


def test_without_usage_the_pieces_are_counted():
    with server(streaming({"content": "a"}, {"content": "b"})) as client:
        assert ask(client).usage.completion_tokens == 2


async def too_many(request):
    return JSONResponse({"error": {"message": "slow down", "code": "x"}}, 429)


async def bad(request):
    return JSONResponse({"error": {"message": "max_tokens is too large"}}, 400)


async def wrong_key(request):
    return JSONResponse({"error": {"message": f"Incorrect API key: {TOKEN}"}}, 401)


async def failing(request):
    return JSONResponse({"error": {"message": "CUDA out of memory at /home/me"}}, 500)


async def page(request):
    return PlainTextResponse("<html>no</html>", media_type="text/html")


async def garbage(request):
    return StreamingResponse(iter(["data: {nonsense\n\n"]), media_type="text/event-stream")


async def odd(request):
    return StreamingResponse(
        iter([sse({"choices": [{"delta": 5}]})]), media_type="text/event-stream"
    )


FAILURES = [
    (too_many, openai.RateLimitError, "You have exceeded your current request limit"),
    (bad, openai.BadRequestError, "InvalidParameter: max_tokens is too large"),
    *(
        (each, openai.InternalServerError, "An internal error has occurred")
        for each in (wrong_key, failing, page, garbage, odd, streaming(reason=None))
    ),
]


@pytest.mark.parametrize(("answer", "kind", "words"), FAILURES, ids=range(len(FAILURES)))
def test_a_failure_becomes_a_refusal_that_tells_nothing_of_the_other_server(
    answer, kind, words, caplog
):
    with server(answer) as client, pytest.raises(kind, match=words) as caught:
        ask(client)
    for told in (str(caught.value), caplog.text):
        assert TOKEN not in told and "/home" not in told


def test_a_server_that_dies_in_mid_stream_ends_the_stream_with_an_error():
    with server(streaming({"content": "a"}, reason=None)) as client:
        stream = ask(client, stream=True)
        with pytest.raises(openai.APIError, match="internal error"):
            list(stream)


def test_a_server_that_falls_silent_in_mid_stream_ends_the_stream_with_an_error(monkeypatch):
    monkeypatch.setattr(upstream, "PATIENCE", 0.3)

    async def silent(request):
        async def events():
            yield next(chunks({"content": "a"}))
            await asyncio.sleep(5)

        return StreamingResponse(events(), media_type="text/event-stream")

    with server(silent) as client:
        with pytest.raises(openai.APIError, match="timed out"):
            list(ask(client, stream=True))


def test_a_server_that_says_nothing_or_is_not_there_is_a_refusal(monkeypatch):
    monkeypatch.setattr(upstream, "PATIENCE", 0.3)

    async def silent(request):
        await asyncio.sleep(5)

    with server(silent) as client, pytest.raises(openai.InternalServerError, match="timed out"):
        ask(client)
    with asking("http://127.0.0.1:9/v1") as client:
        with pytest.raises(openai.InternalServerError, match="internal error"):
            ask(client)


@pytest.mark.model
def test_llama_server_tells_the_next_token_as_the_local_qwen_does(monkeypatch):
    path = weights.fetch()
    # Without a socket in a folder the engine's own listener has a port, as llama-server has.
    with monkeypatch.context() as windows:
        windows.delattr(socket, "AF_UNIX")
        local = LlamaEngine(path, "fake-qwen")
    asked = [([{"role": "user", "content": "你是谁？"}], prefix) for prefix in ("", "我是", [40])]
    with asking(f"{local._listener.address}/v1", local._listener.key) as client:
        for messages, prefix in asked:
            mine = asyncio.run(local.next_token(messages, prefix, 1_000))
            body = {"messages": messages, "prefix": prefix}
            answer = client.post("/lab/next_token", body=body, cast_to=httpx2.Response)
            theirs = next_token.load(answer.content)
            assert theirs.ids[:5].tolist() == mine.ids[:5].tolist() and len(theirs.ids) >= 1_000
            assert theirs.context.tolist() == mine.context.tolist()
            assert theirs.prompt_tokens == mine.prompt_tokens
            assert theirs.logit_offset == pytest.approx(mine.logit_offset, abs=0.2)
            assert theirs.logprobs[:5] == pytest.approx(mine.logprobs[:5], abs=0.1)
        tail = client.post("/lab/next_token", body=body | {"tail": True}, cast_to=httpx2.Response)
        assert next_token.load(tail.content).tail_counts.sum() > 100_000


@pytest.mark.parametrize("answer", ["404", "another"])
def test_of_another_server_there_is_no_look_at_the_next_token(answer, engine):
    async def other(request):
        return JSONResponse({"error": "Unexpected endpoint"}, 404 if answer == "404" else 200)

    app = Starlette(routes=[Route("/apply-template", other, methods=["POST"])])
    with serving(app) as port, asking(f"http://127.0.0.1:{port}/v1") as client:
        with pytest.raises(openai.NotFoundError, match="no probabilities of a next token"):
            client.post("/lab/next_token", body={"messages": HELLO}, cast_to=object)


def test_a_second_lab_tells_no_next_token_this_way(through):
    with pytest.raises(openai.NotFoundError, match="no probabilities of a next token"):
        through.post("/lab/next_token", body={"messages": HELLO}, cast_to=object)


def test_the_rules_are_the_labs_own(through, engine):
    with pytest.raises(openai.BadRequestError, match="Temperature should be in"):
        ask(through, temperature=2)
    assert not engine.calls
