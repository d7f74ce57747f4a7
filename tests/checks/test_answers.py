"""`answers.same`, `answers.one_line` and `answers.choices`, of four kinds of answers."""

import pytest
from openai.types.chat import ChatCompletion

from qwen_lab.checks.answers import choices, one_line, same


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


class RaisingList(list):
    def __iter__(self):
        raise RuntimeError("no")


LINES = "Leaves fall\nand fall"
SAME = {
    "answers is None; expected a list of 3 texts": None,
    "answers is 'Red' (type str); expected a list of 3 texts": "Red",
    "answers is an object of type set; expected a list": {"Red"},
    "Answer 2 is 5 (type int); expected its text": ["Red", 5, "Red"],
    "Answer 1 is an object of type ChatCompletion; expected its text": [completion("Red")] * 3,
    "Answer 3 is empty; expected some text": ["Red", "Red", " \n"],
    "The number of answers is 0; expected 3": [],
    "The number of answers is 2; expected 3, one for each seed": ["Red", "Red"],
    "2 different texts, such as 'Red' and 'Blue'; expected one": ["Red", "Red", "Blue"],
}
ONE_LINE = {
    "Your answer is only a text": "Leaves fall",
    "Your answer is None; expected a ChatCompletion": None,
    "The reply has no choices; expected": completion(),
    "finish_reason is 'length' (type str); expected \"stop\"": completion("Le", reason="length"),
    "The text is ''": completion(""),
    "The text is None; expected": completion(None),
    r"The text is '\n' (type str); expected": completion("\n"),
    "The text has 2 lines; expected 1": completion(LINES),
}
CHOICES = {
    "Your answer is None; expected a ChatCompletion with 3 choices": None,
    "Your answer is 'Red' (type str); expected a ChatCompletion": "Red",
    "a list or tuple of 3 items; expected one reply with 3 choices": [completion("Red")] * 3,
    "The number of choices is 1; expected 3": completion("Red"),
    "The number of choices is 0; expected 3": completion(choices=None),
    "Choice 2 has no text; expected": completion("Red", "", "Blue"),
    "Choice 3 has no text; expected": completion("Red", "Green", None),
}
JUDGES = {
    "same": lambda answer: same(answer, 3),
    "one_line": one_line,
    "choices": lambda answer: choices(answer, 3),
}
WRONG = [
    (name, words, answer)
    for name, answers in (("same", SAME), ("one_line", ONE_LINE), ("choices", CHOICES))
    for words, answer in answers.items()
]
CRASHING = [
    ("same", RaisingList(["Red"]), "RuntimeError: no"),
    ("one_line", Raising.model_construct(), "TypeError: "),
    ("choices", Raising.model_construct(), "TypeError: "),
    ("choices", completion(choices=[None]), "AttributeError: "),
]
RIGHT = [
    ("same", ["Red", "Red", "Red"], "'Red'"),
    ("same", ("Red\nBlue",) * 3, r"'Red\nBlue'"),
    ("one_line", completion("Leaves fall"), "'Leaves fall'"),
    ("one_line", completion("Leaves fall\n"), r"'Leaves fall\n'"),
    ("choices", completion("Red", "Green", "Blue"), "3"),
    ("choices", completion("Red", "Red", "Red", reason="length"), "1"),
]


@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.parametrize("answer", [..., [...], ["Red", ...]])
def test_an_untouched_answer_is_not_yet(name, answer):
    assert JUDGES[name](answer).status == "not yet"


@pytest.mark.parametrize(("name", "words", "answer"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_answer_is_told_what_was_seen_and_expected(name, words, answer):
    outcome = JUDGES[name](answer)
    assert outcome.status == "wrong"
    assert words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize(("name", "answer", "error"), CRASHING, ids=range(len(CRASHING)))
def test_a_crashing_answer_is_told_the_error(name, answer, error):
    outcome = JUDGES[name](answer)
    assert outcome.status == "wrong" and error in outcome.message
    assert "could not be read" in outcome.message


@pytest.mark.parametrize(("name", "answer", "words"), RIGHT, ids=range(len(RIGHT)))
def test_a_right_answer_passes(name, answer, words):
    outcome = JUDGES[name](answer)
    assert outcome.status == "passed" and words in outcome.message


def test_the_choices_that_are_different_are_counted():
    message = choices(completion("Red", "Blue", "Red"), 3).message
    assert "3 choices, 2 different" in message


def test_long_texts_are_told_in_short():
    long = ["a" * 10_000, "b" * 10_000, "c" * 10_000]
    assert len(same(long, 3).message) < 300 and len(same(long[:1] * 3, 3).message) < 300
    assert len(one_line(completion(long[0])).message) < 300


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    told = [(name, answer) for name, _, answer in WRONG]
    told += [(name, answer) for name, answer, _ in [*CRASHING, *RIGHT]]
    for name, answer in told:
        in_chinese(JUDGES[name], answer)


def test_the_choices_that_are_different_are_counted_in_chinese(monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "zh")
    assert "2 种不同" in choices(completion("Red", "Blue", "Red"), 3).message
