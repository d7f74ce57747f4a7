"""`cost.in_cny` of four kinds of functions: untouched, wrong, crashing, right."""

from decimal import Decimal
from fractions import Fraction

import pytest

from qwen_lab import models
from qwen_lab.checks.cost import in_cny


def starter(usage, price): ...


def forgetful(usage, price):
    right(usage, price)


def right(usage, price):
    return (usage.prompt_tokens * price.input + usage.completion_tokens * price.output) / 1_000_000


def parts(usage, price):
    """The four numbers, for formulas that use them wrongly."""
    return usage.prompt_tokens, usage.completion_tokens, price.input / 1e6, price.output / 1e6


def thinking(usage):
    return getattr(usage.completion_tokens_details, "reasoning_tokens", 0)


def formula(compute):
    return lambda usage, price: compute(*parts(usage, price))


USUAL = models.price()
# What is wrong, by the words that say so.
WRONG = {
    "Your answer is 0.0012; expected a function": 0.0012,
    "Your answer is None; expected a function": None,
    "returned '0.001560 CNY'; expected a number": lambda u, p: f"{right(u, p):.6f} CNY",
    "returned an object of type complex; expected a number": lambda u, p: 1j,
    "price that has only input and output, your function raised AttributeError": lambda u, p: p.of(
        u.prompt_tokens, u.completion_tokens
    ),
    "2000 tokens in and 70 out, at 12 and 36 CNY: your function returned 0.0121": lambda u, p: (
        right(u, p) - 0.8 * p.input * u.prompt_tokens_details.cached_tokens / 1e6
    ),
    "nothing off for the cache": lambda u, p: (
        right(u, p) - p.input * u.prompt_tokens_details.cached_tokens / 2e6
    ),
    "returned 1.0; expected 0.001560. Multiply": lambda u, p: Decimal(1),
    "returned True; expected a number": lambda u, p: True,
    "divide by 1,000,000": lambda u, p: right(u, p) * 1e6,
    "expected 0.001560. The prices are for a million": lambda u, p: right(u, p) * 1000,
    "The answer's tokens, at price.output, are missing": formula(lambda p, c, i, o: p * i),
    "The prompt's tokens, at price.input, are missing": formula(lambda p, c, i, o: c * o),
    "The two prices are swapped": formula(lambda p, c, i, o: p * o + c * i),
    "There are two prices: one": formula(lambda p, c, i, o: (p + c) * o),
    "returned 0.0018": formula(lambda p, c, i, o: (p + c) * i + c * o),
    "Take the price that the function is given": lambda u, p: right(u, USUAL),
    "56 tokens in and 34 out, at 12 and 36 CNY": lambda u, p: right(u, USUAL),
    "your function returned 0.002904; expected 0.001896. Thinking isn't added": (
        lambda u, p: right(u, p) + u.completion_tokens_details.reasoning_tokens * p.output / 1e6
    ),
    "Thinking isn't added": lambda u, p: right(u, p) + thinking(u) * p.output / 1e6,
    "returned 0.00088799": lambda u, p: right(u, p) - thinking(u) * p.output / 1e6,
    "returned 0.0; expected 0.001560. Don't round": lambda u, p: round(right(u, p), 2),
    "returned 0.002; expected 0.001560. Don't": lambda u, p: round(right(u, p), 3),
    "Multiply prompt_tokens by price.input": lambda u, p: 5.0,
    "your function returned nan; expected": lambda u, p: float("nan"),
}


UNTOUCHED = [..., starter, forgetful]
CRASHING = [
    ("TypeError: ", lambda: 0.0),
    ("AttributeError: ", lambda usage, price: usage.tokens),
    ("ZeroDivisionError: ", lambda usage, price: 1 / 0),
    ("KeyError: ", lambda usage, price: {}["x" * 10_000]),
]
RIGHT = [
    right,
    lambda usage, price: round(right(usage, price), 6),
    lambda usage, price: models.Price(price.input, price.output, "").of(
        usage.prompt_tokens, usage.completion_tokens
    ),
    lambda usage, price: (
        (
            usage.prompt_tokens * Decimal(price.input)
            + usage.completion_tokens * Decimal(price.output)
        )
        / 1_000_000
    ),
    lambda usage, price: Fraction(right(usage, price)),
]


@pytest.mark.parametrize("function", UNTOUCHED)
def test_a_function_that_is_not_written_or_returns_nothing_is_not_yet(function):
    assert in_cny(function).status == "not yet"


@pytest.mark.parametrize(("words", "function"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_function_is_told_what_is_wrong(words, function):
    outcome = in_cny(function)
    assert outcome.status == "wrong" and len(outcome.message) < 300
    assert words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize(("words", "function"), CRASHING)
def test_a_function_that_crashes_is_told_the_error(words, function):
    outcome = in_cny(function)
    assert outcome.status == "wrong" and words in outcome.message and len(outcome.message) < 300


@pytest.mark.parametrize("function", RIGHT)
def test_a_right_function_passes(function):
    assert in_cny(function).status == "passed"


def test_every_function_is_told_the_same_in_chinese(in_chinese):
    crashing = [function for _, function in CRASHING]
    for function in [*UNTOUCHED, *WRONG.values(), *crashing, *RIGHT]:
        in_chinese(in_cny, function)
