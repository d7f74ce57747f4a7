"""Where the engine listens: out of a browser's reach, wherever there are sockets without a port."""

import os
import socket
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
def test_the_address_has_room_on_every_system_and_its_folder_goes_with_it():
    listener = Listener()
    folder = Path(listener.host).parent
    assert len(os.fsencode(listener.host)) <= 103 and folder.is_dir()
    del listener
    assert not folder.exists()
