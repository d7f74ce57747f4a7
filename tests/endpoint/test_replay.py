"""A tape that a kernel plays to itself."""

import asyncio
import time
from pathlib import Path

import pytest
from openai import OpenAI

import qwen_lab
from qwen_lab import paths
from qwen_lab.endpoint import tape
from qwen_lab.endpoint.rules import checked_request
from qwen_lab.words import LabError

HELLO = [{"role": "user", "content": "你好"}]


def record(recorder, times=1):
    request = checked_request({"model": "fake-qwen", "messages": HELLO}, "fake-qwen")

    async def read():
        for _ in range(times):
            async for _ in recorder.generate(request, 1234, False):
                pass

    asyncio.run(read())


@pytest.fixture
def file(engine, tmp_path):
    recorder = tape.Recorder(engine, tmp_path / "tape.jsonl")
    engine.reply("好")
    record(recorder)
    return tmp_path / "tape.jsonl"


def ask(lab):
    with OpenAI(base_url=lab.base_url, api_key=lab.api_key) as client:
        return client.chat.completions.create(model=lab.model, messages=HELLO)


def test_a_lesson_plays_its_tape_over_http_and_each_connection_starts_it_anew(file, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_TAPE", str(file))
    for _ in range(2):
        lab = qwen_lab.connect("replay")
        assert ask(lab).choices[0].message.content == "好"
        assert (lab.kind, lab.model) == ("replay", "fake-qwen")


def test_it_says_what_the_recording_said(file, monkeypatch, capsys):
    monkeypatch.setenv("QWEN_LAB_TAPE", str(file))
    qwen_lab.connect("replay")
    assert capsys.readouterr().out.startswith("Local Qwen: fake-qwen, on this machine.")


def test_a_lesson_in_jupyterlab_finds_its_own_tape(file, monkeypatch, tmp_path):
    (tmp_path / "tape" / "zh").mkdir(parents=True)
    file.rename(tmp_path / "tape" / "zh" / "01_basic_call.jsonl")
    monkeypatch.setattr(paths, "originals", lambda: tmp_path)
    lesson = Path("somewhere") / "my_lessons" / "zh" / "01_basic_call.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(lesson))
    assert qwen_lab.connect("replay").model == "fake-qwen"


def test_a_replay_without_a_tape_says_how_to_name_one(monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    with pytest.raises(LabError, match="QWEN_LAB_TAPE"):
        qwen_lab.connect("replay")


def test_a_client_that_leaves_a_stream_is_noticed_without_a_word(
    engine, monkeypatch, tmp_path, caplog
):
    recorder = tape.Recorder(engine, tmp_path / "tape.jsonl")
    # Without a pause between two chunks, asyncio warns of every one that nobody reads.
    record(recorder, times=30)
    monkeypatch.setenv("QWEN_LAB_TAPE", str(tmp_path / "tape.jsonl"))
    lab = qwen_lab.connect("replay")
    with OpenAI(base_url=lab.base_url, api_key=lab.api_key) as client:
        for _ in range(30):
            with client.chat.completions.create(
                model=lab.model, messages=HELLO, stream=True
            ) as stream:
                next(iter(stream))
            time.sleep(0.01)
    assert caplog.records == []
