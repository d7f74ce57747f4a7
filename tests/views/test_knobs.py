import re

import pytest

import qwen_lab
from qwen_lab.endpoint.answer import DEFAULT_SEED
from qwen_lab.parameters import PARAMETERS, named

from .test_grid import seen


def lines(view):
    """The rows of the short form as pairs of lines: its cells, and what it does."""
    text = view.text.splitlines()
    return list(zip(text[::2], text[1::2], strict=False))


def test_the_table_has_every_parameter_with_its_range_default_place_and_meaning():
    view = qwen_lab.knobs()
    head, *rows = lines(view)
    assert head[0].split()[:4] == ["Name", "Range", "Default", "Goes"]
    assert head[1].strip() == "What it does"
    assert [cells.split()[0] for cells, _ in rows[: len(PARAMETERS)]] == [*PARAMETERS]
    assert rows[0][0].split() == ["temperature", "[0,", "2)", "0.7", "create()", "all"]
    assert "20      extra_body" in rows[2][0]
    assert [words.strip() for _, words in rows[: len(PARAMETERS)]] == [
        row.meaning for row in PARAMETERS.values()
    ]
    top_k = PARAMETERS["top_k"].meaning
    assert f"top_k [0, ∞) 20 extra_body {top_k} all" in seen(view.html)


def test_a_default_is_what_the_pages_say_or_a_dash():
    cells = {row[0].split()[0]: row[0] for row in lines(qwen_lab.knobs())}
    assert cells["seed"].split()[3] == str(DEFAULT_SEED) == "1234"
    assert cells["enable_thinking"].split()[2] == "False"
    assert cells["tools"].split()[1:3] == ["–", "–"]
    assert "None" not in qwen_lab.knobs().text


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
    head, row = lines(view)[:2]
    assert "支持它的云上模型" in view.html and row[0].endswith("全部")
    assert "temperature" in row[0] and PARAMETERS["temperature"].meaning in view.html
    # On a screen a Chinese character is two places wide.
    before = head[0].index("支持")
    assert before + len(re.findall("[一-龥]", head[0][:before])) == row[0].index("全部")


def test_names_in_a_list_are_an_error_that_shows_how_to_write_them():
    with pytest.raises(TypeError, match="one by one, .*knobs\\('top_p', 'top_k'\\); you gave list"):
        qwen_lab.knobs(["temperature"])


def test_an_unknown_name_is_an_error_that_lists_the_names():
    with pytest.raises(ValueError, match="no parameter 'topk'. There are: temperature, "):
        qwen_lab.knobs("temperature", "topk")
    assert named("top_k") == [PARAMETERS["top_k"]] and named() == [*PARAMETERS.values()]


def test_a_name_of_a_model_and_a_date_stay_whole_in_a_line():
    page = qwen_lab.knobs("frequency_penalty", "n").html
    for whole in ("qwen-plus", "2026-08", "qwen-plus-character"):
        assert f'<span class="whole">{whole}</span>' in page


def test_a_number_without_a_default_has_that_of_the_playgrounds_row():
    cells = {row[0].split()[0]: row[0] for row in lines(qwen_lab.knobs())}
    assert cells["max_completion_tokens"].split()[3] == "2048"
    assert cells["thinking_budget"].split()[3] == "2048"
