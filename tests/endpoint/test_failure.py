"""Servers that do not start: small programs in the place of the real one."""

import errno
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from qwen_lab import words
from qwen_lab.endpoint import failure, server, server_file, server_process
from qwen_lab.endpoint.weights import weights
from qwen_lab.words import LabError

# As llama.cpp writes it, where it was seen; the time, the letter, the place, the reason.
ENGINE = "0.01.451.029 E {}: {}\n0.01.451.070 E cmn  common_init_: failed to load model 'x'\n"
TORN = "Traceback (most recent call last):\nRuntimeError: Failed to init server, please check.\n"
CUT = "error loading model: tensor 'blk.13' data is not within the file bounds"
LOAD = "llama_model_load"


@pytest.fixture
def said(tmp_path):
    """What is said of a server with this code and log."""

    def told(code, text=""):
        log = tmp_path / "server.log"
        log.write_text(text, encoding="utf-8")
        error = failure.failure(code, log, tmp_path / "m.gguf", 120)
        assert error.key == "server.did_not_start" and str(log) in str(error)
        return str(error)

    return told


@pytest.mark.parametrize(
    ("place", "reason", "advice"),
    [
        (LOAD, CUT, "damaged or incomplete"),
        ("gguf_init_from_reader", "bad GGUF version: 0", "damaged or incomplete"),
        ("gguf_init_from_reader", "number of tensors is -35 but must be", "damaged or incomplete"),
        (
            LOAD,
            "error loading model architecture: unknown model architecture: 'x'",
            "kind of model",
        ),
        ("alloc", "failed to allocate CPU buffer of size 491400064", "Memory ran out"),
    ],
)
def test_the_engines_own_reason_is_kept_and_the_usual_ones_are_translated(
    said, place, reason, advice
):
    text = said(1, ENGINE.format(place, reason) + TORN)
    assert f"It said: {reason}" in text and advice in text


@pytest.mark.parametrize(
    ("last", "advice"),
    [
        ("MemoryError", "Memory ran out"),
        ("ModuleNotFoundError: No module named 'xllamacpp'", "python3 -m qwen_lab setup"),
        ("ImportError: libgomp.so.1: cannot open shared object file", "python3 -m qwen_lab setup"),
    ],
)
def test_a_traceback_ends_in_what_to_do(said, last, advice):
    text = said(1, f"Traceback (most recent call last):\n{last}\n")
    assert f"It said: {last}" in text and advice in text


def test_an_unknown_reason_is_quoted_and_nothing_is_made_up(said):
    assert said(1, TORN).startswith(
        "The local Qwen didn't start. It said: Failed to init server, please check. The whole log"
    )


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("SIGILL", "an instruction that this processor doesn't have"),
        ("SIGKILL", "the container's memory limit"),
        ("SIGSEGV", "it crashed"),
        ("SIGBUS", "the model file is whole"),
        ("SIGABRT", "the engine gave up"),
        ("SIGTERM", "told it to end"),
        ("SIGUSR1", "a signal from outside"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_signal_is_named_and_explained(said, name, meaning):
    text = said(-getattr(signal, name))
    assert f"ended by {name}" in text and meaning in text and "It said" not in text


def test_windows_tells_the_same_by_numbers_and_an_unknown_signal_has_its_number():
    assert failure.signal_name(0xC000001D) == "SIGILL"
    assert failure.signal_name(0xC0000005) == "SIGSEGV"
    assert failure.signal_name(-200) == "SIG200"
    assert failure.signal_name(1) == failure.signal_name(None) == ""


def test_one_that_ended_without_a_word_is_told_so(said):
    assert "It ended with code 3 and said nothing." in said(3)


def test_one_that_was_too_slow_was_not_killed_by_another(said):
    text = said(None)
    assert "within 120 seconds" in text and "SIGKILL" not in text


def test_a_log_that_no_disk_had_room_for_is_a_full_disk(said, monkeypatch):
    monkeypatch.setattr(failure.shutil, "disk_usage", lambda folder: SimpleNamespace(free=0))
    assert "The disk is full" in said(1)


def test_every_cause_and_signal_of_the_table_has_words():
    known = words.names("server")
    assert set(failure.TABLE["said"]) <= known
    assert set(failure.TABLE["codes"].values()) <= known


@pytest.fixture
def spawn(tmp_path, monkeypatch):
    """Start a program in the server's place."""
    model = tmp_path / "m.gguf"
    model.write_bytes(b"GGUF")
    monkeypatch.setattr(weights, "fetch", lambda **_: model)
    monkeypatch.setattr(server.free_memory, "check", lambda needed: None)
    popen = subprocess.Popen

    def run(program):
        asked = [sys.executable, "-c", program]
        monkeypatch.setattr(
            server_process.subprocess, "Popen", lambda command, **options: popen(asked, **options)
        )
        with pytest.raises(LabError) as caught:
            server.start()
        return str(caught.value)

    return run


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_server_that_is_killed_while_it_starts_is_told_so(spawn):
    text = spawn("import os, signal; print('0.1 E x: half'); os.kill(os.getpid(), signal.SIGKILL)")
    assert "ended by SIGKILL" in text
    assert "ended by SIGILL" in spawn("import os, signal; os.kill(os.getpid(), signal.SIGILL)")


def test_a_server_that_never_answers_is_ended_and_told_so(spawn, monkeypatch):
    monkeypatch.setattr(server, "START_LIMIT", 0.3)
    assert "It wasn't ready within 0.3 seconds" in spawn("import time; time.sleep(60)")


@pytest.mark.parametrize(
    ("number", "key"),
    [(errno.ENOSPC, "home_full"), (errno.EDQUOT, "home_full"), (errno.EACCES, "home_unwritable")],
)
@pytest.mark.parametrize("where", ["load", "make", "register"])
def test_a_home_that_cannot_be_written_is_named(spawn, monkeypatch, number, key, where):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(server_file, where, fail)
    if where == "register":
        monkeypatch.setattr(server, "_running", lambda place: True)
    for ask in (server.start, server.status)[: 1 + (where == "load")]:
        with pytest.raises(LabError, match=os.environ["QWEN_LAB_HOME"]) as caught:
            ask()
        assert caught.value.key == f"server.{key}"


def test_a_home_where_none_can_be_is_named_and_looking_for_a_server_makes_none(
    spawn, tmp_path, monkeypatch
):
    monkeypatch.setenv("QWEN_LAB_GGUF", str(tmp_path / "m.gguf"))
    assert server.status() is None and server.stop() is False
    assert not (tmp_path / "home").exists()
    monkeypatch.setenv("QWEN_LAB_HOME", str(tmp_path / "m.gguf"))
    with pytest.raises(LabError, match=r"m\.gguf, which is a file") as caught:
        server.start()
    assert caught.value.key == "server.home_file"
    monkeypatch.setenv("QWEN_LAB_HOME", str(tmp_path / "m.gguf" / "home"))
    assert server.status() is None
    for ask in (server.start, server.serve):
        with pytest.raises(LabError, match="m.gguf.home") as caught:
            ask()
        assert caught.value.key == "server.home_unwritable"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is full")
def test_a_state_that_finds_no_room_ends_in_one_sentence(spawn):
    text = spawn("open('/dev/full', 'wb', buffering=0).write(b'x')")
    assert "The disk is full" in text and "It said" not in text


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_a_full_disk_is_told_once_and_a_sentence_ends_in_one_full_stop(said, language):
    words.use(language)
    own = words.say("server.home_full", folder="/home/li/state")
    for last in ("OSError: [Errno 28] No space left on device", own):
        text = said(1, f"Traceback (most recent call last):\n{last}\n")
        full = {"en": "disk is full", "zh": "磁盘满了"}[language]
        assert text.count(full) == 1 and "No space" not in text
    for end in ("。", ".", ""):
        text = said(1, f"RuntimeError: half{end}\n")
        assert "half. " in text if language == "en" else "half。完整" in text
