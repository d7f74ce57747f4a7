"""Those who call: the SDK's asynchronous client, plain curl, and many at once."""

import asyncio
import json
import os
import shutil
import subprocess

import httpx2
import openai
import pytest
from openai import AsyncOpenAI

from qwen_lab.endpoint import server

ASK = {"model": "qwen-plus", "messages": [{"role": "user", "content": "你好"}]}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": CITY}}


@pytest.fixture
def running(home, monkeypatch):
    """The real one."""
    monkeypatch.setenv("QWEN_LAB_HOME", str(home))
    return server.start()


def asynchronous(base_url, key):
    return AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0)


def test_the_asynchronous_client_gets_an_answer_a_stream_and_a_refusal(lab, engine):
    engine.reply("你", "好")
    engine.reply("再", "见")

    async def talk():
        async with asynchronous(lab.base_url, lab.api_key) as client:
            answer = await client.chat.completions.create(**ASK)
            stream = await client.chat.completions.create(**ASK, stream=True)
            texts = [chunk.choices[0].delta.content async for chunk in stream]
            with pytest.raises(openai.BadRequestError, match="Temperature should be in"):
                await client.chat.completions.create(**ASK, temperature=2)
            return answer.choices[0].message.content, texts

    assert asyncio.run(talk()) == ("你好", ["", "再", "见", ""])


def test_a_cancelled_task_stops_the_model(lab, engine):
    engine.reply_forever()

    async def leave():
        async with asynchronous(lab.base_url, lab.api_key) as client:
            task = asyncio.create_task(client.chat.completions.create(**ASK))
            while not engine.calls:
                await asyncio.sleep(0.01)
            task.cancel()

    asyncio.run(leave())
    assert engine.stopped.wait(5)


@pytest.fixture
def curl(lab):
    """Call the lab by curl, as the documentation shows it; gives (status, content type, body)."""
    if not shutil.which("curl"):
        assert not os.environ.get("CI"), "CI has curl"
        pytest.skip("curl is not installed")

    def run(body, key=lab.api_key):
        headers = ["-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json"]
        about = "\n%{http_code}\n%{content_type}"
        command = ["curl", "-sS", f"{lab.base_url}/chat/completions", *headers, "-w", about]
        command += ["--noproxy", "*", "-d", json.dumps(body)]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
        text, status, kind = done.stdout.rsplit("\n", 2)
        return int(status), kind, text

    return run


def test_curl_gets_an_answer(curl, engine):
    engine.reply("你", "好")
    status, kind, text = curl(ASK)
    assert (status, kind) == (200, "application/json")
    assert json.loads(text)["choices"][0]["message"]["content"] == "你好"


def test_curl_gets_a_stream(curl, engine):
    engine.reply("你", "好")
    # What the SDK would take as extra_body stands at the top level.
    status, kind, text = curl(ASK | {"stream": True, "top_k": 5})
    assert (status, kind) == (200, "text/event-stream;charset=UTF-8")
    assert text.startswith('data: {"') and text.endswith("\n\ndata: [DONE]\n\n")
    assert engine.calls[0][0].sampling["top_k"] == 5


def test_curl_gets_a_refusal(curl):
    status, kind, text = curl(ASK | {"top_p": 0})
    assert (status, kind) == (400, "application/json")
    assert "Range of top_p should be (0.0, 1.0]" in json.loads(text)["error"]["message"]
    assert curl(ASK, key="sk-wrong")[0] == 401


@pytest.mark.model
def test_thirty_clients_at_once_are_all_answered_while_the_server_says_it_is_well(running):
    async def ask(client, number):
        seed = {} if number % 5 else {"seed": number}
        answer = await client.chat.completions.create(**ASK, max_tokens=4, **seed)
        return answer.usage.completion_tokens

    async def watch():
        async with httpx2.AsyncClient() as http:
            for _ in range(20):
                response = await http.get(f"http://127.0.0.1:{running.port}/health", timeout=5)
                assert response.json()["status"] == "ok"
                await asyncio.sleep(0.05)

    async def all_at_once():
        async with asynchronous(running.base_url, running.token) as client:
            return await asyncio.gather(watch(), *(ask(client, number) for number in range(30)))

    assert all(1 <= count <= 4 for count in asyncio.run(all_at_once())[1:])


@pytest.mark.model
@pytest.mark.parametrize("choice", ["required", WEATHER])
def test_the_real_model_calls_a_tool_in_a_stream(running, choice):
    async def call():
        async with asynchronous(running.base_url, running.token) as client:
            ask = ASK | {"messages": [{"role": "user", "content": "成都天气如何？"}]}
            options = {"tools": [WEATHER], "tool_choice": choice, "seed": 1}
            async with client.chat.completions.stream(**ask, **options) as stream:
                return (await stream.get_final_completion()).choices[0]

    choice = asyncio.run(call())
    function = choice.message.tool_calls[0].function
    assert (choice.finish_reason, function.name) == ("tool_calls", "get_weather")
    assert "成都" in json.loads(function.arguments)["city"]
