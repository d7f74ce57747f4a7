from inspect import signature

import pytest
from openai.resources.chat import Completions

from qwen_lab import models, words
from qwen_lab.parameters import PARAMETERS


@pytest.mark.parametrize("row", PARAMETERS.values(), ids=PARAMETERS)
def test_every_parameter_has_its_meaning_in_both_languages(row, monkeypatch):
    meanings = set()
    for language in words.LANGUAGES:
        monkeypatch.setenv("QWEN_LAB_LANG", language)
        meanings.add(row.meaning)
    assert len(meanings) == 2 and all(meanings)


@pytest.mark.parametrize("row", PARAMETERS.values(), ids=PARAMETERS)
def test_every_default_is_in_range(row):
    assert row.default is None or row.fits(row.default)
    assert row.low is None or row.default is None or row.allows(row.default)


def test_ranges_are_written_as_mathematics_does():
    names = ("temperature", "top_p", "top_k", "repetition_penalty", "stop")
    ranges = [PARAMETERS[name].range for name in names]
    assert ranges == ["[0, 2)", "(0, 1]", "[0, ∞)", "(0, ∞)", ""]


@pytest.mark.parametrize(
    ("name", "takes", "refuses"),
    [
        ("temperature", ["qwen-plus", "anything"], []),
        ("n", ["qwen3-8b", "qwen3-max"], ["qwen-plus", "qwen-max"]),
        ("logprobs", ["qwen-plus-2025-12-01", "qwen3-235b-a22b"], ["qwen-plus", "qwen3-max"]),
        ("top_logprobs", ["qwen3-30b-a3b-instruct-2507"], ["qwen3.7-max"]),
        ("max_completion_tokens", ["qwen3.7-max", "qwen3.5-plus"], ["qwen-plus", "qwen3-max"]),
        ("enable_thinking", ["qwen-plus", "qwen3-8b"], ["qwen-max", "qwen3-8b-instruct-2507"]),
        ("enable_search", ["qwen-plus", "qwen-max", "qwq-plus"], ["qwen3-8b", "qwen-long"]),
    ],
)
def test_the_table_knows_which_cloud_models_take_a_parameter(name, takes, refuses):
    row = PARAMETERS[name]
    assert all(row.taken_by(model) for model in takes)
    assert not any(row.taken_by(model) for model in refuses)


def test_the_table_has_every_parameter_that_dashscope_documents_for_chat():
    documented = """
        temperature top_p top_k repetition_penalty presence_penalty frequency_penalty max_tokens
        max_completion_tokens seed n stop logprobs top_logprobs stream stream_options
        response_format tools tool_choice parallel_tool_calls enable_thinking thinking_budget
        enable_search search_options
    """
    assert list(PARAMETERS) == documented.split()


@pytest.mark.parametrize("row", PARAMETERS.values(), ids=PARAMETERS)
def test_what_the_sdk_has_no_keyword_for_goes_in_extra_body(row):
    assert row.keyword == (row.name in signature(Completions.create).parameters)


def test_prices_have_a_date_and_a_model_without_one_says_so():
    price = models.price("qwen-plus")
    assert (price.input, price.output, price.date) == (0.8, 2, "2026-06")
    assert models.price("qwen3.8-max") is None and models.price("date") is None
    assert "qwen3.8-max" in models.names() and "date" not in models.names()
