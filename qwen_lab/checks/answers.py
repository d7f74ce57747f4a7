"""Checks of several answers to one question, and of where an answer ends."""

import reprlib

from openai.types.chat import ChatCompletion

from .outcome import Outcome, check, need, passed, wrong
from .response import need_reason


@check
def same(answers: object, count: int) -> Outcome:
    """Judge that `answers` is a list of `count` texts, and that all are one and the same.

    >>> checks.answers.same(["Red", "Red"], 2)
    passed: 2 answers, all the same: 'Red'.
    """
    need(isinstance(answers, list | tuple), "checks_answers.not_list", answers, expected=count)
    for number, answer in enumerate(answers, 1):
        need(type(answer) is str, "checks_answers.not_text", answer, number=number)
        need(answer.strip(), "checks_answers.empty_text", number=number)
    need(len(answers) == count, "checks_answers.same_count", seen=len(answers), expected=count)
    others = [answer for answer in answers if answer != answers[0]]
    if others:
        pair = {"one": reprlib.repr(answers[0]), "other": reprlib.repr(others[0])}
        raise wrong("checks_answers.same_differ", distinct=len(set(answers)), **pair)
    return passed("checks_answers.same_passed", count=count, text=reprlib.repr(answers[0]))


@check
def one_line(completion: object) -> Outcome:
    """Judge that a response's text is a single line, and that no limit cut it.

    `completion` is the whole `ChatCompletion`; its first choice counts.

    >>> completion = client.chat.completions.create(model=lab.model, messages=messages, stop="\\n")
    >>> checks.answers.one_line(completion)
    passed: ...
    """
    need_reason(completion, "stop")
    text = completion.choices[0].message.content
    need(text and text.strip(), "checks_answers.line_empty", text)
    lines = len(text.splitlines())
    need(lines <= 1, "checks_answers.line_many", seen=lines)
    return passed("checks_answers.line_passed", text=reprlib.repr(text))


@check
def choices(completion: object, count: int) -> Outcome:
    """Judge that one response brings `count` choices, each with a text.

    `completion` is the whole `ChatCompletion`, not a list of several.

    >>> completion = client.chat.completions.create(model=lab.model, messages=messages, n=2)
    >>> checks.answers.choices(completion, 2)
    passed: ...
    """
    if isinstance(completion, list | tuple):
        raise wrong("checks_answers.choices_calls", seen=len(completion), expected=count)
    if not isinstance(completion, ChatCompletion):
        raise wrong("checks_answers.choices_other", completion, expected=count)
    texts = [choice.message.content for choice in completion.choices or ()]
    need(len(texts) == count, "checks_answers.choices_count", seen=len(texts), expected=count)
    for number, text in enumerate(texts, 1):
        need(text, "checks_answers.choices_empty", number=number)
    return passed("checks_answers.choices_passed", count=count, distinct=len(set(texts)))
