"""Checks of what a request brings: the same text for every seed, a first line, several choices."""

import re
import reprlib
from collections.abc import Callable, Iterable

from openai.types.chat import ChatCompletion

from ..parameters import SAMPLING
from .messages import need_messages
from .outcome import Outcome, check, need, passed
from .request import need_legal
from .response import need_reason


@check
def same(options: object, begin: Callable[[int], str], seeds: Iterable[int]) -> Outcome:
    """Judge that `options`, a dict with one parameter of the draw, leave nothing to the seed.

    `begin` asks with the options and the seed that it is given, and returns the text.

    >>> checks.answers.same({"temperature": 0}, lambda seed: "In autumn", range(3))
    passed: With temperature=0 the 3 seeds give one text: 'In autumn'.
    """
    sent = need_legal(options)
    need(len(sent) == 1, "checks_answers.same_count", seen=len(sent))
    [(name, value)] = sent.items()
    need(name in SAMPLING and name != "max_tokens", "checks_answers.same_no_draw", name=name)
    texts = [begin(seed) for seed in seeds]
    words = {"set": f"{name}={value!r}", "count": len(texts), "one": reprlib.repr(texts[0])}
    other = next((text for text in texts if text != texts[0]), None)
    differ = {"distinct": len(set(texts)), "other": reprlib.repr(other)}
    need(other is None, "checks_answers.same_differ", **words, **differ)
    return passed("checks_answers.same_passed", **words)


@check
def first_line(request: object, send: Callable[[dict], ChatCompletion]) -> Outcome:
    """Judge that a request's `stop` ends the reply where its second line would begin.

    `request` is a dict as the SDK's `create` takes it; `send` makes the call, returns the reply.

    >>> request = {"messages": messages, "stop": "\\n"}
    >>> send = lambda request: client.chat.completions.create(model=lab.model, **request)
    >>> checks.answers.first_line(request, send)
    passed: ...
    """
    stop = need_legal(request).get("stop")
    need_messages(request.get("messages"))
    need(stop, "checks_answers.line_no_stop")
    stops = stop if isinstance(stop, list | tuple) else [stop]
    # Blank lines alone are no line's end; a break and what follows it may be.
    breaks = any(each == "\n" or re.match(r"\n.*\S", str(each)) for each in stops)
    need(breaks, "checks_answers.line_other_stop", seen=reprlib.repr(stop))
    reply = send(request)
    need_reason(reply, "stop")
    text = reply.choices[0].message.content
    need(text and text.strip(), "checks_answers.line_empty", text)
    need("\n" not in text, "checks_answers.line_many", text, stop=reprlib.repr(stop))
    return passed("checks_answers.line_passed", text=reprlib.repr(text))


@check
def choices(completion: object, count: int) -> Outcome:
    """Judge that one response brings `count` choices, each with a text.

    `completion` is the whole `ChatCompletion`, not a list of several.

    >>> completion = client.chat.completions.create(model=lab.model, messages=messages, n=2)
    >>> checks.answers.choices(completion, 2)
    passed: ...
    """
    one = isinstance(completion, ChatCompletion)
    need(one, "checks_answers.choices_other", completion, expected=count)
    there = completion.choices or ()
    need(len(there) == count, "checks_answers.choices_count", seen=len(there), expected=count)
    numbers = [choice.index for choice in there]
    # Copies of one choice have its number.
    need(numbers == [*range(count)], "checks_answers.choices_copied", seen=numbers, expected=count)
    texts = [choice.message.content for choice in there]
    for number, text in enumerate(texts, 1):
        need(text, "checks_answers.choices_empty", number=number)
    return passed("checks_answers.choices_passed", count=count, distinct=len(set(texts)))
