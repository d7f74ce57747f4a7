import json
import os

import pytest

from qwen_lab.parameters import PARAMETERS
from qwen_lab.widgets.presets import BUNDLED, Presets
from qwen_lab.words import LabError

from ..views.hostile import HOSTILE


@pytest.fixture
def presets(tmp_path):
    return Presets(tmp_path / "folder" / "presets.json")


@pytest.mark.parametrize("values", BUNDLED.values())
def test_a_bundled_set_is_one_that_the_table_takes(values):
    assert all(PARAMETERS[name].takes(value) for name, value in values.items())


def test_ones_own_set_is_kept_in_one_readable_file(presets):
    presets.save("我的", {"temperature": 0.2, "stop": ["。"]})
    presets.save("two", {"seed": 7})
    fresh = Presets(presets.path).all()
    assert fresh["我的"] == {"temperature": 0.2, "stop": ["。"]} and fresh["two"] == {"seed": 7}
    assert "我的" in presets.path.read_text(encoding="utf-8")
    assert list(presets.path.parent.iterdir()) == [presets.path]


def test_the_file_lies_in_the_labs_home_unless_named(monkeypatch, tmp_path):
    monkeypatch.setenv("QWEN_LAB_HOME", str(tmp_path))
    assert Presets().path == tmp_path / "presets.json"


@pytest.mark.parametrize("content", ["", "{", "[]", "7", '{"a": 7}', "\ufffe"])
def test_a_broken_file_is_no_set_and_is_not_lost(presets, content):
    presets.path.parent.mkdir()
    presets.path.write_text(content, encoding="utf-8")
    assert len(presets.all()) == len(BUNDLED)
    presets.save("a", {"seed": 1})
    assert presets.all()["a"] == {"seed": 1}
    assert presets.path.with_suffix(".json.bak").read_text(encoding="utf-8") == content


def test_what_the_table_does_not_take_is_left_out(presets):
    presets.path.parent.mkdir()
    values = {"temperature": 9, "top_p": 0.5, "nonsense": 1, "max_tokens": "many"}
    presets.path.write_text(json.dumps({"a": values}))
    assert presets.all()["a"] == {"top_p": 0.5}


def test_any_name_will_do(presets):
    for name in HOSTILE[:-6]:
        presets.save(name, {"seed": 1})
        assert presets.all()[name] == {"seed": 1}


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError, match="presets.json"):
        Presets(tmp_path / "file" / "presets.json").save("a", {})
    assert os.listdir(tmp_path) == ["file"]
