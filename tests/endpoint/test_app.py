import json
import threading
import time
from urllib.parse import urljoin

import httpx2
import openai
import pytest

from qwen_lab.endpoint.app import BASE
from qwen_lab.endpoint.engine import Prompt
from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.endpoint.request import parse
from tests.conftest import TOKEN

HELLO = [{"role": "user", "content": "你好"}]


def ask(client, **fields):
    fields = {"model": "fake-qwen", "messages": HELLO, **fields}
    return client.chat.completions.create(**fields)


def sse(http, **fields):
    body = {"model": "fake-qwen", "messages": HELLO, "stream": True, **fields}
    response = http.post(f"{BASE}/chat/completions", json=body)
    assert response.headers["content-type"] == "text/event-stream;charset=UTF-8"
    events = response.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    return [json.loads(event.removeprefix("data: ")) for event in events[:-2]]


def test_an_answer_has_the_fields_that_dashscope_records(client, engine):
    engine.reply("你", "好", prompt=9, cached=4)
    answer = ask(client).model_dump(exclude_unset=True)
    assert answer.pop("id").startswith("chatcmpl-") and answer.pop("created")
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    assert answer == {
        "object": "chat.completion",
        "model": "fake-qwen",
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "你好"},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": usage | {"prompt_tokens_details": {"cached_tokens": 4}},
    }


def test_a_stream_says_the_role_first_and_the_usage_last(http, engine):
    engine.reply("你", "好")
    events = sse(http, stream_options={"include_usage": True})
    deltas = [event["choices"][0]["delta"] for event in events[:-1]]
    texts = [{"content": "你"}, {"content": "好"}, {"content": ""}]
    assert deltas == [{"content": "", "role": "assistant"}, *texts]
    assert [event["usage"] for event in events[:-1]] == [None] * 4
    assert events[-2]["choices"][0]["finish_reason"] == "stop"
    assert events[-1]["choices"] == [] and events[-1]["usage"]["total_tokens"] == 7
    assert len({(event["id"], event["created"]) for event in events}) == 1


def test_a_stream_without_include_usage_has_no_usage_chunk(http, engine):
    engine.reply("好")
    assert all(event["choices"] for event in sse(http))


def test_the_sdk_reads_the_stream(client, engine):
    engine.reply("你", "好", "吗")
    chunks = list(ask(client, stream=True))
    assert "".join(chunk.choices[0].delta.content for chunk in chunks) == "你好吗"


def test_several_choices_have_seeds_of_their_own_and_one_prompt(client, engine):
    engine.reply("一")
    engine.reply("二")
    answer = ask(client, n=2, seed=7)
    assert [choice.message.content for choice in answer.choices] == ["一", "二"]
    assert [(seed, alone) for _, seed, alone in engine.calls] == [(7, True), (8, True)]
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 2)


def test_a_call_without_a_seed_shares_the_model(client, engine):
    engine.reply("好")
    ask(client)
    assert engine.calls[0][1:] == (1234, False)


def test_an_alias_is_answered_under_the_model_that_really_answered(client, engine):
    engine.reply("好")
    assert ask(client, model="qwen-plus").model == "fake-qwen"


def test_models_lists_the_local_model_first_and_the_aliases(client):
    names = [model.id for model in client.models.list()]
    assert names[0] == "fake-qwen" and "qwen-plus" in names
    assert client.models.retrieve("qwen-plus").owned_by == "qwen_lab"


def test_a_wrong_key_is_401(client):
    with pytest.raises(openai.AuthenticationError) as caught:
        ask(client.with_options(api_key="sk-wrong"))
    assert caught.value.code == "invalid_api_key"
    assert caught.value.response.json()["request_id"] == caught.value.request_id


def test_a_request_without_a_key_is_401(http):
    answer = http.get(f"{BASE}/models", headers={"authorization": ""})
    assert answer.status_code == 401


def test_an_unknown_model_is_404(client):
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, model="gpt-9")
    message = "The model `gpt-9` does not exist or you do not have access to it."
    assert (caught.value.code, caught.value.body["message"]) == ("model_not_found", message)


@pytest.mark.parametrize("stream", [False, True])
def test_a_temperature_out_of_range_is_400_before_any_stream_begins(client, stream):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, temperature=2, stream=stream)
    body = caught.value.response.json()
    prefix = "<400> InternalError.Algo.InvalidParameter: "
    assert body["error"]["message"] == prefix + "Temperature should be in [0.0, 2.0)"
    assert body["error"]["code"] == "invalid_parameter_error"
    assert body["id"] == f"chatcmpl-{body['request_id']}"


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_engine_refuses_is_refused_as_json(client, engine, stream):
    engine.replies.append([Prompt(5), Refusal("too long")])
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, stream=stream)
    assert caught.value.body["message"] == "too long"


def test_an_error_in_a_running_stream_arrives_as_an_event(client, engine):
    engine.reply("好")
    engine.replies[0].insert(2, RuntimeError("secret detail"))
    with pytest.raises(openai.APIError) as caught:
        list(ask(client, stream=True))
    assert caught.value.code == "internal_error" and "secret" not in str(caught.value.body)


def test_a_fault_of_the_engine_is_500_without_detail(client, engine):
    engine.replies.append([RuntimeError("secret detail")])
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client)
    assert "secret" not in caught.value.response.text


def test_a_body_that_is_not_json_is_400(http):
    for body in (b"{", b"\xff", b"[" * 100_000):
        answer = http.post(f"{BASE}/chat/completions", content=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith("Required body invalid")


def test_a_foreign_host_name_is_turned_away(http):
    assert http.get("/health", headers={"host": "evil.example"}).status_code == 400


def test_health_needs_no_key_and_names_the_model(http):
    answer = http.get("/health", headers={"authorization": ""})
    assert answer.json() == {"status": "ok", "model": "fake-qwen"}


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1.evil.example",
        "http://[",
        "http://localhost:x",
    ],
)
def test_a_page_of_another_site_is_turned_away(http, origin):
    assert http.get("/health", headers={"origin": origin}).status_code == 403


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8888", "http://localhost:8888"])
def test_a_page_of_this_machine_is_let_in(http, origin):
    assert http.get("/health", headers={"origin": origin}).status_code == 200


def test_a_body_larger_than_the_cloud_takes_is_400(http, engine):
    body = {"model": "fake-qwen", "messages": [{"role": "user", "content": "x" * 6_291_456}]}
    answer = http.post(f"{BASE}/chat/completions", json=body)
    message = "Exceeded limit on max bytes to request body : 6291456"
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


def test_health_says_when_the_model_does_not_move(http, engine):
    engine.stuck = True
    answer = http.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "stuck")


def said(text, role="user", **more):
    return {"role": role, "content": text, **more}


DESCRIBED = {"type": "function", "function": {"name": "f", "description": "天" * 400_000}}
CALLS = [
    {"id": f"{number}", "function": {"name": "f", "arguments": "{}"}} for number in range(20_000)
]
RESULTS = [said("1", "tool", tool_call_id=call["id"]) for call in CALLS]
ENDLESS = {
    "many messages of one letter": {"messages": [said("a")] * 150_000},
    "many messages of nothing": {"messages": [said("")] * 615},
    "a long text": {"messages": [said("天" * 2_000_000)]},
    "a text in many parts": {"messages": [said([{"type": "text", "text": "天气很好"}] * 130_000)]},
    "a tool with a long description": {"messages": HELLO, "tools": [DESCRIBED]},
    "many tool calls": {"messages": [*HELLO, said("", "assistant", tool_calls=CALLS), *RESULTS]},
    "a long prefix": {"messages": HELLO, "prefix": "天" * 400_000},
    "a prefix of many tokens": {"messages": HELLO, "prefix": [1] * 2_000_000},
}


@pytest.mark.parametrize(
    ("path", "name"),
    [(f"{BASE}/chat/completions", name) for name in ENDLESS if "prefix" not in name]
    + [("/compatible-mode/v1/lab/next_token", name) for name in ENDLESS if "tool" not in name],
)
def test_what_no_prompt_can_hold_is_refused_before_the_engine_and_at_once(http, engine, path, name):
    content = json.dumps({"model": "fake-qwen", **ENDLESS[name]}, ensure_ascii=False).encode()
    began = time.monotonic()
    answer = http.post(path, content=content)
    assert time.monotonic() - began < 5
    message = "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 3072]"
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)
    assert engine.calls == []


def test_the_longest_conversation_goes_to_the_engine(client, engine):
    ask(client, messages=[said("")] * 614)
    ask(client, messages=[said(" " * 393_216)])
    assert len(engine.calls) == 2


@pytest.mark.parametrize("path", ["chat/completions", "lab/next_token"])
def test_others_are_answered_while_a_long_request_is_read(served, monkeypatch, path):
    reads, goes_on = threading.Event(), threading.Event()

    def slow(content):
        reads.set()
        goes_on.wait(20)
        return parse(content)

    monkeypatch.setattr("qwen_lab.endpoint.app.parse", slow)
    headers = {"authorization": f"Bearer {TOKEN}"}
    with httpx2.Client(base_url=served, headers=headers, timeout=10) as http:
        asked = {"url": f"{served}/{path}", "json": {"model": "fake-qwen", "messages": HELLO}}
        answered = []
        reader = threading.Thread(target=lambda: answered.append(http.post(**asked)))
        reader.start()
        assert reads.wait(10) and http.get(urljoin(served, "/health")).status_code == 200
        goes_on.set()
        reader.join()
    assert answered[0].status_code == 200
