"""Checks of a stream and of code that reads one."""

import inspect
import json
import reprlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx2
from openai import AsyncStream, OpenAI, Stream
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from ..watch.stream import Recording
from ..words import say
from .outcome import Outcome, check, not_yet, passed, shown, told, wrong

EMPTY, MISSING = "checks_stream.trap_empty", "checks_stream.trap_no_usage"
CHOICES, NONE = "checks_stream.trap_no_choices", "checks_stream.trap_none"
SILENT = "checks_stream.trap_silent"
# How not to fall into each trap.
ADVICE = {
    EMPTY: "checks_stream.advice_empty",
    MISSING: "checks_stream.advice_no_usage",
    CHOICES: "checks_stream.advice_no_choices",
    NONE: "checks_stream.advice_none",
    SILENT: "checks_stream.advice_silent",
}


class Case(NamedTuple):
    """A stream: the content of its deltas, whether its usage comes, and which traps it has.

    `text_trap` is what makes a text come out wrong, `trap` what makes a reader fail otherwise.
    """

    contents: list[str | None]
    usage: bool
    text_trap: str
    trap: str

    @property
    def text(self) -> str:
        """What a reader must make of it."""
        return "".join(content or "" for content in self.contents)


CASES = (
    Case(["", "One", " two", "", "\n", "three", ""], False, EMPTY, MISSING),
    Case(["", "One", " two", ""], True, CHOICES, CHOICES),
    Case([None, None, "One", " two", ""], True, NONE, NONE),
    Case(["", ""], True, SILENT, SILENT),
)
USAGE = {"prompt_tokens": 21, "completion_tokens": 5, "total_tokens": 26}


@check
def reader(function: object) -> Outcome:
    """Judge a function `read(stream)` that returns the pair of a stream's text and its usage.

    It is given made-up streams of the SDK, each with another trap: empty pieces, a last chunk
    without choices, a content that is None, no usage, no text at all.

    >>> checks.stream.reader(lambda stream: ("", None))
    wrong: ...
    """
    if not callable(function):
        return wrong("checks_stream.not_function", seen=shown(function))
    for case in CASES:
        if outcome := _tried(function, case):
            return outcome
    return passed("checks_stream.reader_passed", count=len(CASES))


@check
def has_usage(chunks: object) -> Outcome:
    """Judge that `chunks` is the list of all chunks of a stream, and that one has the usage.

    >>> stream = client.chat.completions.create(
    ...     model=lab.model, messages=messages, stream=True, stream_options={"include_usage": True}
    ... )
    >>> checks.stream.has_usage(list(stream))
    passed: ...
    """
    if not isinstance(chunks, list | tuple):
        return _no_list(chunks)
    if not chunks:
        return wrong("checks_stream.chunks_empty")
    for number, chunk in enumerate(chunks, 1):
        if not isinstance(chunk, ChatCompletionChunk):
            return wrong("checks_stream.no_chunk", number=number, seen=shown(chunk))
    usage = next((chunk.usage for chunk in chunks if chunk.usage), None)
    if usage is None:
        return wrong("checks_stream.no_usage", count=len(chunks))
    if not any(chunk.choices for chunk in chunks):
        return wrong("checks_stream.only_usage", count=len(chunks))
    tokens = {"prompt": usage.prompt_tokens, "completion": usage.completion_tokens}
    return passed("checks_stream.has_usage_passed", count=len(chunks), **tokens)


def _tried(function: Any, case: Case) -> Outcome | None:
    """What is wrong with how the function reads this stream."""
    with OpenAI(api_key="none", base_url="http://127.0.0.1") as client:
        try:
            pair = function(_stream(case, client))
        except Exception as error:
            # The traceback holds the learner's names; the words are enough.
            return _fell(case.trap, "checks_stream.raised", error=told(error, 80))
    if inspect.iscoroutine(pair):
        pair.close()
        return wrong("checks_stream.is_async")
    if pair is None:
        # A starter does so, and a function without its `return`.
        return not_yet("checks_stream.returns_none")
    if pair is ...:
        return not_yet()
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        return wrong("checks_stream.no_pair", seen=shown(pair))
    return _compared(*pair, case)


def _compared(text: object, usage: object, case: Case) -> Outcome | None:
    if not isinstance(text, str) and isinstance(usage, str):
        return wrong("checks_stream.exchanged")
    if not isinstance(text, str):
        return _fell(case.text_trap, "checks_stream.not_text", seen=shown(text))
    if text != case.text:
        words = {"seen": reprlib.repr(text), "expected": repr(case.text)}
        return _fell(case.text_trap, "checks_stream.other_text", **words)
    if not case.usage and usage is not None:
        return _fell(case.trap, "checks_stream.not_none", seen=shown(usage))
    if case.usage and getattr(usage, "total_tokens", None) != USAGE["total_tokens"]:
        return _fell(case.trap, "checks_stream.other_usage", seen=shown(usage))
    return None


def _fell(trap: str, key: str, **values: object) -> Outcome:
    return wrong(key, trap=say(trap), advice=say(ADVICE[trap]), **values)


def _no_list(answer: object) -> Outcome:
    if isinstance(answer, Stream | AsyncStream | Recording):
        return wrong("checks_stream.not_read")
    if isinstance(answer, ChatCompletion):
        return wrong("checks_stream.not_streamed")
    if isinstance(answer, ChatCompletionChunk):
        return wrong("checks_stream.one_chunk")
    return wrong("checks_stream.not_list", seen=shown(answer))


def _stream(case: Case, client: OpenAI) -> Stream:
    """A stream of the SDK, as it is when an answer's body has arrived."""
    body = "".join(f"data: {line}\n\n" for line in [*map(json.dumps, _chunks(case)), "[DONE]"])
    request = httpx2.Request("POST", client.base_url)
    response = httpx2.Response(200, content=body.encode(), request=request)
    return Stream(cast_to=ChatCompletionChunk, response=response, client=client)


def _chunks(case: Case) -> Iterator[dict]:
    """The chunks as DashScope sends them: a role first, a reason at the end, then the usage."""
    last = len(case.contents) - 1
    for number, content in enumerate(case.contents):
        delta = {"content": content} | ({"role": "assistant"} if number == 0 else {})
        reason = "stop" if number == last else None
        yield _chunk([{"index": 0, "delta": delta, "finish_reason": reason}], None)
    if case.usage:
        yield _chunk([], USAGE)


def _chunk(choices: list, usage: dict | None) -> dict:
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "qwen"}
    return {**body, "choices": choices, "usage": usage}
