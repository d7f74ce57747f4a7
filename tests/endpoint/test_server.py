"""Real servers with the real model, in processes of their own."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from types import SimpleNamespace

import psutil
import pytest
from openai import OpenAI

import qwen_lab
from qwen_lab.endpoint import listener, server, server_file
from qwen_lab.endpoint.server_file import State
from qwen_lab.endpoint.weights import weights
from qwen_lab.words import LabError
from tests.conftest import serving

pytestmark = pytest.mark.model
# An answer that cannot end early, whatever the model likes to say.
LIST = {"type": "array", "items": {"type": "integer"}, "minItems": 400}
ENDLESS = {"type": "json_schema", "json_schema": {"name": "list", "schema": LIST}}


@pytest.fixture
def running(home, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_HOME", str(home))
    return server.start()


def sdk(running, **options):
    return OpenAI(base_url=running.base_url, api_key=running.token, max_retries=0, **options)


def poem(client, **fields):
    messages = [{"role": "user", "content": "写一首关于大海的长诗。"}]
    fields = {"model": "qwen-plus", "messages": messages, "max_tokens": 2000} | fields
    return client.chat.completions.create(**fields)


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


def free_slots(client):
    """A short call that wants the model alone is answered only when all slots are free.

    The poem would go on for a minute; 15 s leave room for a loaded machine.
    """
    return poem(client.with_options(timeout=15), max_tokens=1, seed=1)


def test_many_processes_that_start_at_once_share_one_server(home):
    ask = "from qwen_lab.endpoint import server; print(server.start().pid)"
    environment = os.environ | {"QWEN_LAB_HOME": str(home)}
    children = [
        subprocess.Popen([sys.executable, "-c", ask], env=environment, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    assert len({child.communicate(timeout=120)[0] for child in children}) == 1


def test_a_second_start_finds_the_first_server(running):
    assert server.start() == running == server.status()


def test_finding_the_server_loads_none_of_its_parts(running):
    code = (
        "import qwen_lab, sys; qwen_lab.connect('local');"
        "assert not {'numpy', 'openai', 'starlette', 'xllamacpp'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_answer_streams_through_a_real_socket(running):
    chunks = list(poem(sdk(running), max_tokens=5, stream=True))
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * 6 + ["length"]


def test_seeded_calls_repeat_even_beside_others(running):
    client = sdk(running)
    noise = threading.Thread(target=lambda: [poem(client, max_tokens=8) for _ in range(4)])
    noise.start()
    asked = {"seed": 7, "temperature": 1.2, "max_tokens": 8}
    texts = {poem(client, **asked).choices[0].message.content for _ in range(3)}
    noise.join()
    assert len(texts) == 1


def test_a_client_that_closes_its_stream_frees_its_slot(running):
    with poem(sdk(running), stream=True, response_format=ENDLESS) as stream:
        next(iter(stream))
    free_slots(sdk(running))


def test_a_client_that_gives_up_waiting_frees_its_slot(running):
    # One that takes long to answer, and one that takes long to read.
    for prompt in ("从 1 数到 500。", "天气很好。" * 400):
        messages = [{"role": "user", "content": prompt}]
        with pytest.raises(Exception, match="timed out"):
            poem(sdk(running, timeout=0.7), messages=messages, response_format=ENDLESS)
        free_slots(sdk(running))


def test_a_killed_client_frees_its_slot(running):
    code = f"""
from openai import OpenAI
client = OpenAI(base_url={running.base_url!r}, api_key={running.token!r})
for chunk in client.chat.completions.create(
    model="qwen-plus", stream=True, max_tokens=2000, seed=1,
    messages=[{{"role": "user", "content": "从 1 数到 500。"}}],
    response_format={ENDLESS!r},
):
    print("on", flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    child.stdout.readline()
    child.kill()
    child.communicate()
    free_slots(sdk(running))


def test_a_killed_server_is_started_again_and_old_clients_work_again(running):
    client = sdk(running)
    psutil.Process(running.pid).kill()
    wait_until(lambda: not running.alive)
    again = server.start()
    assert again.pid != running.pid
    assert (again.port, again.token) == (running.port, running.token)
    assert poem(client, max_tokens=1).choices
    # The folder of the engine's socket.
    assert len([*server_file.folder(weights.find()).glob("qwen-lab-*")]) <= 1


def test_a_server_that_is_stuck_is_replaced(running, monkeypatch):
    if os.name != "posix":
        pytest.skip("SIGSTOP is POSIX")
    monkeypatch.setattr(server, "PATIENCE", 1)
    os.kill(running.pid, signal.SIGSTOP)
    assert server.start().pid != running.pid
    wait_until(lambda: not running.alive)


def test_it_opens_one_port_alone_and_leaves_no_socket_behind(running):
    process = psutil.Process(running.pid)
    ports = {each.laddr.port for each in process.net_connections("inet")}
    sockets = [each.laddr for each in process.net_connections("unix") if each.laddr]
    assert ports == {running.port} and (sockets or os.name != "posix")
    server.stop()
    assert not any(map(os.path.exists, sockets))


def test_a_server_whose_model_does_not_move_is_ended_for_another(tmp_path, app, engine):
    with (
        serving(app) as port,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as child,
    ):
        state = State(port, "m", "t", child.pid, server_file._identity(child.pid))
        (tmp_path / "state.json").write_text(json.dumps(asdict(state)))
        assert server._running(tmp_path).pid == child.pid
        engine.stuck = True
        assert server._running(tmp_path) is None
        wait_until(lambda: not state.alive)


def test_a_model_that_does_not_move_keeps_no_idle_server(tmp_path, app, engine, monkeypatch):
    ended = []
    monkeypatch.setattr(server_file, "clients", lambda place: [])
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(type(app.state.turns.slots), "busy", 1)
    engine.stuck = True
    idle = server._exit_when_idle(SimpleNamespace(), app.state, tmp_path, None, 0.1)
    asyncio.run(asyncio.wait_for(idle, 10))
    assert ended == [1]


def test_stop_ends_the_server_and_says_whether_there_was_one(running):
    assert server.stop() is True
    assert not running.alive and server.status() is None
    assert server.stop() is False


def test_a_taken_port_is_left_for_another_one_with_a_new_token(running):
    server.stop()
    with socket.socket() as squatter:
        # Else the connections of a moment ago would keep the port from us, too.
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", running.port))
        squatter.listen()
        again = server.start()
    # Whoever took it may have been sent the old one.
    assert again.port != running.port and again.token != running.token


def test_a_port_that_is_asked_for_and_taken_is_an_error(running):
    place = server_file.folder(weights.find())
    with pytest.raises(LabError, match=f"{running.port} can't be used .*another program uses it"):
        listener.listen(place, running.port)


def test_too_little_memory_is_said_before_anything_is_loaded(monkeypatch):
    memory = psutil.virtual_memory()._replace(available=300_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    with pytest.raises(LabError, match="300 MB are free"):
        server.start()


@pytest.mark.parametrize(
    ("length", "reason"), [(1000, "bad GGUF version: 0"), (9_000_000, "within the file bounds")]
)
def test_a_broken_model_file_ends_in_the_engines_reason(tmp_path, monkeypatch, length, reason):
    broken = tmp_path / "broken.gguf"
    with weights.fetch().open("rb") as file:
        whole = file.read(length)
    broken.write_bytes(whole if length > 1000 else b"GGUF".ljust(length, b"\0"))
    monkeypatch.setenv("QWEN_LAB_GGUF", str(broken))
    with pytest.raises(LabError) as caught:
        server.start()
    assert caught.value.key == "server.did_not_start"
    assert reason in str(caught.value) and f"{broken} is damaged" in str(caught.value)


def test_a_learners_folder_of_notes_reaches_the_server(tmp_path, monkeypatch):
    (tmp_path / "school.md").write_text("## 校训\n\n勤奋求实。", encoding="utf-8")
    monkeypatch.setenv("QWEN_LAB_HOME", "home")
    monkeypatch.setenv("QWEN_LAB_NOTES", ".")
    monkeypatch.chdir(tmp_path)
    try:
        lab = qwen_lab.connect("local")
        assert lab.search("我们的校训是什么？") == [{"title": "校训", "text": "勤奋求实。"}]
        found = poem(
            sdk(server.status()),
            messages=[{"role": "user", "content": "我们的校训是什么？"}],
            extra_body={"enable_search": True},
        )
        assert "勤奋求实" in found.choices[0].message.content
    finally:
        server.stop()


def test_an_idle_server_ends_by_itself(tmp_path, monkeypatch):
    code = "from qwen_lab.endpoint import server; server.serve(idle=1)"
    child = subprocess.Popen([sys.executable, "-c", code])
    place = server_file.folder(weights.find())
    wait_until(lambda: server_file.load(place) is not None, 60)
    assert child.wait(30) == 0


def anew(home):
    shutil.rmtree(home)
    server_file.make(weights.find())


def moved(home):
    home.rename(home.with_name("other"))


def without_its_state(home):
    [file] = home.glob("*/state.json")
    file.unlink()


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps the folder a process works in")
@pytest.mark.parametrize("deed", [shutil.rmtree, anew, moved, without_its_state])
def test_a_server_that_nobody_can_find_ends_by_itself(tmp_path, monkeypatch, deed):
    monkeypatch.setenv("QWEN_LAB_HOME", str(tmp_path / "home"))
    running = server.start()
    deed(tmp_path / "home")
    wait_until(lambda: not running.alive, 60)
    assert server.stop() is False and not [*tmp_path.glob("home/*/state.json")]


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps the folder a process works in")
@pytest.mark.parametrize("moment", ["first", "before", "after"])
def test_a_server_whose_home_goes_while_it_starts_ends_and_makes_no_other(tmp_path, moment):
    place, path = server_file.make(weights.find()), weights.find()
    code = f"""
import shutil, sys
from qwen_lab.endpoint import llama, server
begin, moment = llama.LlamaEngine.__init__, sys.argv[1]
def gone(self, *given):
    moment == "before" and shutil.rmtree({str(place.parent)!r})
    begin(self, *given)
    moment == "after" and shutil.rmtree({str(place.parent)!r})
llama.LlamaEngine.__init__ = gone
moment == "first" and shutil.rmtree({str(place.parent)!r})
server.main({str(path)!r}, None)
"""
    command = [sys.executable, "-c", code, moment]
    ended = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1 and not place.parent.exists()
    assert "can't keep its files" in ended.stderr and "Traceback" not in ended.stderr


def test_a_server_that_cannot_watch_over_its_folder_ends(tmp_path, app, monkeypatch):
    def broken(place):
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(server_file, "load", broken)
    ending = SimpleNamespace(should_exit=False)
    asyncio.run(server._exit_when_idle(ending, app.state, tmp_path, None, 60))
    assert ending.should_exit


def test_a_server_lives_on_while_a_client_lives(tmp_path):
    place = server_file.make(weights.find())
    server_file.register(place)
    code = "from qwen_lab.endpoint import server; server.serve(idle=1)"
    child = subprocess.Popen([sys.executable, "-c", code])
    wait_until(lambda: server_file.load(place) is not None, 60)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(4)
    next((place / "clients").iterdir()).unlink()
    assert child.wait(30) == 0
