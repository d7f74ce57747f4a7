"""Practice weather, met by the real SDK; the faults of a connection over a real one."""

import json
import time

import openai
import pytest
from openai import OpenAI
from starlette.testclient import TestClient

from qwen_lab.endpoint import tape, weather
from qwen_lab.endpoint.app import BASE, create_app
from qwen_lab.endpoint.learner import Learner, alone

HELLO = [{"role": "user", "content": "你好"}]


def ask(client, fault="", latency="0", **fields):
    headers = {"X-Lab-Fault": fault, "X-Lab-Latency": latency}
    return client.chat.completions.create(
        model="fake-qwen", messages=HELLO, extra_headers=headers, **fields
    )


def text(chunks):
    return "".join(chunk.choices[0].delta.content for chunk in chunks)


@pytest.fixture
def real(served):
    with OpenAI(base_url=served, api_key="test-token", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("401", openai.AuthenticationError, "invalid_api_key"),
        ("429", openai.RateLimitError, "limit_requests"),
        ("500", openai.InternalServerError, "internal_error"),
        ("content", openai.BadRequestError, "data_inspection_failed"),
    ],
)
def test_a_fault_at_the_start_is_the_clouds_error_and_never_reaches_the_model(
    client, engine, fault, error, code, stream
):
    with pytest.raises(error) as caught:
        ask(client, fault, stream=stream)
    assert caught.value.code == code and not engine.calls


def test_too_many_requests_say_when_to_come_again(client):
    with pytest.raises(openai.RateLimitError) as caught:
        ask(client, "429")
    assert caught.value.response.headers["retry-after"] == "1"


def test_a_request_that_fails_twice_works_the_third_time_and_then_fails_again(client, engine):
    for _ in range(2):
        for _ in range(2):
            with pytest.raises(openai.RateLimitError):
                ask(client, "429;times=2")
        engine.reply("好")
        assert ask(client, "429;times=2").choices[0].message.content == "好"


def test_other_requests_have_counts_of_their_own(client):
    for seed in (1, 2):
        with pytest.raises(openai.InternalServerError):
            ask(client, "500; times=1", seed=seed)


def test_the_sdk_itself_gets_through_a_fault_that_passes(client, engine):
    engine.reply("好")
    patient = client.with_options(max_retries=2)
    assert ask(patient, "500;times=2").choices[0].message.content == "好"


def test_only_the_latest_counts_are_remembered(client, monkeypatch):
    monkeypatch.setattr(weather, "REMEMBERED", 2)
    for seed in (1, 2, 3, 1):
        with pytest.raises(openai.InternalServerError):
            ask(client, "500;times=1", seed=seed)
    assert ask(client, "500;times=1", seed=3).choices


def test_the_key_is_looked_at_before_the_weather(client, engine):
    stranger = client.with_options(api_key="sk-wrong")
    for fault in ("429;times=1", "nonsense"):
        with pytest.raises(openai.AuthenticationError):
            ask(stranger, fault)
    with pytest.raises(openai.RateLimitError):
        ask(client, "429;times=1")


@pytest.mark.parametrize("fault", ["500", "content", "malformed", "content;after=2", "nonsense"])
def test_every_answer_carries_its_request_id(http, fault):
    body = {"model": "fake-qwen", "messages": HELLO}
    answer = http.post(f"{BASE}/chat/completions", json=body, headers={"X-Lab-Fault": fault})
    assert len(answer.headers["x-request-id"]) == 36
    if answer.status_code != 200:
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_request_that_the_rules_refuse_is_refused_whole_in_any_weather(client):
    with pytest.raises(openai.BadRequestError, match="Temperature should be in"):
        ask(client, "cut", temperature=2)


def test_a_client_that_leaves_while_it_waits_for_the_weather_asks_nothing(served, app, engine):
    with OpenAI(base_url=served, api_key="test-token", max_retries=0) as client:
        for fault in ("", "timeout"):
            with pytest.raises(openai.APITimeoutError):
                ask(client, fault, latency="1", timeout=0.3)
    time.sleep(1)
    assert not engine.calls and not app.state.turns.slots.busy


@pytest.mark.parametrize("fault", ["malformed", "content;after=2"])
def test_a_spoiled_stream_ends_and_stops_the_model(http, app, engine, fault):
    engine.reply_forever()
    body = {"model": "fake-qwen", "messages": HELLO, "stream": True}
    answer = http.post(f"{BASE}/chat/completions", json=body, headers={"X-Lab-Fault": fault})
    assert answer.text.count("好") < 5
    assert engine.stopped.is_set() and not app.state.turns.slots.busy


@pytest.mark.parametrize("stream", [False, True])
def test_latency_is_waited_for_before_the_answer(client, engine, stream):
    engine.reply("好")
    began = time.monotonic()
    answer = ask(client, latency="0.3", stream=stream)
    assert time.monotonic() - began >= 0.3
    assert text(answer) == "好" if stream else answer.choices[0].message.content == "好"


def test_requests_wait_side_by_side(served, engine):
    import asyncio

    async def both():
        async with openai.AsyncOpenAI(base_url=served, api_key="test-token") as client:
            await asyncio.gather(*(ask(client, latency="0.5") for _ in range(3)))

    for _ in range(3):
        engine.reply("好")
    began = time.monotonic()
    asyncio.run(both())
    assert time.monotonic() - began < 1.4


def test_a_timeout_is_waited_for_until_the_client_gives_up(real):
    began = time.monotonic()
    with pytest.raises(openai.APITimeoutError):
        ask(real, "timeout", timeout=0.5)
    assert time.monotonic() - began >= 0.5


def test_a_stream_is_cut_after_as_many_chunks_as_asked(real, engine):
    engine.reply(*"一二三四五")
    seen = []
    with pytest.raises(openai.APIConnectionError):
        for chunk in ask(real, "cut;after=3", stream=True):
            seen.append(chunk)
    assert text(seen) == "一二"


def test_a_stream_shorter_than_the_fault_is_cut_all_the_same(real, engine):
    engine.reply("一")
    with pytest.raises(openai.APIConnectionError):
        list(ask(real, "cut;after=99", stream=True))


def test_an_answer_in_one_piece_is_cut_too(real, engine):
    engine.reply("一")
    with pytest.raises(openai.APIConnectionError):
        ask(real, "cut")


def test_a_malformed_chunk_is_no_json(client, engine):
    engine.reply(*"一二三四五")
    seen = []
    with pytest.raises(json.JSONDecodeError):
        for chunk in ask(client, "malformed", stream=True):
            seen.append(chunk)
    assert text(seen) == "一二"


def test_a_malformed_answer_is_no_json(http, engine):
    engine.reply("一")
    body = {"model": "fake-qwen", "messages": HELLO}
    answer = http.post(f"{BASE}/chat/completions", json=body, headers={"X-Lab-Fault": "malformed"})
    assert answer.status_code == 200 and answer.text.startswith("{")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_content_refused_in_mid_stream_comes_as_an_event(client, engine):
    engine.reply(*"一二三四五")
    seen = []
    with pytest.raises(openai.APIError, match="Output data may contain inappropriate") as caught:
        for chunk in ask(client, "content;after=2", stream=True):
            seen.append(chunk)
    assert (text(seen), caught.value.code) == ("一", "data_inspection_failed")


def test_content_refused_in_a_whole_answer_is_400(client, engine):
    engine.reply("一")
    with pytest.raises(openai.BadRequestError, match="Output data may contain"):
        ask(client, "content;after=2")


@pytest.mark.parametrize(
    ("fault", "latency"),
    [("418", "0"), ("429;time=2", "0"), ("429;times=-1", "0"), ("429;times", "0")]
    + [(";times=1", "0"), ("", "-1"), ("", "601"), ("", "nan"), ("", "long")],
)
def test_unknown_weather_is_refused_with_the_list_of_what_there_is(client, fault, latency):
    with pytest.raises(openai.BadRequestError, match="429;times=2") as caught:
        ask(client, fault, latency)
    assert caught.value.code == "unknown_weather"


def test_the_tape_has_no_trace_of_the_weather_and_plays_in_any(engine, tmp_path):
    def lab(engine):
        http = TestClient(create_app(engine, alone("test-token")), base_url="http://127.0.0.1")
        url = f"http://127.0.0.1{BASE}"
        return OpenAI(base_url=url, api_key="test-token", http_client=http, max_retries=0)

    file = tmp_path / "tape.jsonl"
    engine.reply("好")
    recorder = lab(tape.Recorder(engine, file))
    with pytest.raises(openai.RateLimitError):
        ask(recorder, "429;times=1", latency="0.3")
    ask(recorder, "429;times=1", latency="0.3")
    head, exchange = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    assert exchange["pieces"][0][0] < 300 and "429" not in json.dumps(exchange)
    began = time.monotonic()
    assert ask(lab(tape.Player(file))).choices[0].message.content == "好"
    fair = time.monotonic() - began
    began = time.monotonic()
    assert ask(lab(tape.Player(file)), latency="0.5").choices[0].message.content == "好"
    assert fair < 0.5 <= time.monotonic() - began
    with pytest.raises(openai.InternalServerError):
        ask(lab(tape.Player(file)), "500")


def test_each_learner_has_counts_of_their_own(engine):
    async def identify(given):
        return Learner(given)

    app = create_app(engine, identify)
    for name, status in [("Ada", 500), ("Bo", 500), ("Ada", 200)]:
        http = TestClient(app, "http://127.0.0.1", headers={"authorization": f"Bearer {name}"})
        body = {"model": "fake-qwen", "messages": HELLO}
        headers = {"X-Lab-Fault": "500;times=1"}
        answer = http.post(f"{BASE}/chat/completions", json=body, headers=headers)
        assert answer.status_code == status
