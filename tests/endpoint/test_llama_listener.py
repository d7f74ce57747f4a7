"""Where the engine listens: out of a browser's reach, wherever there are sockets without a port."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from qwen_lab.endpoint.llama import LlamaEngine
from qwen_lab.endpoint.llama_listener import Listener
from qwen_lab.endpoint.weights import weights

UNIX = hasattr(socket, "AF_UNIX")


def ports():
    own = psutil.Process().net_connections("inet")
    return {each.laddr.port for each in own if each.status == psutil.CONN_LISTEN}


@pytest.fixture
def deep(tmp_path, monkeypatch):
    """A folder for temporary files whose name is too long for a socket's address."""
    (tmp_path / ("d" * 100)).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("d" * 100)))


def asked(engine):
    return engine._post("/tokenize", {"content": "你好"})["tokens"]


@pytest.mark.model
@pytest.mark.skipif(not UNIX, reason="Python knows no such sockets on Windows")
def test_the_engine_opens_no_port_and_only_its_owner_can_reach_it():
    before, path = ports(), weights.fetch()
    engine = LlamaEngine(path, "m")
    assert ports() == before and asked(engine)
    folder = Path(engine._listener.host).parent
    assert folder.stat().st_mode & 0o077 == 0
    with pytest.raises(RuntimeError, match="Invalid API Key"):
        engine._listener.key = "another"
        asked(engine)


@pytest.mark.model
def test_where_there_can_be_no_socket_it_is_a_port_of_loopback(deep):
    engine = LlamaEngine(weights.fetch(), "m")
    assert asked(engine) and engine._listener.address.startswith("http://127.0.0.1:")


@pytest.mark.skipif(not UNIX, reason="Python knows no such sockets on Windows")
def test_the_socket_lies_in_the_servers_own_folder_and_goes_with_it(tmp_path):
    before = os.listdir(tempfile.gettempdir())
    listener = Listener(tmp_path)
    folder = Path(listener.host).parent
    assert folder.parent == tmp_path and folder.is_dir()
    assert os.listdir(tempfile.gettempdir()) == before
    del listener
    assert not os.listdir(tmp_path)


@pytest.mark.skipif(not UNIX, reason="Python knows no such sockets on Windows")
def test_under_a_long_path_it_lies_among_the_temporary_files_with_room_on_every_system(tmp_path):
    place = tmp_path / ("d" * 100)
    place.mkdir()
    listener = Listener(place)
    folder = Path(listener.host).parent
    assert len(os.fsencode(listener.host)) <= 103 and folder.is_dir()
    assert not os.listdir(place) and folder.parent == Path(tempfile.gettempdir())
    assert Path(Listener(tmp_path / "gone").host).parent.parent == folder.parent
    del listener
    assert not folder.exists()


@pytest.mark.skipif(not UNIX, reason="Python knows no such sockets on Windows")
@pytest.mark.parametrize("long", [False, True])
def test_what_a_killed_server_left_goes_at_the_next_start(tmp_path, monkeypatch, long):
    place = tmp_path / ("d" * 100)
    place.mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    place = place if long else tmp_path / "tmp"
    code = (
        "import os, pathlib; from qwen_lab.endpoint.llama_listener import Listener;"
        f"listener = Listener(pathlib.Path({str(place)!r})); os.kill(os.getpid(), 9)"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path / "tmp")}
    living, named = Listener(place), tmp_path / "tmp" / "qwen-lab-notes-2"
    named.mkdir()
    # Killed, and nobody has taken note yet.
    killed = subprocess.Popen([sys.executable, "-c", code], env=environment)
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    assert len(os.listdir(tmp_path / "tmp")) == 3
    other = Listener(place)
    assert killed.wait() == -9
    left = {Path(each.host).parent for each in (living, other)}
    assert set((tmp_path / "tmp").iterdir()) == left | {named}
