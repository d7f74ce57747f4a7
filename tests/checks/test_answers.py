"""`answers.same`, `answers.first_line` and `answers.choices`, of four kinds of answers."""

import pytest
from openai.types.chat import ChatCompletion

from qwen_lab.checks.answers import choices, first_line, same


def completion(*texts, reason="stop", **changes):
    made = [
        {"index": at, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
        for at, text in enumerate(texts)
    ]
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "qwen", "choices": made}
    # As the SDK does it: built from what the service sent, not validated.
    return ChatCompletion.construct(**{**body, **changes})


class Raising(ChatCompletion):
    @property
    def choices(self):
        raise RuntimeError("no")


class RaisingDict(dict):
    def get(self, *names):
        raise RuntimeError("no")


CALL = {"messages": [{"role": "user", "content": "List five colours."}], "stop": "\n"}
COLD = {"temperature": 0}


def given(*texts, reason="stop"):
    """A stub of the service: a function that sends a request and gets these texts."""
    return lambda request: completion(*texts, reason=reason)


SAME = {
    "Your answer is None; expected a dict": None,
    "Your answer is an object of type list; expected a dict": ["Red"] * 3,
    "temperature is 2, out of its range": {"temperature": 2},
    "The SDK has no argument top_k": {"top_k": 1},
    "Your dict has 0 parameters; expected exactly one": {},
    "Your dict has 2 parameters; expected exactly one": {**COLD, "top_p": 0.1},
    "seed changes neither which tokens can be drawn nor how likely they are; expected": {"seed": 7},
    "max_tokens changes neither": {"max_tokens": 1},
    "stop changes neither": {"extra_body": {"stop": "I"}},
    "With temperature=0.7 the 3 seeds give 2 different texts, such as 'Red' and 'Blue'; expected": {
        "temperature": 0.7
    },
}
FIRST_LINE = {
    "Your answer is 'Red'; expected a dict": ("Red", given("Red")),
    "messages is None; expected a list": ({"stop": "\n"}, given("Red")),
    "messages is 'Name a colour.'; expected a list": (
        {"messages": "Name a colour.", "stop": "\n"},
        given("Red"),
    ),
    "Message 1 has no key 'role'": ({**CALL, "messages": [{"content": "Hi"}]}, given("Red")),
    "Your request has no stop; expected": ({**CALL, "stop": None}, given("Red")),
    "no stop; expected one that": ({"messages": CALL["messages"]}, given("Red")),
    "stop is '/n'; expected one line break": ({**CALL, "stop": "/n"}, given("Red")),
    "stop is '\\n\\n'; expected one line break": ({**CALL, "stop": "\n\n"}, given("Red")),
    "stop is ['\\n \\n2.']; expected": ({**CALL, "stop": ["\n \n2."]}, given("Red")),
    "stop is '2.'; expected": ({**CALL, "stop": "2."}, given("1. Red\n")),
    "stop is ['Blue', 5]; expected": ({**CALL, "stop": ["Blue", 5]}, given("Red")),
    "finish_reason is 'length'": (CALL, given("Re", reason="length")),
    "The reply has no choices; expected": (CALL, given()),
    "The reply is ''": (CALL, given("")),
    "The reply is None; expected": (CALL, given(None)),
    "which goes on past its first line; expected that line alone": (
        {**CALL, "stop": "\n2."},
        given("Red\nBlue"),
    ),
}
CHOICES = {
    "Your answer is None; expected one reply, a ChatCompletion, with 3 choices": None,
    "Your answer is 'Red'; expected one reply": "Red",
    "an object of type list; expected one reply, a ChatC": [completion("Red")] * 3,
    "The number of choices is 1; expected 3": completion("Red"),
    "The number of choices is 0; expected 3": completion(choices=None),
    "The choices are numbered [0, 0, 0]; expected 3 different ones": completion(
        choices=completion("Red").choices * 3
    ),
    "Choice 2 has no text; expected": completion("Red", "", "Blue"),
    "Choice 3 has no text; expected": completion("Red", "Green", None),
}


def _text(options, seed):
    return "Blue" if options.get("temperature") and seed == 1 else "Red"


JUDGES = {
    "same": lambda answer: same(answer, lambda seed: _text(answer, seed), range(3)),
    "first_line": lambda answer: first_line(*answer),
    "choices": lambda answer: choices(answer, 3),
}
WRONG = [
    (name, words, answer)
    for name, answers in (("same", SAME), ("first_line", FIRST_LINE), ("choices", CHOICES))
    for words, answer in answers.items()
]
CRASHING = [
    ("same", RaisingDict(COLD), "RuntimeError: no"),
    ("first_line", (RaisingDict(CALL), given("Red")), "RuntimeError: no"),
    ("first_line", (CALL, lambda request: 1 / 0), "ZeroDivisionError: "),
    ("choices", Raising.model_construct(), "TypeError: "),
    ("choices", completion(choices=[None] * 3), "AttributeError: "),
]
RIGHT = [
    ("same", COLD, "With temperature=0 the 3 seeds give one text: 'Red'"),
    ("same", {"extra_body": {"top_k": 1}}, "top_k=1"),
    ("same", {"top_p": 0.01}, "top_p=0.01"),
    ("first_line", (CALL, given("1. Red")), "'1. Red'"),
    ("first_line", ({**CALL, "stop": ["\r\n", "\n2."], "max_tokens": 9}, given("Red")), "'Red'"),
    ("choices", completion("Red", "Green", "Blue"), "3"),
    ("choices", completion("Red", "Red", "Red", reason="length"), "1"),
]


UNTOUCHED = {
    "same": [..., {"temperature": ...}],
    "first_line": [(..., given("Red")), ({**CALL, "stop": ...}, given("Red"))],
    "choices": [..., [...], ["Red", ...]],
}


@pytest.mark.parametrize("name", JUDGES)
def test_an_untouched_answer_is_not_yet(name):
    assert {JUDGES[name](answer).status for answer in UNTOUCHED[name]} == {"not yet"}


def test_what_is_asked_is_judged_before_anything_is_sent():
    sent = []
    assert same({"seed": 7}, sent.append, range(3)).status == "wrong"
    assert first_line({**CALL, "stop": "/n"}, sent.append).status == "wrong"
    assert sent == []


@pytest.mark.parametrize(("name", "words", "answer"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_answer_is_told_what_was_seen_and_expected(name, words, answer):
    outcome = JUDGES[name](answer)
    assert outcome.status == "wrong"
    assert words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize(("name", "answer", "error"), CRASHING, ids=range(len(CRASHING)))
def test_a_crashing_answer_is_told_the_error(name, answer, error):
    outcome = JUDGES[name](answer)
    assert outcome.status == "wrong" and error in outcome.message
    assert "ended in an error" in outcome.message


@pytest.mark.parametrize(("name", "answer", "words"), RIGHT, ids=range(len(RIGHT)))
def test_a_right_answer_passes(name, answer, words):
    outcome = JUDGES[name](answer)
    assert outcome.status == "passed" and words in outcome.message


def test_the_choices_that_are_different_are_counted():
    message = choices(completion("Red", "Blue", "Red"), 3).message
    assert "3 choices; different texts among them: 2" in message


def test_long_texts_are_told_in_short():
    assert len(same({"top_p": 1}, lambda seed: f"{seed}" * 10_000, range(3)).message) < 300
    assert len(same(COLD, lambda seed: "a" * 10_000, range(3)).message) < 300
    assert len(first_line(CALL, given("a" * 10_000)).message) < 300


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    told = [(name, answer) for name, _, answer in WRONG]
    told += [(name, answer) for name, answer, _ in [*CRASHING, *RIGHT]]
    for name, answer in told:
        in_chinese(JUDGES[name], answer)


def test_the_choices_that_are_different_are_counted_in_chinese(monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    assert "不同的文字有 2 种" in choices(completion("Red", "Blue", "Red"), 3).message
