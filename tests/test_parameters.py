import pytest

from qwen_lab import models, text
from qwen_lab.parameters import PARAMETERS


@pytest.mark.parametrize("row", PARAMETERS.values(), ids=PARAMETERS)
def test_every_parameter_has_its_meaning_in_both_languages(row, monkeypatch):
    meanings = set()
    for language in text.LANGUAGES:
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


def test_prices_have_a_date_and_a_model_without_one_says_so():
    price = models.price("qwen-plus")
    assert (price.input, price.output, price.date) == (0.8, 2, "2026-06")
    assert models.price("qwen3.8-max") is None and models.price("date") is None
    assert "qwen3.8-max" in models.names() and "date" not in models.names()
