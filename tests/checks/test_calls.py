"""The checks of many calls, on recorded moments and on what an exercise may hold."""

import asyncio
import inspect
from functools import partial
from warnings import catch_warnings, simplefilter

import pytest
from openai.types.chat import ChatCompletion

from qwen_lab.checks.calls import at_most, coroutine, results, timeout, together
from qwen_lab.watch.calls import Attempt, Call, Calls

REPLY = ChatCompletion.construct(id="1", choices=[])
REFUSED = ValueError("no")


def recorded(*spans, status=200, about=("a?", "b?", "c?")):
    """A `Calls` with one call for each (sent, ended): about a?, about b?, and so on."""
    calls = Calls()
    for topic, span in zip(about, spans, strict=False):
        asked = {"messages": [{"role": "user", "content": topic}]}
        calls.calls.append(Call(topic, None, [Attempt(*span, span[-1], status)], asked))
    return calls


def given_up(tries=1):
    """A call in time, and one that its caller left."""
    calls = recorded((0, 1))
    late = Attempt(2, None, 3, None, "CancelledError")
    calls.calls.append(Call("Hi", None, [late] * tries))
    return calls


def running():
    """A call in time, and one that nobody cancelled and that is not answered yet."""
    calls = recorded((0, 1))
    calls.calls.append(Call("Hi", None, [Attempt(2)]))
    return calls


def tried(*values, spans=((0, 2), (1, 2), (1, 3)), refused=(0,), about=("a?",) * 3):
    """A `Calls` with a call for each value of top_p, of which some are refused."""
    calls = recorded(*spans[: len(values)], about=about)
    for call, value in zip(calls.calls, values, strict=True):
        call.asked["top_p"] = value
        call.attempts[0].status = 400 if value in refused else 200
    return calls


async def ask(question):
    return question and "Hi"


async def deaf(question):
    return "Hi"


async def deaf_inside(*questions, **more):
    return [each for each in "Hi"]


async def asks_inside(*questions):
    async def inner():
        return questions

    return await inner()


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
THREE = ["a?", "b?", "c?"]
ONE = recorded((0, 1), about=["Why?"])
WHY = "Why?"
TRIED, VALUES = tried(0.5, 0, 1), ("top_p", [0.5, 0, 1])

UNTOUCHED = {
    coroutine: [(ask, ..., ONE, WHY), (..., "Hi", ONE, WHY), (..., ..., Calls(), WHY)],
    together: [(..., Calls(), THREE), (..., TOGETHER, THREE), ([...], TOGETHER, THREE)],
    at_most: [(..., Calls(), 2), (["a", ...], PAIRS, 2)],
    results: [(..., Calls(), *VALUES), ([..., "a"], TRIED, *VALUES)],
    timeout: [(..., ..., Calls()), ("Hi", ..., given_up()), (..., None, given_up())],
}
CRASHING = {
    coroutine: [(ask, RaisingText("Hi"), ONE, WHY), (ask, "Hi", RaisingCalls(), WHY)],
    together: [(Raising(THREE), TOGETHER, THREE), (THREE, RaisingCalls(), THREE)],
    at_most: [(Raising(THREE), PAIRS, 2), (THREE, RaisingCalls(), 2)],
    results: [(Raising(THREE), TRIED, *VALUES), ([RaisingText("a")], TRIED, *VALUES)],
    timeout: [(RaisingText("Hi"), None, given_up()), ("Hi", None, RaisingCalls())],
}
LISTS = [
    ("Your answers are None; expected the list", None),
    ("Your answers are 'a'; expected the list", "a"),
    ("an object of type Waiting, which nobody has awaited; expected what it gives", Waiting()),
    ("an object of type Waiting, which nobody has awaited; expected", ["a", "b", Waiting()]),
    ("Item 2 of your list is None; expected the text of an answer", ["a", None, "c"]),
    ("Item 1 of your list is an object of type ValueError; exp", [REFUSED, "b", "c"]),
    ("Your list has 2 answers; expected 3", ["a", "b"]),
]
RECORDS = [
    ("calls is None; expected the record", None),
    ("No call was recorded; expected calls made with async_client", Calls()),
    ("Calls recorded: 2; expected 3", recorded((0, 1), (0, 1))),
    ("Of 3 calls, 0 were answered; expected all", recorded((0, 1), (0, 1), (0, 1), status=500)),
    (
        'No recorded call mentions "c?"; the last one said "a?"',
        recorded((0, 2), (0, 2), (1, 3), about=["a?", "b?", "a?"]),
    ),
]
WRONG = {
    coroutine: [
        ("isn't a coroutine function; expected one", plain, "Hi", ONE, WHY),
        ("isn't a coroutine function; expected one", Waiting(), "Hi", ONE, WHY),
        ("of type Waiting, which nobody has awaited", ask, Waiting(), ONE, WHY),
        ("an object of type ChatCompletion; expected the answer's text", ask, REPLY, ONE, WHY),
        ("gave None; expected the answer's text", ask, None, ONE, WHY),
        ("gave ' '; expected the answer's text", ask, " ", ONE, WHY),
        ("No call was recorded; expected calls made with", ask, "Hi", Calls(), WHY),
        ("doesn't use the question that it's given; expected", deaf, "Hi", ONE, WHY),
        ("doesn't use the question that it's given; expected", deaf_inside, "Hi", ONE, WHY),
        ("No recorded call asks exactly “Why?”; the last one said “c?”", ask, "Hi", TOGETHER, WHY),
    ],
    together: [
        *((words, answers, TOGETHER, THREE) for words, answers in LISTS),
        *((words, THREE, calls, THREE) for words, calls in RECORDS),
        ("at the same moment: 1 at most; expected 3", THREE, IN_TURN, THREE),
        ("at the same moment: 2 at most; expected 3", THREE, PAIRS, THREE),
    ],
    at_most: [
        *((words, answers, PAIRS, 2) for words, answers in LISTS),
        *((words, THREE, calls, 2) for words, calls in RECORDS),
        ("at the same moment: 3; expected 2 at most", THREE, TOGETHER, 2),
        ("at the same moment: 1 at most; expected 2, since", THREE, IN_TURN, 2),
    ],
    results: [
        ("an object of type ValueError; expected the list", REFUSED, TRIED, *VALUES),
        ("of type Waiting, which nobody has awaited", Waiting(), TRIED, *VALUES),
        ("of type Waiting, which nobody has awaited", ["a", Waiting()], TRIED, *VALUES),
        ("Item 2 of your list is None; expected", ["a", None, "b"], TRIED, *VALUES),
        ("No call was recorded", ["a", REFUSED, "b"], Calls(), *VALUES),
        ("top_p in the recorded calls: [0.5, 1]; ex", ["a", REFUSED, "b"], tried(0.5, 1), *VALUES),
        ("calls: [None]; expected [0.5, 0, 1]", ["a", REFUSED, "b"], TOGETHER, *VALUES),
        (
            "at the same moment: 1 at most; expected 3",
            ["a", REFUSED, "b"],
            tried(0.5, 0, 1, spans=((0, 1), (1, 2), (2, 3))),
            *VALUES,
        ),
        (
            "ask 2 different questions; expected one and the same",
            ["a", REFUSED, "b"],
            tried(0.5, 0, 1, about=["a?", "b?", "a?"]),
            *VALUES,
        ),
        ("are error → answer → answer; expected", [REFUSED, "a", "b"], TRIED, *VALUES),
        ("are answer → answer → answer; expected", ["a", "no", "b"], TRIED, *VALUES),
        ("are answer → answer; expected answer → error → answer", ["a", "b"], TRIED, *VALUES),
    ],
    timeout: [
        ("gave an object of type Waiting; expected the text", Waiting(), None, given_up()),
        ("an object of type Waiting; expected None", "Hi", Waiting(), given_up()),
        ("With enough time your function gave None; expected the text", None, None, given_up()),
        ("With too little time your function gave 'Hi'; exp", "Hi", "Hi", given_up()),
        ("calls is 'Hi'; expected the record", "Hi", None, "Hi"),
        ("No call was recorded; expected calls", "Hi", None, Calls()),
        ("Calls recorded: 1; expected two", "Hi", None, recorded((0, 1))),
        ("Nobody cancelled the late call", "Hi", None, recorded((0, 1), (1, 2))),
        ("Nobody cancelled the late call", "Hi", None, running()),
        ("was tried 3 times, each with a time limit of", "Hi", None, given_up(3)),
    ],
}
RIGHT = {
    coroutine: [
        (ask, "Hi", ONE, WHY),
        (ask, "Hi\n", ONE, WHY),
        (asks_inside, "Hi", ONE, WHY),
        (partial(ask, "Why?"), "Hi", ONE, WHY),
    ],
    together: [
        (THREE, TOGETHER, THREE),
        (tuple(THREE), recorded((0, 9), (1, 5), (2, 4)), THREE),
        ([REPLY] * 3, TOGETHER, THREE),
    ],
    at_most: [(THREE, PAIRS, 2), (THREE, recorded((0, 2), (1, 3), (5, 6)), 2)],
    results: [
        (["a", REFUSED, "b"], TRIED, *VALUES),
        ((REPLY, REFUSED, "b"), tried(1.0, 0.5, 0), *VALUES),
        (["a", "b", "c"], tried(0.5, 0, 1, refused=()), *VALUES),
    ],
    timeout: [("Hi", None, given_up())],
}
OPTIONS = {at_most: {"of": THREE}}


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
    assert "ended in an error" in outcome.message


@pytest.mark.parametrize("case", listed(RIGHT), ids=ids(RIGHT))
def test_a_right_answer_passes(case):
    assert outcome_of(*case).status == "passed"


def test_a_coroutine_that_nobody_awaited_stays_unbegun():
    waiting = ask("Hi")
    with catch_warnings():
        simplefilter("error")
        assert coroutine(ask, waiting, ONE, WHY).status == "wrong"
        assert together(waiting, TOGETHER, THREE).status == "wrong"
        assert together([waiting] * 3, TOGETHER, THREE).status == "wrong"
        assert inspect.getcoroutinestate(waiting) == "CORO_CREATED"
    waiting.close()


def test_a_gather_that_nobody_awaited_is_named():
    async def answers():
        gathered = asyncio.gather(ask("a"), ask("b"))
        outcome = together(gathered, TOGETHER, THREE)
        await gathered
        return outcome

    assert "_GatheringFuture" in asyncio.run(answers()).message


def test_a_call_that_is_still_open_counts_as_being_on_its_way():
    calls = recorded((0, 1), (0, 1), (2, 3))
    calls.calls[0].attempts = [Attempt(0, 1, None, 200)]
    calls.calls[1].attempts = [Attempt(2, 3, 3, 200)]
    assert at_most(THREE, calls, 2, of=THREE).status == "wrong"
    assert at_most(THREE, calls, 3, of=THREE).status == "passed"


def test_between_its_tries_a_call_is_not_on_its_way():
    calls = recorded((0, 1), (2, 3), (0, 5))
    calls.calls[2].attempts = [Attempt(0, 1, 1, 500), Attempt(4, 5, 5, 200)]
    assert at_most(THREE, calls, 2, of=THREE).status == "passed"


def test_a_further_try_is_on_its_way_too():
    calls = recorded((2, 4), (5, 6), (0, 4))
    calls.calls[2].attempts = [Attempt(0, 1, 1, 500), Attempt(3, 4, 4, 200)]
    assert at_most(THREE, calls, 2, of=THREE).status == "passed"


def test_the_verdict_on_a_call_that_nobody_cancelled_does_not_hang_on_when_one_presses():
    early, late = running(), recorded((0, 1), (2, 3))
    assert timeout("Hi", None, early) == timeout("Hi", None, late)


def test_a_question_may_stand_in_any_part_of_any_message():
    calls = recorded((0, 1))
    parts = [{"type": "text", "text": WHY}]
    calls.calls[0].asked = {"messages": [{"role": "user", "content": parts}, {"role": "system"}]}
    assert coroutine(ask, "Hi", calls, WHY).status == "passed"


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    for cases in (UNTOUCHED, CRASHING, RIGHT):
        for judge, *answer in listed(cases):
            in_chinese(outcome_of, judge, *answer)
    for judge, _, *answer in listed(WRONG):
        in_chinese(outcome_of, judge, *answer)


def test_what_was_expected_is_said_in_chinese(monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    assert "回答 → 错误" in results(["a", "b", "c"], TRIED, *VALUES).message
