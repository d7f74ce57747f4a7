"""What becomes of a function that the learner wrote: it gives something, nothing, or raises."""

import pytest

from qwen_lab.checks.functions import need_function, need_return, result_of
from qwen_lab.checks.outcome import Judged


def fails(*arguments):
    raise ValueError("no " * 500)


async def waits():
    return 1


def interrupted(*arguments):
    raise KeyboardInterrupt


def judged(judge, *arguments, **options):
    with pytest.raises(Judged) as raised:
        judge(*arguments, **options)
    return raised.value.outcome


def test_what_a_function_gives_is_handed_on():
    error = ValueError("returned, not raised")
    assert result_of(max, 1, 2, raised="checks_cost.raised") == 2
    assert result_of(lambda: error, raised="checks_cost.raised") is error


def test_what_a_function_raises_is_wrong_and_told_in_short():
    outcome = judged(result_of, fails, 1, raised="checks_cost.raised")
    assert outcome.status == "wrong" and "ValueError: no no" in outcome.message
    assert len(outcome.message) < 200


@pytest.mark.parametrize("answer", [None, 0.5, "def cost(usage, price):"])
def test_what_cannot_be_called_is_no_function(answer):
    for outcome in (judged(need_function, answer), judged(result_of, answer, raised="checks.x")):
        assert outcome.status == "wrong" and "expected a function" in outcome.message


def test_an_async_function_is_not_called():
    assert "leave out async" in judged(result_of, waits, raised="checks_cost.raised").message


def test_a_starter_is_not_yet_an_answer():
    assert judged(result_of, lambda: ..., raised="checks_cost.raised").status == "not yet"


@pytest.mark.parametrize(("value", "said"), [(None, "returns None"), (..., '"..." still stands')])
def test_a_function_that_gives_nothing_is_not_written_yet(value, said):
    outcome = judged(need_return, value)
    assert outcome.status == "not yet" and said in outcome.message


@pytest.mark.parametrize("value", [0, "", False, []])
def test_an_empty_value_is_an_answer(value):
    need_return(value)


def test_an_interruption_is_not_held_back():
    with pytest.raises(KeyboardInterrupt):
        result_of(interrupted, raised="checks_cost.raised")
