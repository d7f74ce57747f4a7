"""Files that somebody else wrote, or half of them: the lab reads what there is and goes on."""

import contextlib
import shutil

from hypothesis import example, given
from hypothesis import strategies as st
from starlette.testclient import TestClient

import qwen_lab
from qwen_lab import dotfile, paths, settings
from qwen_lab.classroom.allowance import Allowance, Limits
from qwen_lab.classroom.ledger import Ledger
from qwen_lab.classroom.progress import Progress
from qwen_lab.classroom.teacher import Roll, create_page
from qwen_lab.course import editions, log
from qwen_lab.endpoint import server_file, tape
from qwen_lab.endpoint.app import create_app
from qwen_lab.endpoint.learner import alone
from qwen_lab.endpoint.search import Search
from qwen_lab.lab import Lab
from qwen_lab.widgets.presets import Presets
from qwen_lab.words import LabError

from .strange import LARGE, anything, fuzz, spoilt, written

PROGRESS = {"exercises": {"01.1": "passed", "02.1": "wrong"}, "quizzes": {"01": 3}}
TRIED = {"status": "wrong", "tries": 3, "time": 1_790_000_000}
KEPT = {"name": "Ada", "exercises": {"01.1": TRIED, "02.1": TRIED | {"status": "passed"}}}
PRESETS = {"mine": {"temperature": 1.2, "stop": ["。"], "n": 2, "tools": [], "logprobs": True}}
STATE = {"port": 8000, "model": "m", "token": "t", "pid": 1, "identity": 2, "created": 3}
CELL = {"cell_type": "code", "source": ["1"], "metadata": {}, "outputs": []}
LESSON = {"metadata": {editions.KEY: "abc"}, "cells": [CELL, CELL], "nbformat": 4}
MESSAGES = [{"role": "user", "content": "你好"}]
ROW = {"token": "好", "logprob": -0.1, "bytes": None, "top_logprobs": []}
SAID = {"prompt": 5, "text": "好吗", "pieces": [[0, 1], [10, 1]], "logprobs": [[ROW], [ROW]]}
ASK = {"messages": MESSAGES, "temperature": 0.7, "seed": 1, "alone": False}
NEXT = {"next": [[1, "好", -0.1], [2, [229], -2.0]], "tail": [[-9.0, 3]], "context": [1, 2]}
TAPE = [
    {"model": "m"},
    {"ask": ASK, "thinking": {"text": "想", "pieces": [[0, 1]]}, **SAID, "end": ["stop", 5, 2, 0]},
    {"ask": ASK, "refusal": "no"},
    {
        "ask": {"messages": MESSAGES, "next_token_after": ""},
        **NEXT,
        "prompt_tokens": 2,
        "logit_offset": 0,
    },
]
# What a file may hold instead of what it should: cut short, other bytes, nothing.
raw = st.sampled_from([b"", b"\xff\xfe\0", b"{", b"[" * 100_000, b"null", b"1" * 5_000, b"\0" * 99])


def content(right):
    return (spoilt(right) | anything).map(written) | raw


@fuzz(100, LARGE)
@given(content(PROGRESS))
@example(written({"exercises": {"01.1": []}, "quizzes": [["01", [1]]]}))
def test_any_file_of_progress_is_shown_and_written_on(data):
    paths.home().mkdir(exist_ok=True)
    (paths.home() / "progress.json").write_bytes(data)
    repr(qwen_lab.progress())
    log.note_exercise("01.1", "passed")
    log.note_quiz("01", 2)
    assert log.read()["exercises"]["01.1"] == "passed"
    repr(qwen_lab.progress())


@fuzz(60, LARGE)
@given(content(KEPT))
@example(written({"name": "Ada", "exercises": {"\ud800": TRIED}}))
def test_any_file_of_a_learners_progress_leaves_the_class_and_its_teachers_page_open(
    tmp_path, data
):
    folder = tmp_path / "progress"
    folder.mkdir(exist_ok=True)
    (folder / "a.json").write_bytes(data)
    ledger, progress = Ledger(tmp_path / "ledger.jsonl"), Progress(folder, ["01.1", "02.1"])
    roll = Roll(lambda: ["Ada"], progress, Allowance(ledger, Limits()), ledger)
    page, headers = create_page(roll, "t", ["127.0.0.1:1"]), {"authorization": "Bearer t"}
    with TestClient(page, "http://127.0.0.1:1", headers=headers) as http:
        assert http.get("/overview").status_code == http.get("/csv").status_code == 200
    progress.note("Ada", "01.1", "passed")
    assert progress.learners["Ada"]["01.1"]["status"] == "passed"
    shutil.rmtree(folder)


@fuzz(60, LARGE)
@given(content(PRESETS))
def test_any_file_of_presets_can_be_chosen_from_and_added_to(tmp_path, data):
    presets = Presets(tmp_path / "presets.json")
    presets.path.write_bytes(data)
    for values in presets.all().values():
        known = {name: value for name, value in values.items() if name != "stream_options"}
        qwen_lab.Panel(LAB, parameters=(*known, "n"), **known)
    presets.save("new", {"n": 2})
    assert presets.all()["new"] == {"n": 2}


CHAT, NEXT_TOKEN = f"{server_file.BASE}/chat/completions", f"{server_file.BASE}/lab/next_token"
LAB = Lab("http://127.0.0.1:9/v1", "m", "custom", "k")


@fuzz(60, LARGE)
@given(content(STATE))
def test_any_state_is_a_servers_or_none(tmp_path, data):
    (tmp_path / "state.json").write_bytes(data)
    state = server_file.load(tmp_path)
    assert state is None or (state.alive in (True, False) and state.base_url.isprintable())


@fuzz(100, LARGE)
@given(content(LESSON))
def test_any_copy_of_a_lesson_is_the_learners(tmp_path, data):
    folder = tmp_path / "en"
    folder.mkdir(exist_ok=True)
    copy = folder / "01_basic_call.ipynb"
    copy.write_bytes(data)
    lesson = paths.originals() / "en" / copy.name
    assert editions.is_untouched(copy) in (True, False)
    assert editions.is_behind(copy, lesson) in (True, False)


@fuzz(100, LARGE)
@given(spoilt(TAPE) | st.lists(anything, max_size=3), raw)
def test_any_tape_is_played_or_refused_whole(tmp_path, lines, end):
    file = tmp_path / "tape.jsonl"
    file.write_bytes(b"\n".join([*map(written, lines), end]))
    with contextlib.suppress(LabError):
        player = tape.Player(file)
        headers = {"authorization": "Bearer t"}
        with TestClient(
            create_app(player, alone("t")), "http://127.0.0.1", headers=headers
        ) as http:
            for line in sum(player._exchanges.values(), []):
                # As if just this had been asked.
                player._find = lambda asked, line=line: line
                chat = {"model": player.model, "messages": MESSAGES, "logprobs": True}
                asked = (CHAT, chat), (CHAT, chat | {"stream": True})
                if "next_token_after" in line["ask"]:
                    asked = [(NEXT_TOKEN, {"messages": MESSAGES, "prefix": ""})]
                for url, body in asked:
                    assert http.post(url, json=body).status_code < 500


@fuzz(100, LARGE)
@given(
    st.text() | st.binary() | st.sampled_from(["## ", "## a\n" * 500, "好" * 5_000, "x " * 9_000])
)
def test_any_note_can_be_searched(tmp_path, data):
    (tmp_path / "a.md").write_bytes(
        data if isinstance(data, bytes) else data.encode(errors="replace")
    )
    for question in ("What is it?", "好不好？", "x"):
        assert all(len(note.text) <= 800 for note in Search(tmp_path).find(question, forced=True))


names = st.sampled_from([*dotfile.NAMES, "OTHER", "dashscope_api_key", "export DASHSCOPE_MODEL"])
value = st.text(max_size=20) | st.sampled_from(
    ["sk-0123456789abcdef01", '"open', "${A}", "'a'\n'b", ""]
)
variable = st.builds(
    lambda name, sign, text: f"{name}{sign}{text}\n", names, st.sampled_from("=:＝ "), value
)


@fuzz(150, LARGE)
@given(st.lists(variable | st.text(max_size=9), max_size=6).map("".join) | st.binary(max_size=60))
def test_any_dotenv_is_read_or_told(tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    file.write_bytes(data if isinstance(data, bytes) else data.encode(errors="replace"))
    given = settings.read()
    assert all(isinstance(given.get(name), str | None) for name in dotfile.NAMES)
    with contextlib.suppress(LabError):
        assert isinstance(dotfile.hint(file), str)
    assert all(isinstance(each, dict) for each in dotfile.every())
