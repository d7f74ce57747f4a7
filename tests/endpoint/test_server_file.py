import json
import os
import subprocess
import sys
from datetime import datetime
from urllib.parse import urlsplit

import psutil
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qwen_lab.endpoint import server_file
from tests.strange import fuzz

texts = st.text(max_size=9) | st.sampled_from(["abc", "1", "", "\ud800", "a b", "x\n", "１"])
numbers = st.integers() | st.floats() | st.sampled_from([1, 99999, 2**31, 2**32, 2**63, 10**400])
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)


@pytest.fixture
def place(tmp_path):
    return server_file.make(tmp_path / "model.gguf")


def ended_process():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = server_file._identity(child.pid)
    child.communicate()
    return child.pid, identity


def rewrite(place, **fields):
    """The state with some of its fields changed."""
    row = json.loads((place / "state.json").read_text()) | fields
    (place / "state.json").write_text(json.dumps(row))
    return server_file.load(place)


def test_a_saved_state_is_read_back_and_alive(place):
    saved = server_file.save(place, 5000, "qwen")
    assert server_file.load(place) == saved and saved.alive
    assert saved.base_url == "http://127.0.0.1:5000/compatible-mode/v1"


def test_the_token_outlives_the_server_at_its_port_alone(place):
    saved = server_file.save(place, 1, "a")
    assert server_file.save(place, 1, "b").token == saved.token
    # Another program has that port by now, and may have been sent the token.
    assert server_file.save(place, 2, "b").token != saved.token


def test_the_token_is_long_and_not_in_the_repr(place):
    saved = server_file.save(place, 1, "a")
    assert len(saved.token) >= 32 and saved.token not in repr(saved)


@pytest.mark.skipif(os.name != "posix", reason="permissions of this kind are POSIX")
def test_only_the_owner_can_read_the_state(place):
    server_file.save(place, 1, "a")
    assert (place / "state.json").stat().st_mode & 0o077 == 0
    assert place.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"port": 1}', "\ufffe", "[" * 100_000, "9" * 5000]
)
def test_a_state_file_that_cannot_be_read_is_no_state(place, content):
    (place / "state.json").write_text(content, encoding="utf-8")
    assert server_file.load(place) is None


@fuzz(200)
@example("port", 99999)
@example("pid", -1)
@example("created", 10**15)
@example("model", "\ud800")
@given(st.sampled_from(["port", "pid", "identity", "model", "token", "created", "x"]), anything)
def test_whatever_stands_in_a_field_of_the_state_is_usable_or_no_state(place, name, value):
    server_file.save(place, 5000, "qwen")
    if found := rewrite(place, **{name: value}):
        assert urlsplit(found.base_url).port == found.port
        assert f"Bearer {found.token}".encode("latin-1")
        assert datetime.fromtimestamp(found.created) and found.model.encode()
        assert found.alive in (True, False)


@pytest.mark.skipif(os.name != "posix", reason="pipes with a name are POSIX")
def test_a_pipe_in_the_place_of_the_state_keeps_nobody_waiting(place):
    os.mkfifo(place / "state.json")
    assert server_file.load(place) is None


def test_a_process_that_ended_is_not_alive(place):
    pid, identity = ended_process()
    server_file.save(place, 1, "a")
    assert not rewrite(place, pid=pid, identity=identity).alive


def test_a_new_process_with_an_old_number_is_not_alive(place):
    saved = server_file.save(place, 1, "a")
    assert not rewrite(place, identity=saved.identity + 1).alive


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere a start is not counted from the boot")
def test_a_clock_that_is_set_ends_nobody(place, monkeypatch):
    saved, boot = server_file.save(place, 1, "a"), psutil.boot_time()
    server_file.register(place)
    # So Linux shows that the clock was set.
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: boot + 3600)
    assert saved.alive and server_file.clients(place) == [os.getpid()]


def test_a_connected_process_counts_while_it_lives(place):
    server_file.register(place)
    gone = place / "clients" / "{}.{}".format(*ended_process())
    others = [place / "clients" / name for name in ("nonsense", "1.2.3", "-1.5", "1.x")]
    for file in (gone, *others):
        file.touch()
    assert server_file.clients(place) == [os.getpid()]
    assert not gone.exists() and all(other.exists() for other in others)


def test_another_model_or_notes_folder_has_another_server(tmp_path, monkeypatch):
    one, other = server_file.folder(tmp_path / "a.gguf"), server_file.folder(tmp_path / "b.gguf")
    monkeypatch.setenv("QWEN_LAB_NOTES", str(tmp_path))
    assert len({one, other, server_file.folder(tmp_path / "a.gguf")}) == 3
