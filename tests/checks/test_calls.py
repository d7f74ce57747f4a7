"""The checks of many calls, on recorded moments and on what an exercise may hold."""

import asyncio
import inspect
from warnings import catch_warnings, simplefilter

import pytest
from openai.types.chat import ChatCompletion

from qwen_lab.checks.calls import at_most, coroutine, results, timeout, together
from qwen_lab.watch.calls import Attempt, Call, Calls

REPLY = ChatCompletion.construct(id="1", choices=[])
REFUSED = ValueError("no")


def recorded(*spans, status=200):
    """A `Calls` with one call for each (sent, ended)."""
    calls = Calls()
    calls.calls = [Call("Hi", None, [Attempt(*span, span[-1], status)]) for span in spans]
    return calls


def given_up(tries=1):
    """A call in time, and one that its caller left."""
    calls = recorded((0, 1))
    late = Attempt(2, None, 3, None, "CancelledError")
    calls.calls.append(Call("Hi", None, [late] * tries))
    return calls


async def ask(question):
    return "Hi"


def plain(question):
    return "Hi"


class Waiting:
    """Something that wants to be awaited, and does not complain when it never is."""

    def __await__(self):
        yield


class Raising(list):
    def __len__(self):
        raise RuntimeError("no")

    __iter__ = __len__


class RaisingCalls(Calls):
    @property
    def calls(self):
        raise RuntimeError("no")

    @calls.setter
    def calls(self, value):
        pass


class RaisingText(str):
    def strip(self):
        raise RuntimeError("no")


TOGETHER = recorded((0, 2), (0, 2), (1, 3))
IN_TURN = recorded((0, 1), (1, 2), (2, 3))
PAIRS = recorded((0, 1), (0, 2), (1, 3))
THREE = ["a", "b", "c"]

UNTOUCHED = {
    coroutine: [(ask, ...), (..., "Hi"), (..., ...)],
    together: [(..., Calls(), 3), (..., TOGETHER, 3), ([...], TOGETHER, 3)],
    at_most: [(..., Calls(), 2), (["a", ...], PAIRS, 2)],
    results: [(..., "answer"), ([..., "a"], "answer")],
    timeout: [(..., ..., Calls()), ("Hi", ..., given_up()), (..., None, given_up())],
}
CRASHING = {
    coroutine: [(ask, RaisingText("Hi"))],
    together: [(Raising(THREE), TOGETHER, 3), (THREE, RaisingCalls(), 3)],
    at_most: [(Raising(THREE), PAIRS, 2), (THREE, RaisingCalls(), 2)],
    results: [(Raising(THREE), "answer"), ([RaisingText("a")], "answer")],
    timeout: [(RaisingText("Hi"), None, given_up()), ("Hi", None, RaisingCalls())],
}
LISTS = [
    ("Your answers are None; expected a list", None),
    ("Your answers are 'a' (type str); expected a list", "a"),
    ("an object of type Waiting, which nobody has awaited; expected a list", Waiting()),
    ("something that nobody has awaited; expected", ["a", "b", Waiting()]),
    ("Your list has 2 answers; expected 3", ["a", "b"]),
]
RECORDS = [
    ("calls is None; expected the Calls", None),
    ("No call was recorded; expected some", Calls()),
    ("Calls recorded: 2; expected 3", recorded((0, 1), (0, 1))),
    ("Of 3 calls, 0 were answered; expected all", recorded((0, 1), (0, 1), (0, 1), status=500)),
]
WRONG = {
    coroutine: [
        ("Your answer is a coroutine: the function was called already", Waiting(), "Hi"),
        ("Your answer is 'Hi' (type str); expected a function", "Hi", "Hi"),
        ("Your function is an ordinary one; expected a coroutine function", plain, "Hi"),
        ("gave something that still has to be awaited; expected text", ask, Waiting()),
        ("gave the whole reply; expected its text", ask, REPLY),
        ("gave None; expected text", ask, None),
        ("gave 5 (type int); expected a text", ask, 5),
        ("gave ' ' (type str); expected a text that is not empty", ask, " "),
    ],
    together: [
        *((words, answers, TOGETHER, 3) for words, answers in LISTS),
        *((words, THREE, calls, 3) for words, calls in RECORDS),
        ("at the same moment: 1 at most; expected 3", THREE, IN_TURN, 3),
        ("at the same moment: 2 at most; expected 3", THREE, PAIRS, 3),
    ],
    at_most: [
        *((words, answers, PAIRS, 2) for words, answers in LISTS),
        *((words, THREE, calls, 2) for words, calls in RECORDS),
        ("at the same moment: 3; expected 2 at most", THREE, TOGETHER, 2),
        ("at the same moment: 1 at most; expected 2, as", THREE, IN_TURN, 2),
    ],
    results: [
        ("a single error, ValueError; expected a list", REFUSED, "answer", "error"),
        ("Your answers are None; expected a list", None, "answer", "error"),
        ("which nobody has awaited; expected a list", Waiting(), "answer", "error"),
        ("nobody has awaited; expected", ["a", Waiting()], "answer", "error"),
        ("Result 2 is None; expected the text", ["a", None], "answer", "error"),
        ("Result 1 is '' (type str); expected", ["", REFUSED], "answer", "error"),
        ("Results: 1, namely answer; expected 2: answer → error", ["a"], "answer", "error"),
        ("expected answer → error. The results stand", [REFUSED, "a"], "answer", "error"),
        ("expected answer → error. An error is", ["a", "no"], "answer", "error"),
    ],
    timeout: [
        ("still has to be awaited; expected", Waiting(), None, given_up()),
        ("still has to be awaited; expected", "Hi", Waiting(), given_up()),
        ("With time enough your function gave None; expected the text", None, None, given_up()),
        ("With too little time your function gave 'Hi' (type str); exp", "Hi", "Hi", given_up()),
        ("calls is 'Hi' (type str); expected the Calls", "Hi", None, "Hi"),
        ("No call was recorded; expected some", "Hi", None, Calls()),
        ("was waited for to its end; expected it", "Hi", None, recorded((0, 1), (1, 2))),
        ("was tried 3 times, each with its own time limit; expected one", "Hi", None, given_up(3)),
    ],
}
RIGHT = {
    coroutine: [(ask, "Hi"), (ask, "Hi\n")],
    together: [(THREE, TOGETHER, 3), (tuple(THREE), recorded((0, 9), (1, 5), (2, 4)), 3)],
    at_most: [(THREE, PAIRS, 2), (THREE, recorded((0, 2), (1, 3), (5, 6)), 2)],
    results: [
        (["a", REFUSED, "b"], "answer", "error", "answer"),
        ((REPLY, REFUSED), "answer", "error"),
    ],
    timeout: [("Hi", None, given_up())],
}
OPTIONS = {at_most: {"of": 3}}


def listed(cases):
    return [(judge, *case) for judge, rows in cases.items() for case in rows]


def ids(cases):
    return [f"{judge.__name__}-{n}" for judge, rows in cases.items() for n in range(len(rows))]


def outcome_of(judge, *arguments):
    return judge(*arguments, **OPTIONS.get(judge, {}))


@pytest.mark.parametrize("case", listed(UNTOUCHED), ids=ids(UNTOUCHED))
def test_an_untouched_answer_is_not_yet(case):
    assert outcome_of(*case).status == "not yet"


@pytest.mark.parametrize("case", listed(WRONG), ids=ids(WRONG))
def test_a_wrong_answer_is_told_what_was_seen_and_expected(case):
    judge, words, *answer = case
    outcome = outcome_of(judge, *answer)
    assert outcome.status == "wrong" and len(outcome.message) < 300
    assert words in outcome.message and "xpected" in outcome.message


@pytest.mark.parametrize("case", listed(CRASHING), ids=ids(CRASHING))
def test_a_crashing_answer_is_told_the_error(case):
    outcome = outcome_of(*case)
    assert outcome.status == "wrong" and "RuntimeError: no" in outcome.message
    assert "could not be read" in outcome.message


@pytest.mark.parametrize("case", listed(RIGHT), ids=ids(RIGHT))
def test_a_right_answer_passes(case):
    assert outcome_of(*case).status == "passed"


def test_a_coroutine_that_nobody_awaited_is_known_as_one():
    waiting = ask("Hi")
    with catch_warnings():
        simplefilter("error")
        assert coroutine(waiting, "Hi").message == coroutine(Waiting(), "Hi").message
        assert together(waiting, TOGETHER, 3).status == "wrong"
        assert inspect.getcoroutinestate(waiting) == "CORO_CREATED"
    waiting.close()


def test_a_gather_that_nobody_awaited_is_named():
    async def answers():
        gathered = asyncio.gather(ask("a"), ask("b"))
        outcome = together(gathered, TOGETHER, 3)
        await gathered
        return outcome

    assert "_GatheringFuture" in asyncio.run(answers()).message


def test_a_call_that_is_still_open_counts_as_being_on_its_way():
    calls = recorded((0, 1), (2, 3))
    calls.calls.insert(0, Call("Hi", None, [Attempt(0, 1, None, 200)]))
    assert at_most(THREE, calls, 2, of=3).status == "passed"


def test_between_its_tries_a_call_is_not_on_its_way():
    calls = recorded((0, 1), (2, 3))
    calls.calls.append(Call("Hi", None, [Attempt(0, 1, 1, 500), Attempt(4, 5, 5, 200)]))
    assert at_most(THREE, calls, 2, of=3).status == "passed"


def test_a_further_try_is_on_its_way_too():
    calls = recorded((2, 4), (5, 6))
    calls.calls.append(Call("Hi", None, [Attempt(0, 1, 1, 500), Attempt(3, 4, 4, 200)]))
    assert at_most(THREE, calls, 2, of=3).status == "passed"


def test_what_was_expected_is_said_in_words():
    message = results(["a"], "answer", "error").message
    assert "answer → error" in message


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    for cases in (UNTOUCHED, CRASHING, RIGHT):
        for judge, *answer in listed(cases):
            in_chinese(outcome_of, judge, *answer)
    for judge, _, *answer in listed(WRONG):
        in_chinese(outcome_of, judge, *answer)


def test_what_was_expected_is_said_in_chinese(monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    assert "回答 → 错误" in results(["a"], "answer", "error").message
