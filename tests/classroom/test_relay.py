"""A class before a cloud that answers as DashScope was recorded: what goes on and comes back."""

import asyncio
import http.client
import json
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from types import SimpleNamespace

import openai
import pytest
from openai import OpenAI
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

from qwen_lab.classroom import relay
from qwen_lab.classroom.allowance import Allowance, Limits
from qwen_lab.classroom.ledger import Ledger
from qwen_lab.classroom.relay import LONGEST, Relay
from qwen_lab.endpoint.app import BASE, create_app
from qwen_lab.endpoint.learner import Learner
from qwen_lab.endpoint.turns import Turns
from qwen_lab.models import price
from tests.conftest import serving

KEY = "sk-the-key-of-the-class"
HELLO = [{"role": "user", "content": "Hello"}]
NAMES = ["qwen-plus", "qwen3.5-flash"]
# As recorded: dashscope.md, sections 3.1, 3.2, 4.3 and 4.4.
TAIL = {
    "object": "chat.completion.chunk",
    "created": 1772221048,
    "system_fingerprint": None,
    "model": "qwen-plus",
    "id": "chatcmpl-b2712819-a3a1-96fe-9308-5b032cc18741",
}
USAGE = {"prompt_tokens": 16, "completion_tokens": 3, "total_tokens": 19}
WHOLE = (
    b'{"choices":[{"message":{"content":"Hello!","role":"assistant"},"finish_reason":"stop",'
    b'"index":0,"logprobs":null}],"object":"chat.completion","usage":{"prompt_tokens":16,'
    b'"completion_tokens":2,"total_tokens":18,"prompt_tokens_details":{"cached_tokens":0}},'
    b'"created":1772124401,"system_fingerprint":null,"model":"qwen-plus","id":"chatcmpl-m2YtE"}'
)
RANGE = {
    "error": {
        "message": "<400> InternalError.Algo.InvalidParameter: Temperature should be in [0.0, 2.0)",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_parameter_error",
    },
    "id": "chatcmpl-331b8ffc",
    "request_id": "331b8ffc",
}


def event(choice=None, usage=None):
    choices = [{"index": 0, "logprobs": None, "finish_reason": None, **choice}] if choice else []
    data = json.dumps({"choices": choices, "usage": usage, **TAIL}, ensure_ascii=False)
    return f"data: {data}\n\n".encode()


EVENTS = [
    event({"delta": {"content": "", "role": "assistant"}}),
    # A separator of lines in Unicode is none in a stream.
    event({"delta": {"content": "Hel\u2028lo"}}),
    event({"delta": {"content": ""}, "finish_reason": "stop"}),
    event(usage=USAGE),
    b"data: [DONE]\n\n",
]


def streaming(*events, headers=None):
    async def answer(request):
        kind = "text/event-stream;charset=UTF-8"
        return StreamingResponse(iter(events), media_type=kind, headers=headers)

    return answer


def saying(content, status=200, kind="application/json", **headers):
    async def answer(request):
        content_ = content if isinstance(content, str | bytes) else json.dumps(content)
        return PlainTextResponse(content_, status, headers, media_type=kind)

    return answer


@pytest.fixture
def cloud():
    """A server on a real port: `asked` has all that came, `answer` says what comes back."""
    here = SimpleNamespace(asked=[], answer=saying(WHOLE))

    async def any_path(request):
        content = await request.body()
        here.asked.append((request.method, request.url.path, dict(request.headers), content))
        is_chat = request.url.path == f"{BASE}/chat/completions"
        return await here.answer(request) if is_chat else JSONResponse({"token": "st-a-temporary"})

    methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    with serving(Starlette(routes=[Route("/{path:path}", any_path, methods=methods)])) as port:
        here.url = f"http://127.0.0.1:{port}{BASE}"
        yield here


@contextmanager
def opened(cloud, ledger, limits, slots=16, waiting=64):
    """A class before the cloud, on a real port; gives that."""

    async def identify(given):
        return Learner(given.removeprefix("code-")) if given.startswith("code-") else None

    engine = Relay(cloud.url, KEY, NAMES, slots)
    allowance = Allowance(ledger, limits, map(price, NAMES), LONGEST)
    app = create_app(
        engine, identify, turns=Turns(engine, waiting), allowance=allowance, relays=True
    )

    async def close(request):
        await engine._http.aclose()
        return PlainTextResponse("")

    app.add_route("/close", close)
    with serving(app) as port:
        yield port
        raw(port, "GET", "/close")


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger.jsonl")


@pytest.fixture
def port(cloud, ledger):
    with opened(cloud, ledger, Limits()) as port:
        yield port


def learner(port, who="Ada"):
    return OpenAI(base_url=f"http://127.0.0.1:{port}{BASE}", api_key=f"code-{who}", max_retries=0)


@pytest.fixture
def client(port):
    with learner(port) as client:
        yield client


def ask(client, **fields):
    fields = {"model": "qwen-plus", "messages": HELLO} | fields
    return client.chat.completions.create(**fields)


def raw(port, method, path, body=None, **headers):
    """A request as an attacker writes it: the path goes out as it stands."""
    headers = {"authorization": "Bearer code-Eve"} | headers
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers


def test_an_answer_comes_back_to_the_byte_and_is_paid_by_its_usage(port, cloud, ledger):
    body = json.dumps({"model": "qwen-plus", "messages": HELLO})
    status, content, headers = raw(port, "POST", f"{BASE}/chat/completions", body)
    assert (status, content, headers["content-type"]) == (200, WHOLE, "application/json")
    assert ledger.tokens == {"Eve": 18} and ledger.cost["Eve"] == 17
    [(method, path, _, sent)] = cloud.asked
    assert (method, path) == ("POST", f"{BASE}/chat/completions")
    assert json.loads(sent) == {"model": "qwen-plus", "messages": HELLO, "max_tokens": 1024}


@pytest.mark.parametrize("wanted", [True, False])
def test_a_stream_comes_back_event_by_event_with_its_usage_for_who_asked(
    port, cloud, ledger, wanted
):
    cloud.answer = streaming(*EVENTS)
    options = {"stream_options": {"include_usage": True}} if wanted else {}
    body = json.dumps({"model": "qwen-plus", "messages": HELLO, "stream": True} | options)
    _, content, headers = raw(port, "POST", f"{BASE}/chat/completions", body)
    assert content == b"".join(EVENTS if wanted else EVENTS[:3] + EVENTS[4:])
    assert headers["content-type"] == "text/event-stream;charset=UTF-8"
    assert ledger.tokens["Eve"] == 19
    assert json.loads(cloud.asked[0][3])["stream_options"] == {"include_usage": True}


def test_the_sdk_reads_a_stream_however_its_bytes_are_cut(client, cloud):
    whole = b"".join(EVENTS).replace(b"\n", b"\r\n")
    cloud.answer = streaming(*(whole[at : at + 7] for at in range(0, len(whole), 7)))
    texts = [chunk.choices[0].delta.content for chunk in ask(client, stream=True)]
    assert "".join(texts) == "Hel\u2028lo"


def test_no_header_passes_either_way_but_the_class_has_its_key(client, cloud):
    cloud.answer = saying(WHOLE, **{"set-cookie": "a=1", "x-dashscope-call-gateway": "true"})
    own = {"X-DashScope-WorkSpace": "other", "X-Forwarded-For": "1.2.3.4", "Cookie": "b=2"}
    own |= {"X-DashScope-DataInspection": '{"input":"cip"}', "X-Lab-Latency": "0"}
    response = client.chat.completions.with_raw_response.create(
        model="qwen-plus", messages=HELLO, extra_headers=own
    )
    told = response.headers.keys()
    assert not {"set-cookie", "x-dashscope-call-gateway"} & set(told) and "x-request-id" in told
    sent = cloud.asked[0][2]
    assert sent.pop("authorization") == f"Bearer {KEY}"
    assert sent.keys() <= {
        *("host", "accept", "accept-encoding", "connection", "user-agent"),
        *("content-length", "content-type"),
    }
    assert "openai" not in sent["user-agent"].lower()


TRICKS = [
    "/api/v1/tokens",
    f"{BASE}/tokens",
    f"{BASE}/../../api/v1/tokens",
    f"{BASE}/chat/completions/../../../../api/v1/tokens",
    f"{BASE}/chat/completions/%2e%2e/%2e%2e/api/v1/tokens",
    f"{BASE}/chat/completions/",
    f"{BASE}/chat/completions;/api/v1/tokens",
    f"{BASE}//chat/completions",
    f"{BASE}/models/../../../api/v1/tokens",
    f"{BASE}/files",
    f"{BASE}/batches",
    f"{BASE}/responses",
    f"{BASE}/embeddings",
    "http://127.0.0.1/api/v1/tokens",
    "//127.0.0.1/api/v1/tokens",
]


def test_no_other_path_and_no_trick_reaches_the_cloud(port, cloud):
    for path in TRICKS:
        for method in ("GET", "POST", "PUT", "DELETE"):
            body = json.dumps({"model": "qwen-plus", "messages": HELLO})
            status, content, _ = raw(port, method, path, body)
            assert status >= 400 or status == 307, path
            assert b"st-a-temporary" not in content
    assert not cloud.asked


def test_models_are_those_that_the_teacher_lists_and_the_cloud_is_not_asked(client, cloud):
    assert [row.id for row in client.models.list()] == NAMES
    for model in ("qwen-max", "../qwen-plus", ["qwen-plus"], None):
        with pytest.raises(openai.APIStatusError, match="model"):
            ask(client, model=model)
    assert not cloud.asked


def test_what_could_cost_more_than_was_reserved_does_not_pass(client, cloud):
    for fields in (
        {"enable_search": True},
        {"search_options": {"forced_search": True}},
        {"enable_thinking": True},
        {"thinking_budget": 5},
        {"enable_code_interpreter": True},
        {"modalities": ["audio"]},
        {"reasoning_effort": "high"},
    ):
        with pytest.raises(openai.BadRequestError, match=f"doesn't pass on {[*fields][0]}"):
            ask(client, extra_body=fields)
    with pytest.raises(openai.BadRequestError, match=r"max_tokens should be \[1, 2048\]"):
        ask(client, max_tokens=2049)
    with pytest.raises(openai.BadRequestError, match=r"n should be \[1, 4\]"):
        ask(client, n=5)
    with pytest.raises(openai.BadRequestError, match="input length"):
        ask(client, messages=[{"role": "user", "content": "好" * LONGEST}])
    with pytest.raises(openai.BadRequestError, match="must be 'function'"):
        ask(client, tools=[{"type": "web_search"}])
    with pytest.raises(openai.BadRequestError, match="doesn't pass on fileid"):
        ask(client, messages=[{"role": "system", "content": "fileid://file-fe-1"}, *HELLO])
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/large.png"}}
    with pytest.raises(openai.BadRequestError, match="Unexpected item type"):
        ask(client, messages=[{"role": "user", "content": [picture]}])
    assert not cloud.asked


def test_what_a_lesson_sends_goes_on_as_it_is(client, cloud):
    part = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}, "image_url": "x"}
    fields = {"temperature": 1.9, "top_p": 0.5, "seed": 7, "stop": ["x"], "n": 2, "max_tokens": 5}
    extra = {"top_k": None, "enable_search": False, "repetition_penalty": 1.1}
    messages = [{"role": "user", "content": [part]}]
    ask(client, model="qwen3.5-flash", messages=messages, extra_body=extra, **fields)
    ask(client, max_completion_tokens=9)
    sent, other = (json.loads(content) for *_, content in cloud.asked)
    assert sent == fields | {
        "model": "qwen3.5-flash",
        "messages": [{"role": "user", "content": "Hi"}],
        "top_k": None,
        "repetition_penalty": 1.1,
        # It thinks unless it is told not to.
        "enable_thinking": False,
    }
    assert other["max_tokens"] == 9 and "max_completion_tokens" not in other


def test_the_clouds_own_refusals_come_as_they_are(client, cloud, ledger):
    cloud.answer = saying(RANGE, 400)
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, temperature=5)
    assert caught.value.response.json() == RANGE
    # A stream is also refused as an event.
    cloud.answer = saying(f"data: {json.dumps(RANGE)}\n\n", 400)
    with pytest.raises(openai.BadRequestError, match=r"Temperature should be in"):
        ask(client, stream=True)
    busy = {"error": {"message": "You have exceeded …", "code": "limit_requests"}}
    cloud.answer = saying(busy, 429, **{"retry-after": "1000"})
    with pytest.raises(openai.RateLimitError) as caught:
        ask(client)
    assert caught.value.code == "limit_requests"
    assert "retry-after" not in caught.value.response.headers
    assert ledger.tokens == {"Ada": 0}


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("stream", [False, True])
def test_a_key_that_the_cloud_refuses_is_told_without_it(client, cloud, status, stream, caplog):
    cloud.answer = saying({"error": {"message": f"Incorrect API key provided: {KEY}"}}, status)
    with pytest.raises(openai.PermissionDeniedError, match="It isn't your code") as caught:
        ask(client, stream=stream)
    assert KEY not in caught.value.response.text + caplog.text and str(status) in caplog.text


async def silent(request):
    await asyncio.sleep(5)


BROKEN = [
    saying("<html>Bad gateway at /srv/www</html>", 502, "text/html"),
    saying("<html>no</html>", 200, "text/html"),
    saying("[]"),
    saying('"text"', 500),
    saying({"error": None}, 500),
    saying({"location": "x"}, 302, location="https://example.com"),
    saying({"choices": [], "usage": {"prompt_tokens": None}}),
]


@pytest.mark.parametrize("answer", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_answer_is_an_error_of_the_endpoints(client, cloud, answer):
    cloud.answer = answer
    with pytest.raises(openai.InternalServerError, match="internal error") as caught:
        ask(client)
    assert "/srv" not in caught.value.response.text


@pytest.mark.parametrize("events", [[], [b": on my way\n\n"], [EVENTS[0][:40]], [EVENTS[-1]]])
def test_a_stream_that_dies_before_its_first_event_is_an_error_and_costs_nothing(
    client, cloud, ledger, events
):
    cloud.answer = streaming(*events)
    with pytest.raises(openai.InternalServerError, match="internal error"):
        ask(client, stream=True, max_tokens=100)
    assert len(cloud.asked) == 1 and ledger.tokens["Ada"] == 0


CUT = [
    EVENTS[:2],
    [*EVENTS[:2], b"data: {nonsense\n\n", *EVENTS[2:]],
    [*EVENTS[:2], b"data: [1]\n\n", *EVENTS[2:]],
    [*EVENTS[:2], EVENTS[2][:40]],
]


@pytest.mark.parametrize("events", CUT, ids=range(len(CUT)))
def test_a_stream_that_breaks_off_ends_in_an_error_and_costs_the_most(
    client, cloud, ledger, events
):
    cloud.answer = streaming(*events)
    read = []
    with pytest.raises(openai.APIError, match="internal error"):
        for chunk in ask(client, stream=True, max_tokens=100):
            read.append(chunk.choices[0].delta.content)
    assert read == ["", "Hel\u2028lo"] and ledger.tokens["Ada"] > 100


def test_an_error_in_mid_stream_passes(client, cloud):
    error = b'data: {"error":{"code":"data_inspection_failed","message":"Output data may"}}\n\n'
    cloud.answer = streaming(*EVENTS[:2], error, EVENTS[-1])
    with pytest.raises(openai.APIError) as caught:
        list(ask(client, stream=True))
    assert caught.value.code == "data_inspection_failed"


def test_silence_is_a_time_out_and_costs_the_most(cloud, ledger, monkeypatch):
    monkeypatch.setattr(relay, "PATIENCE", 0.3)
    cloud.answer = silent
    with opened(cloud, ledger, Limits()) as port, learner(port) as client:
        with pytest.raises(openai.InternalServerError, match="timed out"):
            ask(client, max_tokens=100)
    assert ledger.tokens["Ada"] > 100


def test_a_cloud_that_is_not_there_is_an_error_and_costs_nothing(ledger):
    gone = SimpleNamespace(url="http://127.0.0.1:9/v1")
    with opened(gone, ledger, Limits()) as port, learner(port) as client:
        with pytest.raises(openai.InternalServerError, match="internal error"):
            ask(client)
    assert ledger.tokens["Ada"] == 0


def test_a_client_that_leaves_ends_the_clouds_stream_and_pays_the_most(client, cloud, ledger):
    ended = asyncio.Event()

    async def endless(request):
        async def events():
            try:
                for _ in range(1_000):
                    yield EVENTS[1]
                    await asyncio.sleep(0.01)
            finally:
                ended.set()

        return StreamingResponse(events(), media_type="text/event-stream")

    cloud.answer = endless
    with ask(client, stream=True, max_tokens=100) as stream:
        next(iter(stream))
    for _ in range(500):
        if ended.is_set() and ledger.tokens["Ada"]:
            break
        asyncio.run(asyncio.sleep(0.02))
    assert ended.is_set() and ledger.tokens["Ada"] > 100


def test_the_allowance_holds_in_cny(cloud, ledger):
    with opened(cloud, ledger, Limits(class_cny=0.01)) as port:
        with learner(port) as ada, learner(port, "Bo") as bo:
            with pytest.raises(openai.RateLimitError, match="budget"):
                for _ in range(1_000):
                    ask(ada, max_tokens=2048)
            with pytest.raises(openai.RateLimitError, match="budget"):
                ask(bo, max_tokens=2048)
    assert 0 < ledger.cost.total() <= 10_000 and len(cloud.asked) * 17 == ledger.cost.total()


def test_equal_questions_are_not_shared_and_there_is_no_look_at_the_next_token(client, cloud):
    ask(client)
    ask(client)
    assert len(cloud.asked) == 2
    with pytest.raises(openai.NotFoundError, match="no probabilities of a next token"):
        client.post("/lab/next_token", body={"messages": HELLO}, cast_to=object)


def test_calls_wait_for_their_turn_and_of_one_learner_only_so_many(cloud, ledger):
    came, go = threading.Event(), threading.Event()

    async def when_told(request):
        came.set()
        while not go.is_set():
            await asyncio.sleep(0.01)
        return PlainTextResponse(WHOLE)

    cloud.answer = when_told
    with opened(cloud, ledger, Limits(), slots=1, waiting=1) as port, learner(port) as ada:
        with learner(port, "Bo") as bo, ThreadPoolExecutor() as pool:
            calls = [pool.submit(ask, ada) for _ in range(3)]
            # One has its turn, one waits, and one is refused at once.
            refused, *_ = wait(calls, 20, FIRST_COMPLETED).done or calls
            calls.append(pool.submit(ask, bo))
            assert came.wait(20)
            begun = len(cloud.asked)
            go.set()
            assert isinstance(refused.exception(), openai.RateLimitError) and begun == 1
            assert len([call for call in calls if call is not refused and call.result()]) == 3


def test_bad_weather_can_be_practised(client, cloud):
    with pytest.raises(openai.RateLimitError):
        ask(client, extra_headers={"X-Lab-Fault": "429"})
    assert not cloud.asked


def test_without_a_code_nothing_is_answered(cloud, port):
    body = json.dumps({"model": "qwen-plus", "messages": HELLO})
    for given in ("", f"Bearer {KEY}", "Bearer x"):
        path = f"{BASE}/chat/completions"
        assert raw(port, "POST", path, body, authorization=given)[0] == 401
    assert not cloud.asked
