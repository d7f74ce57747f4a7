import re

import pytest

import qwen_lab
from qwen_lab.parameters import PARAMETERS, named

from .test_grid import seen


def test_the_table_has_every_parameter_with_its_range_default_and_place():
    view = qwen_lab.knobs()
    lines = view.text.splitlines()
    assert [line.split()[0] for line in lines[: len(PARAMETERS)]] == [*PARAMETERS]
    assert lines[0].split() == ["temperature", "[0,", "2)", "0.7", "create()", "all"]
    assert "top_k" in lines[2] and "20      extra_body" in lines[2]
    assert "top_k [0, ∞) 20 extra_body all" in seen(view.html)


def test_it_tells_in_words_which_models_take_a_parameter_and_from_when_that_is():
    view = qwen_lab.knobs("logprobs", "enable_search")
    assert "dated versions of qwen-plus" in view.text and "qwq-plus" in view.text
    assert "web-search (2026-09)" in view.text and "error-code" not in view.text
    assert not re.search(r"qwen[^ ]*[*\[]", view.text)


def test_what_no_page_documents_names_no_page():
    view = qwen_lab.knobs("frequency_penalty")
    assert "not documented" in view.text and "aliyun" not in view.text


def test_it_speaks_chinese(monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    view = qwen_lab.knobs("temperature")
    assert "云上哪些模型有它" in view.html and view.text.splitlines()[0].endswith("全部")


def test_an_unknown_name_is_an_error_that_lists_the_names():
    with pytest.raises(ValueError, match="'topk' is no parameter; there are temperature, "):
        qwen_lab.knobs("temperature", "topk")
    assert named("top_k") == [PARAMETERS["top_k"]] and named() == [*PARAMETERS.values()]
