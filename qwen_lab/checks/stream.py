"""Checks of a stream and of code that reads one."""

import inspect
import json
import reprlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx2
from openai import AsyncStream, OpenAI, Stream
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from ..watch.stream import Recording
from ..words import say
from .functions import need_return, result_of
from .outcome import Outcome, check, need, not_yet, passed, wrong

# The words for each trap, and those on how not to fall into it.
EMPTY = ("checks_stream.trap_empty", "checks_stream.advice_empty")
MISSING = ("checks_stream.trap_no_usage", "checks_stream.advice_no_usage")
CHOICES = ("checks_stream.trap_no_choices", "checks_stream.advice_no_choices")
NONE = ("checks_stream.trap_none", "checks_stream.advice_none")
SILENT = ("checks_stream.trap_silent", "checks_stream.advice_silent")


class Case(NamedTuple):
    """A stream: the content of its deltas, whether its usage comes, and which traps it has.

    `text_trap` is what makes a text come out wrong, `trap` what makes a reader fail otherwise.
    """

    contents: list[str | None]
    usage: bool
    text_trap: tuple[str, str]
    trap: tuple[str, str]

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
    need(callable(function), "checks_stream.not_function", function)
    for case in CASES:
        _need_pair(_read(function, case), case)
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
    _need_list(chunks)
    need(chunks, "checks_stream.chunks_empty")
    for number, chunk in enumerate(chunks, 1):
        need(isinstance(chunk, ChatCompletionChunk), "checks_stream.no_chunk", chunk, number=number)
    count = len(chunks)
    usage = next((chunk.usage for chunk in chunks if chunk.usage), None)
    need(usage is not None, "checks_stream.no_usage", count=count)
    need(any(chunk.choices for chunk in chunks), "checks_stream.only_usage", count=count)
    tokens = {"prompt": usage.prompt_tokens, "completion": usage.completion_tokens}
    return passed("checks_stream.has_usage_passed", count=count, **tokens)


def _read(function: Callable, case: Case) -> object:
    """What the function makes of this stream."""
    with OpenAI(api_key="none", base_url="http://127.0.0.1") as client:
        stream, words = _stream(case, client), _words(case.trap)
        return result_of(function, stream, raised="checks_stream.raised", **words)


def _need_pair(pair: object, case: Case) -> None:
    if inspect.iscoroutine(pair):
        pair.close()
        raise wrong("checks_stream.is_async")
    if pair is ...:
        raise not_yet()
    need_return(pair, "checks_stream.returns_none")
    need(isinstance(pair, tuple | list) and len(pair) == 2, "checks_stream.no_pair", pair)
    text, usage = pair
    exchanged = not isinstance(text, str) and isinstance(usage, str)
    need(not exchanged, "checks_stream.exchanged")
    _need_text(text, case)
    _need_usage(usage, case)


def _need_text(text: object, case: Case) -> None:
    words = _words(case.text_trap)
    need(isinstance(text, str), "checks_stream.not_text", text, **words)
    if text != case.text:
        seen, expected = reprlib.repr(text), repr(case.text)
        raise wrong("checks_stream.other_text", seen=seen, expected=expected, **words)


def _need_usage(usage: object, case: Case) -> None:
    words = _words(case.trap)
    if case.usage:
        right = getattr(usage, "total_tokens", None) == USAGE["total_tokens"]
        need(right, "checks_stream.other_usage", usage, **words)
    else:
        need(usage is None, "checks_stream.not_none", usage, **words)


def _words(trap: tuple[str, str]) -> dict[str, str]:
    name, advice = trap
    return {"trap": say(name), "advice": say(advice)}


def _need_list(answer: object) -> None:
    need(not isinstance(answer, Stream | AsyncStream | Recording), "checks_stream.not_read")
    need(not isinstance(answer, ChatCompletion), "checks_stream.not_streamed")
    need(not isinstance(answer, ChatCompletionChunk), "checks_stream.one_chunk")
    need(isinstance(answer, list | tuple), "checks_stream.not_list", answer)


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
