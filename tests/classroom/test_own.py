"""One person's own server behind the lab's rules, or a cloud: what `serve` opens and says."""

import re
import subprocess
import sys
from contextlib import contextmanager

import openai
import pytest
from openai import OpenAI

import qwen_lab
from qwen_lab.classroom import behind, own
from qwen_lab.paths import home
from qwen_lab.words import LabError
from tests.conftest import TOKEN

HELLO = [{"role": "user", "content": "你好"}]
RUN = (
    "import sys; from qwen_lab.setup import commands; from qwen_lab.setup.arguments import read\n"
    "commands.serve(read(['serve', *sys.argv[1:]]))"
)


@contextmanager
def serving(*arguments, key=TOKEN):
    """The command, running: gives all that it said; the key lies in `.env`, where it runs."""
    place = home() / "work"
    place.mkdir(parents=True)
    (place / ".env").write_text(f"QWEN_LAB_UPSTREAM_KEY={key}\n")
    command = [sys.executable, "-c", RUN, *arguments]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            yield "".join(process.stdout.readline() for _ in range(6))
        finally:
            process.kill()


def connected(said):
    """The lab, by the two lines that are to be written into `.env`."""
    url, key = (re.search(f"^{name}=(.*)$", said, re.M)[1] for name in NAMES)
    return qwen_lab.connect(url, code=key)


NAMES = ("QWEN_LAB_ENDPOINT", "QWEN_LAB_API_KEY")


def ask(lab, **fields):
    with OpenAI(base_url=lab.base_url, api_key=lab.api_key, max_retries=0) as client:
        return client.chat.completions.create(model=lab.model, messages=HELLO, **fields)


def test_a_server_of_ones_own_has_the_labs_rules_and_all_that_the_lab_has(served, engine, capsys):
    with serving("--upstream", served, "fake-qwen") as said:
        lab = connected(said)
        assert (lab.kind, lab.model, lab.left()) == ("own", "fake-qwen", None)
        told = capsys.readouterr().out
        assert "fake-qwen behind the lab's own rules" in told and "goes on to 127.0.0.1:" in told
        engine.reply("你", "好", prompt=9)
        assert ask(lab).choices[0].message.content == "你好"
        with pytest.raises(openai.BadRequestError, match="Temperature should be in"):
            ask(lab, temperature=2)
        with pytest.raises(openai.RateLimitError):
            ask(lab, extra_headers={"X-Lab-Fault": "429"})
        assert lab.search("How many golds did China win in Paris?")
    assert TOKEN not in said


def test_a_relay_of_ones_own_passes_calls_on_by_the_other_servers_rules(served, engine, capsys):
    with serving("--relay", served, "fake-qwen", "qwen-plus") as said:
        lab = connected(said)
        assert (lab.kind, lab.is_local) == ("custom", False)
        assert "What it costs is between you and its owner." in capsys.readouterr().out
        engine.reply("好")
        assert ask(lab).choices[0].message.content == "好"
    assert TOKEN not in said


@pytest.mark.parametrize(
    ("upstream", "relay", "key"),
    [
        (["http://127.0.0.1:9/v1", "m"], ["http://127.0.0.1:9/v1", "m"], "classroom.behind"),
        (None, ["http://127.0.0.1:9/v1"], "classroom.behind"),
        (["http://", "m"], None, "connection.address_broken"),
    ],
)
def test_a_server_that_is_not_named_as_it_should_be_is_told(upstream, relay, key):
    with pytest.raises(LabError) as caught:
        behind.engine(upstream, relay)
    assert caught.value.key == key
    assert behind.engine(None, None) is None


def test_a_key_that_cannot_be_right_is_told_without_it(monkeypatch):
    monkeypatch.setenv("QWEN_LAB_UPSTREAM_KEY", "sk-abc def")
    with pytest.raises(LabError) as caught:
        behind.engine(None, ["http://127.0.0.1:9/v1", "m"])
    assert "abc" not in str(caught.value)


def test_a_relay_has_no_tape(tmp_path):
    relay = behind.engine(None, ["http://127.0.0.1:9/v1", "m"])
    with pytest.raises(LabError) as caught:
        own.serve(relay, None, 1, str(tmp_path / "tape.jsonl"))
    assert caught.value.key == "classroom.relay_tape"
