import time
from unittest.mock import Mock

import httpx2
import huggingface_hub
import pytest

from qwen_lab.endpoint.weights import hub, pace

MODEL = b"GGUF" + bytes(range(256)) * 9
HEAD = (0, 4)


@pytest.fixture
def partial(tmp_path):
    return tmp_path / "partial"


def fill(partial):
    hub.fill(partial, "Qwen/Small", "small.gguf", len(MODEL))


def test_file_comes_from_its_address_without_a_token(server, partial, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fill(partial)
    assert partial.read_bytes() == MODEL
    assert server.paths[0] == "/Qwen/Small/resolve/main/small.gguf"
    assert set(server.tokens) == {None}
    said = capsys.readouterr()
    assert "100%" in said.err and said.out == ""


def test_earlier_run_is_continued(server, partial):
    partial.write_bytes(MODEL[:1234])
    fill(partial)
    assert partial.read_bytes() == MODEL
    assert server.ranges == [HEAD, (1234, len(MODEL) - 1234)]


def test_cut_connection_is_taken_up_where_it_broke(server, partial):
    server.cuts = [700, 300]
    fill(partial)
    assert partial.read_bytes() == MODEL
    assert [start for start, _ in server.ranges] == [0, 0, 700, 1000]


def test_connection_that_brings_nothing_more_ends_it_and_keeps_what_came(server, partial):
    server.cuts = [700, 0]
    with pytest.raises(OSError, match="ended before all had come"):
        fill(partial)
    assert partial.read_bytes() == MODEL[:700]


def test_empty_answer_ends_it(server, partial):
    server.empty = True
    with pytest.raises(OSError, match="empty answer"):
        fill(partial)


@pytest.mark.parametrize("body", [MODEL + b"more", b"<html>".ljust(len(MODEL))])
def test_other_file_is_not_fetched(server, partial, body):
    server.body = body
    with pytest.raises(OSError, match="isn't the official model file"):
        fill(partial)
    assert server.ranges == [HEAD]


@pytest.mark.parametrize("status", [200, 404, 503])
def test_status_is_named(server, partial, status):
    server.status = status
    with pytest.raises(OSError, match=f"HTTP {status}"):
        fill(partial)
    assert not partial.exists()


def test_silent_hub_is_left_in_time(server, partial, monkeypatch):
    server.delay = 3
    monkeypatch.setattr(hub, "PATIENCE", 0.2)
    begun = time.monotonic()
    with pytest.raises(OSError, match="no answer within 0.2 seconds"):
        fill(partial)
    assert time.monotonic() - begun < 2.5


@pytest.mark.parametrize("error", [httpx2.ConnectTimeout, httpx2.ReadTimeout, TimeoutError])
def test_silence_has_one_sentence_whoever_meets_it_first(partial, monkeypatch, error):
    monkeypatch.setattr(hub, "_probe", Mock(side_effect=error("")))
    with pytest.raises(OSError, match="no answer within 15 seconds"):
        fill(partial)


def test_slow_look_up_of_the_name_is_left_in_time(server, partial, monkeypatch):
    monkeypatch.setattr(hub, "PATIENCE", 0.2)
    monkeypatch.setattr(hub, "_probe", lambda url, size: time.sleep(1))
    with pytest.raises(OSError, match="no answer within 0.2 seconds"):
        fill(partial)


def test_slow_hub_is_left_and_what_came_is_kept(server, partial, monkeypatch):
    server.bytes_at_a_time = 10
    monkeypatch.setattr(pace, "SECONDS", 0.2)
    monkeypatch.setattr(pace, "LEAST", 1000)
    with pytest.raises(pace.SlowError, match=r"only 0 kB came in 0\.2 seconds"):
        fill(partial)
    came = partial.read_bytes()
    assert 0 < len(came) < 1000 and MODEL.startswith(came)
    # The pace of a connection that breaks again and again is that of all of them.
    server.cuts = [20] * 1000
    with pytest.raises(pace.SlowError):
        fill(partial)


def test_patience_bears_a_slow_hub(server, partial, monkeypatch):
    server.bytes_at_a_time = 100
    monkeypatch.setattr(pace, "SECONDS", 0.1)
    hub.fill(partial, "Qwen/Small", "small.gguf", len(MODEL), patient=True)
    assert partial.read_bytes() == MODEL


def test_offline_mode_asks_nobody(server, partial, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(OSError, match="HF_HUB_OFFLINE is set"):
        fill(partial)
    assert server.paths == []


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "mirror.example", "http://hub:port"])
def test_endpoint_that_leads_nowhere_is_an_os_error(server, partial, monkeypatch, endpoint):
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(OSError):
        fill(partial)


@pytest.mark.parametrize("proxy", ["socks4://127.0.0.1:9", "http://127.0.0.1:port"])
def test_a_proxy_that_the_client_cannot_use_is_an_os_error(server, partial, monkeypatch, proxy):
    monkeypatch.setenv("all_proxy", proxy)
    huggingface_hub.close_session()
    with pytest.raises(OSError):
        fill(partial)
