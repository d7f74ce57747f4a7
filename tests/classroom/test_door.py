"""A teacher opens a class with one command; learners come in with an address and a code."""

import csv
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
import openai
import pytest
from openai import OpenAI
from starlette.testclient import TestClient

import qwen_lab
from qwen_lab.classroom import door, sheet
from qwen_lab.classroom.allowance import Limits
from qwen_lab.classroom.config import Config
from qwen_lab.classroom.seats import Seat
from qwen_lab.endpoint import llama
from qwen_lab.endpoint.server_file import BASE
from qwen_lab.paths import home
from qwen_lab.words import LabError
from tests.conftest import TOKEN

RUN = (
    "import sys; from qwen_lab.setup import commands; from qwen_lab.setup.arguments import read\n"
    "commands.class_(read(['class', *sys.argv[1:]]))"
)


@contextmanager
def open_class(home, *arguments):
    """The command, running: gives its process, the address it said, and all that it said."""
    environment = os.environ | {"QWEN_LAB_HOME": str(home)}
    command = [sys.executable, "-c", RUN, *arguments]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        try:
            said = [process.stdout.readline() for _ in range(8)]
            yield process, re.search(r"http\S+", "".join(said))[0], "".join(said)
        finally:
            process.kill()


def ask(lab, text="Count from 1 to 5.", **fields):
    client = OpenAI(base_url=lab.base_url, api_key=lab.api_key, max_retries=0)
    messages = [{"role": "user", "content": text}]
    fields = {"model": lab.model, "max_tokens": 8, "seed": 3, "messages": messages} | fields
    return client.chat.completions.create(**fields)


def codes(home):
    with (home / "class/seats.csv").open(encoding="utf-8", newline="") as file:
        return dict(csv.reader(file))


@pytest.mark.model
def test_a_class_is_held_killed_and_opened_again(tmp_path, capsys):
    home = tmp_path / "teacher"
    with open_class(home, "Ada", "小明", "--tokens", "400") as (_, address, said):
        code = codes(home)
        ada, ming = (qwen_lab.connect(address, code=code[name]) for name in ("Ada", "小明"))
        assert capsys.readouterr().out.count("You have 400 tokens left.") == 2
        assert (ada.kind, ada.model) == ("class", "qwen2.5-coder-0.5b-instruct")
        # Both ask the same, at the same time: one answer, and each pays for it.
        with ThreadPoolExecutor() as pool:
            one, other = pool.map(ask, (ada, ming))
        assert one.choices == other.choices and one.usage == other.usage and one.id != other.id
        used = one.usage.total_tokens
        assert ada.left() == ming.left() == 400 - used
        assert ada.next_token([{"role": "user", "content": "Hi"}]).tokens
        left = ada.left()
        assert left < 400 - used
        assert ming.search("How many golds did China win in Paris?")
        with pytest.raises(LabError, match="key"):
            qwen_lab.connect(address, code="aaaa-bbbb-cccc-dddd")
        screen = said
    # It was killed. A learner's old client goes on, and what was used is known.
    with open_class(home, "--tokens", "400") as (_, again, said):
        assert again == address and codes(home) == code
        assert ada.left() == left
        # The same question again is Ada's second one: her first answer went with the process.
        assert ask(ada).choices == one.choices
        with pytest.raises(openai.RateLimitError, match="budget"):
            for _ in range(20):
                ask(ada, "Another question?")
        assert ask(ming).choices == one.choices
        screen += said
    log = (home / "class/server.log").read_text(encoding="utf-8")
    for secret in code.values():
        assert secret not in screen + log
    assert "Ada" not in log


@pytest.mark.parametrize(
    ("names", "options", "key"),
    [
        ([], {}, "classroom.no_names"),
        (["Ada", "Ada"], {}, "classroom.names_twice"),
        (["Ada"], {"certificate": "cert.pem"}, "classroom.certificate_half"),
        (["Ada"], {"certificate": "no.pem", "key": "no.pem"}, "classroom.certificate_unreadable"),
        (["Ada"], {"address": "203.0.113.7"}, "server.port_unusable"),
        (["Ada"], {"address": "0.0.0.0"}, "classroom.address_any"),
        (["Ada"], {"upstream": ("http://", "m")}, "connection.address_broken"),
        (["Ada"], {"relay": ("https://dashscope.aliyuncs.com",)}, "classroom.behind"),
    ],
)
def test_a_class_that_cannot_be_opened_says_why_before_any_model_is_loaded(
    names, options, key, monkeypatch
):
    monkeypatch.setattr(llama, "LlamaEngine", None)
    with pytest.raises(LabError) as caught:
        door.hold(names, Config(**options))
    assert caught.value.key == key


@pytest.mark.parametrize(
    "behind",
    [
        {},
        {"upstream": ("http://127.0.0.1:9/v1", "a-model-of-mine")},
        {"relay": ("https://dashscope.aliyuncs.com", "qwen-plus", "qwen3.8-max")},
        # Beijing's prices are none of Singapore's.
        {"relay": ("https://dashscope-intl.aliyuncs.com", "qwen-plus")},
    ],
)
def test_cny_are_counted_only_where_there_is_a_price(behind, monkeypatch):
    monkeypatch.setattr(llama, "LlamaEngine", None)
    for limits in (Limits(cny=1), Limits(class_cny=1)):
        with pytest.raises(LabError, match="no list price") as caught:
            door.hold(["Ada"], Config(limits, **behind))
        assert "qwen-plus, " not in str(caught.value)


def test_a_class_is_open_once_on_a_computer(monkeypatch, engine):
    opened = []

    def run(app, listeners, watch):
        for each, _ in listeners:
            each.close()
        opened.append(app)
        if len(opened) == 1:
            door.hold([], Config())

    monkeypatch.setattr(door.listener, "serve", run)
    monkeypatch.setattr(door, "_local", lambda place: lambda: engine)
    with pytest.raises(LabError, match="open already"):
        door.hold(["Ada"], Config())
    door.hold([], Config())
    assert len(opened) == 2


@pytest.fixture
def opened(monkeypatch):
    """The apps of classes that are opened, which are not run."""
    opened = []

    def run(app, listeners, watch):
        for each, _ in listeners:
            each.close()
        opened.append(app)

    monkeypatch.setattr(door.listener, "serve", run)
    monkeypatch.setenv("QWEN_LAB_UPSTREAM_KEY", TOKEN)
    return opened


def test_a_class_can_stand_before_another_server(engine, served, opened, capsys):
    door.hold(["Ada"], Config(Limits(tokens=1_000), upstream=(served, "fake-qwen")))
    assert "fake-qwen, 1 seats" in capsys.readouterr().out
    engine.reply("你", "好", prompt=9)
    headers = {"authorization": f"Bearer {codes(home())['Ada']}"}
    with TestClient(opened[0], "http://127.0.0.1", headers=headers) as http:
        body = {"model": "fake-qwen", "messages": [{"role": "user", "content": "Hi"}]}
        answer = http.post(f"{BASE}/chat/completions", json=body | {"max_tokens": 9}).json()
        assert answer["choices"][0]["message"]["content"] == "你好"
        assert http.get(f"{BASE}/lab").json()["left"] == 989
        http.portal.call(opened[0].state.engine._client.close)


def test_a_class_that_is_opened_again_keeps_its_address_and_says_its_limits(opened, served, capsys):
    behind, limits = (served, "fake-qwen"), Limits(tokens=3_000, per_minute=500)
    door.hold(["Ada"], Config(limits, address="127.0.0.2", upstream=behind))
    first = capsys.readouterr().out
    assert "may use 3,000 tokens in all" in first and "500 tokens a minute" in first
    assert "Whoever shares the network" in first and "this computer alone" not in first
    door.hold([], Config(upstream=behind))
    again = capsys.readouterr().out
    assert re.search(r"http\S+", again)[0] == re.search(r"http\S+", first)[0]
    assert "Tokens aren't limited" in again and "The class has ended" in again
    door.hold([], Config(address="127.0.0.1", upstream=behind))
    assert "this computer alone" in capsys.readouterr().out


def test_a_class_can_relay_a_cloud_for_so_many_cny(engine, served, opened):
    relay = (served, "qwen-plus", "qwen-turbo")
    door.hold(["Ada"], Config(Limits(cny=0.01, class_cny=1), relay=relay))
    headers = {"authorization": f"Bearer {codes(home())['Ada']}"}
    with TestClient(opened[0], "http://127.0.0.1", headers=headers) as http:
        # Of the dearest kind, qwen-plus's answers, there are 5,000 for a fen.
        about = http.get(f"{BASE}/lab").json()
        assert (about["model"], about["left"], about["relays"]) == ("qwen-plus", 5_000, True)
        assert about["passed_on"] in served
        listed = http.get(f"{BASE}/models").json()["data"]
        assert [row["id"] for row in listed] == ["qwen-plus", "qwen-turbo"]
        body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 500}
        engine.reply("好", prompt=1_000)
        http.post(f"{BASE}/chat/completions", json=body | {"model": "qwen-turbo"})
        assert http.get(f"{BASE}/lab").json()["left"] == 4_849
        http.portal.call(opened[0].state.engine._http.aclose)


def test_with_a_certificate_the_class_and_its_teachers_page_are_had_from_elsewhere(
    served, tmp_path, monkeypatch
):
    monkeypatch.setenv("QWEN_LAB_UPSTREAM_KEY", TOKEN)
    pair = certificate(tmp_path, "127.0.0.2")
    behind = ["--upstream", served, "fake-qwen", "--tokens", "400", "--per-minute", "400"]
    told = ["Ada", "--address", "127.0.0.2", *pair, *behind]
    with open_class(tmp_path / "teacher", *told) as (process, address, said):
        assert address.startswith("https://127.0.0.2:") and "can read along" not in said
        trusted = ssl.create_default_context(cafile=pair[1])
        code = codes(tmp_path / "teacher")["Ada"]
        link = (tmp_path / "teacher/class/teacher.html").read_text(encoding="utf-8")
        page, token = re.search(r'href="(https://127.0.0.2:\d+/)#([\w-]+)"', link).groups()
        with httpx2.Client(verify=trusted, trust_env=False) as http:
            found = http.get(f"{address}/lab", headers={"authorization": f"Bearer {code}"})
            assert found.json()["left"] == 400
            headers = {"authorization": f"Bearer {token}"}
            [ada] = http.get(f"{page}overview", headers=headers).json()["learners"]
            assert (ada["name"], ada["left"]) == ("Ada", 400)
            # Neither opens what is the other's, nor do names that are not the class's.
            assert http.get(f"{page}overview", headers={"authorization": f"Bearer {code}"}).is_error
            assert http.get(f"{address}/lab", headers=headers).is_error
            assert http.get(page, headers={"host": "evil.example"}).is_error
        # As Ctrl-C does; both of its servers hear of it.
        process.send_signal(signal.SIGINT)
        assert "The class has ended" in process.stdout.read() and process.wait() == 0


def certificate(folder, address):
    """The options for a certificate of this address, made now."""
    files = [str(folder / name) for name in ("cert.pem", "key.pem")]
    subject = ["-subj", "/CN=a class", "-addext", f"subjectAltName=IP:{address}", "-days", "2"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    if not shutil.which("openssl"):
        assert not os.environ.get("CI"), "CI has openssl"
        pytest.skip("openssl is not installed")
    made = ["openssl", "req", *kind, *subject, "-out", files[0], "-keyout", files[1]]
    subprocess.run(made, check=True, capture_output=True)
    return ["--certificate", files[0], "--key", files[1]]


def test_a_home_that_cannot_be_written_is_told(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("QWEN_LAB_HOME", str(tmp_path / "file"))
    with pytest.raises(LabError) as caught:
        door.hold(["Ada"], Config())
    assert caught.value.key == "server.home_file"


def test_the_sheet_has_what_each_learner_writes_and_no_name_is_more_than_text():
    seats = [Seat("<script>alert(1)</script>", "aaaa"), Seat("小明 & 小红", "bbbb")]
    page = sheet.page(seats, "http://192.168.1.5:8000/compatible-mode/v1")
    assert "<script>" not in page and "&lt;script&gt;" in page and "小明 &amp; 小红" in page
    for seat in seats:
        lines = "QWEN_LAB_ENDPOINT=http://192.168.1.5:8000/compatible-mode/v1\nQWEN_LAB_API_KEY="
        assert lines + seat.code in page
        assert f"code=&quot;{seat.code}&quot;)" in page
