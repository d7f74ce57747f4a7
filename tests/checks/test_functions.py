"""What becomes of a function that the learner wrote: it gives something, nothing, or raises."""

import pytest

from qwen_lab.checks.functions import called, need_no_error, need_return, result_of
from qwen_lab.checks.outcome import Judged


def fails(*arguments):
    raise ValueError("no " * 500)


def interrupted(*arguments):
    raise KeyboardInterrupt


def judged(judge, *arguments, **options):
    with pytest.raises(Judged) as raised:
        judge(*arguments, **options)
    return raised.value.outcome


def test_what_a_function_gives_is_handed_on():
    error = ValueError("returned, not raised")
    assert result_of(max, 1, 2, raised="checks_cost.raised") == called(max, 1, 2) == 2
    assert result_of(lambda: error, raised="checks_cost.raised") is error


def test_what_a_function_raises_is_wrong_and_told_in_short():
    outcome = judged(result_of, fails, 1, raised="checks_cost.raised")
    assert outcome.status == "wrong" and "ValueError: no no" in outcome.message
    assert len(outcome.message) < 200


def test_an_error_that_was_kept_is_wrong_when_it_is_looked_at():
    outcome = judged(need_no_error, called(fails), "checks_errors.safe_raised", call="safe(…)")
    assert outcome.status == "wrong" and "safe(…) raised ValueError: no no" in outcome.message
    need_no_error("ValueError", "checks_errors.safe_raised", call="safe(…)")


def test_a_starter_is_not_yet_an_answer():
    assert judged(result_of, lambda: ..., raised="checks_cost.raised").status == "not yet"


@pytest.mark.parametrize("value", [None, ...])
def test_a_function_that_gives_nothing_is_not_written_yet(value):
    assert judged(need_return, value, "checks_cost.returns_none").status == "not yet"


@pytest.mark.parametrize("value", [0, "", False, []])
def test_an_empty_value_is_an_answer(value):
    need_return(value, "checks_cost.returns_none")


@pytest.mark.parametrize("call", [called, lambda run: result_of(run, raised="checks_cost.raised")])
def test_an_interruption_is_not_held_back(call):
    with pytest.raises(KeyboardInterrupt):
        call(interrupted)
