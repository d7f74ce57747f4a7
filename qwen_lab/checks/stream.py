"""Checks of a stream and of code that reads one."""

import json
import reprlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx2
from openai import OpenAI, Stream
from openai.types.chat import ChatCompletionChunk

from ..words import say
from .functions import need_function, need_return
from .outcome import Outcome, check, need, passed, told, wrong


class Case(NamedTuple):
    """A made-up stream: the content of its deltas, whether its usage comes, and its trap.

    `trap` is the key of words on what is special about it.
    """

    contents: list[str | None]
    usage: bool
    trap: str

    @property
    def text(self) -> str:
        """What a reader must make of it."""
        return "".join(content or "" for content in self.contents)


CASES = (
    Case(["", "One", " two", ""], True, "checks_stream.trap_no_choices"),
    Case(["", "One", " two", "", "\n", "three", ""], False, "checks_stream.trap_empty"),
    Case([None, None, "One", " two", ""], True, "checks_stream.trap_none"),
    Case(["", ""], True, "checks_stream.trap_silent"),
)
USAGE = {"prompt_tokens": 21, "completion_tokens": 5, "total_tokens": 26}
CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "qwen"}


@check
def reader(function: object) -> Outcome:
    """Judge a function `read(stream)` that returns the pair of a stream's text and its usage.

    It is given made-up streams of the SDK, each with another trap: empty pieces, a last chunk
    without choices, a content that is None, no usage, no text at all.

    >>> checks.stream.reader(lambda stream: ("", None))
    wrong: ...
    """
    need_function(function)
    for case in CASES:
        pair, left = _read(function, case)
        need_return(pair)
        need(isinstance(pair, tuple | list) and len(pair) == 2, "checks_stream.no_pair", pair)
        _need_text(pair[0], left, case)
        _need_usage(pair[1], left, case)
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
    need(isinstance(chunks, list | tuple), "checks_stream.not_list", chunks)
    need(chunks, "checks_stream.chunks_empty")
    for number, chunk in enumerate(chunks, 1):
        need(isinstance(chunk, ChatCompletionChunk), "checks_stream.no_chunk", chunk, number=number)
    count = len(chunks)
    need(len({chunk.id for chunk in chunks}) == 1, "checks_stream.two_streams")
    first = chunks[0].choices
    need(first and first[0].delta.role, "checks_stream.no_beginning", count=count)
    choices = [choice for chunk in chunks for choice in chunk.choices]
    need(any(choice.finish_reason for choice in choices), "checks_stream.no_end", count=count)
    usage = next((chunk.usage for chunk in chunks if chunk.usage), None)
    need(usage is not None, "checks_stream.no_usage", count=count)
    tokens = {"prompt": usage.prompt_tokens, "completion": usage.completion_tokens}
    return passed("checks_stream.has_usage_passed", count=count, **tokens)


def _read(function: Callable, case: Case) -> tuple[object, int]:
    """What the function gives for this stream, or raises, and how many chunks it left unread."""
    with OpenAI(api_key="none", base_url="http://127.0.0.1") as client:
        stream = _stream(case, client)
        try:
            return function(stream), len(list(stream))
        except Exception as error:
            words = {"error": told(error, 80), "advice": _cause(error, case)}
            raise wrong("checks_stream.raised", trap=say(case.trap), **words) from None


def _need_text(text: object, left: int, case: Case) -> None:
    trap = say(case.trap)
    need(isinstance(text, str), "checks_stream.not_text", text, trap=trap)
    words = {"trap": trap, "seen": reprlib.repr(text), "expected": repr(case.text)}
    advice = _unread(left, case) or say("checks_stream.advice_pieces")
    need(text == case.text, "checks_stream.other_text", **words, advice=advice)


def _need_usage(usage: object, left: int, case: Case) -> None:
    trap = say(case.trap)
    if not case.usage:
        return need(usage is None, "checks_stream.not_none", usage, trap=trap)
    advice = _unread(left, case) or say("checks_stream.advice_no_choices")
    need(usage is not None, "checks_stream.usage_none", trap=trap, advice=advice)
    right = getattr(usage, "total_tokens", None) == USAGE["total_tokens"]
    need(right, "checks_stream.other_usage", usage, trap=trap)


def _cause(error: Exception, case: Case) -> str:
    """How not to raise this error; "" where the stream is not what brought it about."""
    if isinstance(error, UnboundLocalError):
        return say("checks_stream.advice_before")
    if isinstance(error, IndexError) and case.usage:
        return say("checks_stream.advice_no_choices")
    adds_none = "NoneType" in told(error) and None in case.contents
    return say("checks_stream.advice_none") if adds_none else ""


def _unread(left: int, case: Case) -> str:
    """Words on why chunks were left; "" where none were."""
    count = len(case.contents) + case.usage
    if left == count:
        return say("checks_stream.advice_untouched")
    return say("checks_stream.advice_left", left=left, count=count) if left else ""


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
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        yield {**CHUNK, "choices": [choice], "usage": None}
    if case.usage:
        yield {**CHUNK, "choices": [], "usage": USAGE}
