"""Checks of what a call uses and what it costs."""

import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import NamedTuple

from openai.types import CompletionUsage

from .. import models
from ..words import say
from .functions import need_return, result_of
from .outcome import Outcome, check, is_number, need, passed


class Case(NamedTuple):
    """One call: its tokens, how many of them were cached and how many thinking, and the price."""

    prompt: int
    completion: int
    cached: int
    thinking: int
    price: models.Price

    @property
    def cny(self) -> float:
        """What it costs."""
        return self.price.of(self.prompt, self.completion)


USUAL = models.price()
# Another price: it must be that of the argument, not that of the lesson.
DEAR = models.Price(12, 36, USUAL.date)
CASES = (
    Case(1200, 300, 0, 0, USUAL),
    # As recorded of a model that thinks: thinking is a part of the answer's tokens.
    Case(56, 34, 0, 28, DEAR),
    Case(2000, 70, 1500, 0, DEAR),
)


@check
def in_cny(function: object) -> Outcome:
    """Judge a function `cost(usage, price)` that gives what a call costs, in CNY.

    The function is called with several made-up pairs: the `usage` of a response, and a price of
    which there is only `input` and `output`, in CNY for a million tokens.

    >>> checks.cost.in_cny(lambda usage, price: usage.total_tokens * price.output)
    wrong: ...
    """
    for case in CASES:
        given = (_usage(case), SimpleNamespace(input=case.price.input, output=case.price.output))
        seen = result_of(function, *given, raised="checks_cost.raised")
        need_return(seen)
        need(is_number(seen), "checks_cost.not_number", seen)
        _need_right(float(seen), case)
    return passed("checks_cost.passed")


def _usage(case: Case) -> object:
    thought = {"reasoning_tokens": case.thinking, "text_tokens": case.completion}
    return CompletionUsage.construct(
        prompt_tokens=case.prompt,
        completion_tokens=case.completion,
        total_tokens=case.prompt + case.completion,
        prompt_tokens_details={"cached_tokens": case.cached},
        completion_tokens_details=None if case.cached else thought,
    )


def _need_right(seen: float, case: Case) -> None:
    """The amount must be right; if not, the advice is what can be told from the amount."""
    slips = (advice for advice, cny in _slips(case) if _close(seen, cny))
    advice = say(next(slips, "checks_cost.advice"))
    words = {"prompt": case.prompt, "completion": case.completion, "expected": f"{case.cny:.6f}"}
    words |= {"input": case.price.input, "output": case.price.output, "advice": advice}
    need(_close(seen, case.cny), "checks_cost.other", seen, **words)


def _slips(case: Case) -> Iterator[tuple[str, float]]:
    """Advice, and the amount that shows one needs it."""
    prompt, completion, price = case.prompt, case.completion, case.price
    yield "checks_cost.advice_unit", case.cny * 1e6
    yield "checks_cost.advice_unit", case.cny * 1000
    yield "checks_cost.advice_output", price.of(prompt, 0)
    yield "checks_cost.advice_input", price.of(0, completion)
    yield "checks_cost.advice_swapped", price.of(completion, prompt)
    yield "checks_cost.advice_both_prices", price.of(0, prompt + completion)
    yield "checks_cost.advice_price", USUAL.of(prompt, completion)
    yield "checks_cost.advice_thinking", price.of(prompt, completion + case.thinking)
    yield "checks_cost.advice_rounded", round(case.cny, 2)
    yield "checks_cost.advice_rounded", round(case.cny, 3)


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-6)
