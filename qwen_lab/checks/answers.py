"""Checks of several answers to one question, and of where an answer ends."""

import reprlib

from openai.types.chat import ChatCompletion

from .outcome import Outcome, check, passed, shown, wrong
from .response import finish_reason


@check
def same(answers: object, count: int) -> Outcome:
    """Judge that `answers` is a list of `count` texts, and that all are one and the same.

    >>> checks.answers.same(["Red", "Red"], 2)
    passed: 2 answers, all the same: 'Red'.
    """
    if not isinstance(answers, list | tuple):
        return wrong("checks_answers.not_list", seen=shown(answers), expected=count)
    for number, answer in enumerate(answers, 1):
        if type(answer) is not str:
            return wrong("checks_answers.not_text", number=number, seen=shown(answer))
        if not answer.strip():
            return wrong("checks_answers.empty_text", number=number)
    if len(answers) != count:
        return wrong("checks_answers.same_count", seen=len(answers), expected=count)
    other = next((answer for answer in answers if answer != answers[0]), None)
    if other is None:
        text = reprlib.repr(answers[0])
        return passed("checks_answers.same_passed", count=count, text=text)
    pair = {"one": reprlib.repr(answers[0]), "other": reprlib.repr(other)}
    return wrong("checks_answers.same_differ", distinct=len(set(answers)), **pair)


@check
def one_line(completion: object) -> Outcome:
    """Judge that a response's text is a single line, and that no limit cut it.

    `completion` is the whole `ChatCompletion`; its first choice counts.

    >>> completion = client.chat.completions.create(model=lab.model, messages=messages, stop="\\n")
    >>> checks.answers.one_line(completion)
    passed: ...
    """
    ended = finish_reason(completion, "stop")
    if ended.status != "passed":
        return ended
    text = completion.choices[0].message.content
    if not text or not text.strip():
        return wrong("checks_answers.line_empty", seen=shown(text))
    lines = len(text.splitlines())
    if lines > 1:
        return wrong("checks_answers.line_many", seen=lines)
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
        return wrong("checks_answers.choices_calls", seen=len(completion), expected=count)
    if not isinstance(completion, ChatCompletion):
        return wrong("checks_answers.choices_other", seen=shown(completion), expected=count)
    texts = [choice.message.content for choice in completion.choices or ()]
    if len(texts) != count:
        return wrong("checks_answers.choices_count", seen=len(texts), expected=count)
    if not all(texts):
        number = [bool(text) for text in texts].index(False) + 1
        return wrong("checks_answers.choices_empty", number=number)
    return passed("checks_answers.choices_passed", count=count, distinct=len(set(texts)))
