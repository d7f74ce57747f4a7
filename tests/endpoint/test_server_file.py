import json
import os
import subprocess
import sys

import psutil
import pytest

from qwen_lab.endpoint import server_file


@pytest.fixture
def place(tmp_path):
    return server_file.folder(tmp_path / "model.gguf")


def ended_process():
    child = subprocess.Popen([sys.executable, "-c", ""])
    started = psutil.Process(child.pid).create_time()
    child.wait()
    return child.pid, started


def test_a_saved_state_is_read_back_and_alive(place):
    saved = server_file.save(place, 5000, "qwen")
    assert server_file.load(place) == saved and saved.alive
    assert saved.base_url == "http://127.0.0.1:5000/compatible-mode/v1"


def test_the_token_outlives_the_server(place):
    assert server_file.save(place, 1, "a").token == server_file.save(place, 2, "b").token


def test_the_token_is_long_and_not_in_the_repr(place):
    saved = server_file.save(place, 1, "a")
    assert len(saved.token) >= 32 and saved.token not in repr(saved)


@pytest.mark.skipif(os.name != "posix", reason="permissions of this kind are POSIX")
def test_only_the_owner_can_read_the_state(place):
    server_file.save(place, 1, "a")
    assert (place / "state.json").stat().st_mode & 0o077 == 0
    assert place.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"port": 1}', "\ufffe"])
def test_a_state_file_that_cannot_be_read_is_no_state(place, content):
    (place / "state.json").write_text(content, encoding="utf-8")
    assert server_file.load(place) is None


def test_a_process_that_ended_is_not_alive(place):
    pid, started = ended_process()
    server_file.save(place, 1, "a")
    file = place / "state.json"
    row = json.loads(file.read_text()) | {"pid": pid, "started": started}
    file.write_text(json.dumps(row))
    assert not server_file.load(place).alive


def test_a_new_process_with_an_old_number_is_not_alive(place):
    saved = server_file.save(place, 1, "a")
    file = place / "state.json"
    file.write_text(file.read_text().replace(str(saved.started), str(saved.started - 60)))
    assert not server_file.load(place).alive


def test_a_connected_process_counts_while_it_lives(place):
    server_file.register(place)
    pid, started = ended_process()
    (place / "clients" / str(pid)).write_text(str(started))
    (place / "clients" / "nonsense").write_text("x")
    assert server_file.clients(place) == [os.getpid()]
    assert not (place / "clients" / str(pid)).exists()


def test_another_model_or_notes_folder_has_another_server(tmp_path, monkeypatch):
    one, other = server_file.folder(tmp_path / "a.gguf"), server_file.folder(tmp_path / "b.gguf")
    monkeypatch.setenv("QWEN_LAB_NOTES", str(tmp_path))
    assert len({one, other, server_file.folder(tmp_path / "a.gguf")}) == 3
