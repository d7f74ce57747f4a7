import re
from inspect import signature

import pytest
from openai.resources.chat import Completions

from qwen_lab import models, words
from qwen_lab.addresses import BEIJING
from qwen_lab.connection import Lab
from qwen_lab.parameters import PARAMETERS, limit

KINDS = ("dashscope", "local", "custom")


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


@pytest.mark.parametrize("language", words.LANGUAGES)
@pytest.mark.parametrize(
    ("name", "takes", "refuses"),
    [
        ("n", ["Qwen3", "qwen-plus-character"], ["qwen-max"]),
        ("logprobs", ["qwen-plus", "qwen3-vl-plus", "Qwen3"], ["qwen-max", "qwen3-max"]),
        ("top_logprobs", ["qwen-turbo", "qwen3-vl-flash"], ["qwen3.7-max"]),
        ("max_completion_tokens", ["qwen3.7-max", "qwen3.5-plus"], ["qwen-plus", "qwen3-max"]),
        ("response_format", ["json_schema", "Qwen3.8"], ["qwen-max"]),
        ("enable_thinking", ["qwen-plus", "Qwen3.8", "instruct"], ["qwen-max", "qwq-plus"]),
        ("thinking_budget", ["enable_thinking", "qwq-plus"], ["qwen-max"]),
        ("enable_search", ["qwen-plus", "qwen-max", "qwq-plus"], ["qwen-long"]),
        ("search_options", ["qwen-flash", "qwen3-max"], ["qwen-long"]),
    ],
)
def test_the_table_tells_which_cloud_models_take_a_parameter(
    name, takes, refuses, language, monkeypatch
):
    monkeypatch.setenv("QWEN_LAB_LANG", language)
    told = PARAMETERS[name].taken_by
    assert all(model in told for model in takes)
    assert not any(model in told for model in refuses)
    assert not set("*[]") & set(told)


def test_what_all_models_take_and_what_no_page_tells_is_said():
    assert PARAMETERS["temperature"].taken_by == "all"
    assert "2026-08" in PARAMETERS["frequency_penalty"].taken_by


def test_top_k_is_off_at_0_and_above_100():
    assert [limit(top_k) for top_k in (0, 1, 100, 101)] == [0, 1, 100, 0]


def test_the_default_of_max_tokens_is_below_its_end():
    row = PARAMETERS["max_tokens"]
    assert (row.default, row.high) == (1024, 2048) and "[1, 2048]" in row.refusal


@pytest.mark.parametrize("row", PARAMETERS.values(), ids=PARAMETERS)
def test_every_source_has_its_date(row):
    assert row.source == "qwen_lab" or re.search(r"\(2026(-\d\d)?\)$", row.source)


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


def test_the_table_says_how_each_model_thinks():
    habits = {models.thinking(name) for name in models.names()}
    assert habits == {"", "on", "open", "always"}
    assert models.thinking("qwen3-8b") == "open" and models.thinking("qwq-plus") == "always"
    assert models.thinking("qwen-plus") == models.thinking("date") == ""


def test_the_price_asked_for_without_a_name_is_that_of_the_default_model():
    assert models.price() == models.price(models.DEFAULT_MODEL)


def test_a_call_costs_what_its_tokens_do_and_nothing_on_ones_own_machine():
    cloud, local, other = (Lab(BEIJING, "qwen-plus", kind, "") for kind in KINDS)
    assert models.cost(cloud, "qwen-plus", (1_000, 500)) == 0.0018
    assert models.cost(cloud, "qwen-plus", None) is None
    assert models.cost(cloud, "unknown", (1, 1)) is None
    assert models.cost(other, "qwen-plus", (1, 1)) is None
    assert models.cost(local, "unknown", None) == 0.0


def test_a_call_elsewhere_has_no_price_of_beijing():
    abroad = Lab(
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "qwen-plus", KINDS[0], ""
    )
    assert models.cost(abroad, "qwen-plus", (1_000, 500)) is None
