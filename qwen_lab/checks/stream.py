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
from .functions import called, need_return
from .outcome import Judged, Outcome, check, need, passed, told, wrong


class Case(NamedTuple):
    """A made-up stream: the content of its deltas, whether its usage comes, and its trap.

    `trap` is the key of words on what is special about it, `errors` are what a reader raises that
    falls into it, and `advice` the key of words on how not to.
    """

    contents: list[str | None]
    usage: bool
    trap: str
    advice: str = ""
    errors: tuple[type[Exception], ...] = ()

    @property
    def text(self) -> str:
        """What a reader must make of it."""
        return "".join(content or "" for content in self.contents)

    @property
    def last(self) -> tuple[str, str]:
        """What is left of the text where each piece replaces the one before it."""
        return self.contents[-1] or "", next(filter(None, reversed(self.contents)), "")


CASES = (
    Case(
        ["", "One", " two", ""],
        True,
        "checks_stream.trap_no_choices",
        "checks_stream.advice_no_choices",
        (IndexError,),
    ),
    Case(["", "One", " two", "", "\n", "three", ""], False, "checks_stream.trap_empty"),
    Case(
        [None, None, "One", " two", ""],
        True,
        "checks_stream.trap_none",
        "checks_stream.advice_none",
        (TypeError, AttributeError),
    ),
    Case(["", ""], True, "checks_stream.trap_silent"),
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
        _need_pair(*_read(function, case), case)
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
    # A loop over a whole reply gives its fields, as pairs.
    need(type(chunks[0]) is not tuple, "checks_stream.not_streamed")
    for number, chunk in enumerate(chunks, 1):
        need(isinstance(chunk, ChatCompletionChunk), "checks_stream.no_chunk", chunk, number=number)
    count = len(chunks)
    need(len({chunk.id for chunk in chunks}) == 1, "checks_stream.two_streams")
    first = chunks[0].choices
    need(first and first[0].delta.role, "checks_stream.no_beginning", count=count)
    choices = [choice for chunk in chunks for choice in chunk.choices]
    ended = any(choice.finish_reason for choice in choices)
    need(ended, "checks_stream.no_end", count=count)
    usage = next((chunk.usage for chunk in chunks if chunk.usage), None)
    need(usage is not None, "checks_stream.no_usage", count=count)
    tokens = {"prompt": usage.prompt_tokens, "completion": usage.completion_tokens}
    return passed("checks_stream.has_usage_passed", count=count, **tokens)


def _read(function: Callable, case: Case) -> tuple[object, int]:
    """What the function gives for this stream, or raises, and how many chunks it left unread."""
    with OpenAI(api_key="none", base_url="http://127.0.0.1") as client:
        stream = _stream(case, client)
        return called(function, stream), len(list(stream))


def _need_pair(pair: object, left: int, case: Case) -> None:
    if isinstance(pair, Exception):
        raise _wrong("checks_stream.raised", case, _cause(pair, case), error=told(pair, 80))
    if inspect.iscoroutine(pair):
        pair.close()
        raise wrong("checks_stream.is_async")
    need_return(pair, "checks_stream.returns_none")
    need(isinstance(pair, tuple | list) and len(pair) == 2, "checks_stream.no_pair", pair)
    text, usage = pair
    _need_text(text, left, case)
    _need_usage(usage, left, case)


def _need_text(text: object, left: int, case: Case) -> None:
    need(isinstance(text, str), "checks_stream.not_text", text, trap=say(case.trap))
    if text == case.text:
        return
    advice = say("checks_stream.advice_none" if "None" in text else "checks_stream.advice_pieces")
    if text in case.last:
        advice = say("checks_stream.advice_last")
    seen = {"seen": reprlib.repr(text), "expected": repr(case.text)}
    raise _wrong("checks_stream.other_text", case, _unread(left, case) or advice, **seen)


def _need_usage(usage: object, left: int, case: Case) -> None:
    if not case.usage:
        need(usage is None, "checks_stream.not_none", usage, trap=say(case.trap))
    elif usage is None:
        missed = _unread(left, case) or say("checks_stream.advice_no_choices")
        raise _wrong("checks_stream.usage_none", case, missed)
    else:
        right = getattr(usage, "total_tokens", None) == USAGE["total_tokens"]
        need(right, "checks_stream.other_usage", usage, trap=say(case.trap))


def _wrong(key: str, case: Case, advice: str, **values: str) -> Judged:
    return wrong(key, trap=say(case.trap), advice=advice, **values)


def _cause(error: Exception, case: Case) -> str:
    """How not to raise this error; "" where the stream is not what brought it about."""
    if isinstance(error, UnboundLocalError):
        return say("checks_stream.advice_before")
    return say(case.advice) if isinstance(error, case.errors) else ""


def _unread(left: int, case: Case) -> str:
    """Words on why chunks were left; "" where none were."""
    count = len(case.contents) + case.usage
    if left == count:
        return say("checks_stream.advice_untouched")
    return say("checks_stream.advice_left", left=left, count=count) if left else ""


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
