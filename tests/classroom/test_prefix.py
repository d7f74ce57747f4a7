"""A class whose paths lie under a prefix, as a hub gives its service one, is all there."""

from collections import Counter

import openai
import pytest
from openai import OpenAI
from starlette.applications import Starlette
from starlette.routing import Mount

import qwen_lab
from qwen_lab.classroom.allowance import Allowance, Limits
from qwen_lab.classroom.ledger import Ledger
from qwen_lab.classroom.shares import Shares
from qwen_lab.endpoint.app import BASE, create_app
from qwen_lab.endpoint.learner import Learner
from qwen_lab.endpoint.turns import Turns
from qwen_lab.words import LabError

HELLO = [{"role": "user", "content": "你好"}]


@pytest.fixture
def asked():
    """How often each path was asked for."""
    return Counter()


@pytest.fixture
def address(real_port, engine, tmp_path, asked):
    async def identify(given):
        return Learner("Ada") if given == "code" else None

    allowance = Allowance(Ledger(tmp_path / "ledger.jsonl"), Limits(tokens=1_000))
    turns = Shares(Turns(engine))
    app = Starlette(
        routes=[
            Mount("/services/qwen", create_app(engine, identify, turns=turns, allowance=allowance))
        ]
    )

    async def counted(scope, receive, send):
        asked[scope["path"].rpartition(BASE)[2]] += 1
        await app(scope, receive, send)

    number, here = real_port
    here["app"] = counted
    return f"http://127.0.0.1:{number}/services/qwen{BASE}"


def test_under_a_prefix_all_that_a_class_has_is_there(address, engine, capsys):
    lab = qwen_lab.connect(address, code="code")
    assert (lab.kind, lab.model, lab.base_url) == ("class", "fake-qwen", address)
    assert "You have 1000 tokens left." in capsys.readouterr().out
    client = OpenAI(base_url=lab.base_url, api_key=lab.api_key, max_retries=0)
    engine.reply("你", "好", prompt=9)
    fields = {"model": lab.model, "messages": HELLO, "max_tokens": 9}
    answer = client.chat.completions.create(**fields, stream=True)
    assert "".join(chunk.choices[0].delta.content for chunk in answer) == "你好"
    assert lab.left() == 989
    assert len(lab.next_token(HELLO).ids) == 1_000 and lab.search("How many golds in Paris?")
    assert client.models.list().data[0].id == "fake-qwen"
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(**fields, extra_headers={"X-Lab-Fault": "429"})


def test_a_class_is_asked_once_who_it_is_and_what_is_left(address, asked):
    qwen_lab.connect(address, code="code")
    assert asked == {"/lab": 1}


def test_a_wrong_code_is_told(address):
    with pytest.raises(LabError, match="key"):
        qwen_lab.connect(address, code="edoc")
