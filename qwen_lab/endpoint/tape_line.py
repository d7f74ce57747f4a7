"""One line of a tape: what was asked, and what was answered, piece by piece and without keys."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import fastjsonschema
import numpy

from .. import dotfile, keys, paths
from ..watch.next_token import NextToken, listed
from .engine import End, Event, Piece, Prompt, Thought
from .rules import ChatRequest

# A shorter variable may be a word that every text has.
SHORTEST_SECRET = 8
# What few requests have: it is written down only where it says something.
RARE = ("stop_tokens", "tools", "schema", "thinking", "thinking_budget", "found")
# How many candidates for a next token are written down beside the tail.
CANDIDATES = 200


def asked(request: ChatRequest, seed: int, alone: bool) -> dict:
    """What `canonical` has, as a tape may keep it."""
    return {"ask": masked(canonical(request, seed, alone))}


def canonical(request: ChatRequest, seed: int, alone: bool) -> dict:
    """The whole request, but for how it is sent: streamed or not, the model answers the same."""
    ask = {
        "messages": _numbered(request.messages),
        **request.sampling,
        "stop": request.stop,
        "top_logprobs": request.top_logprobs if request.logprobs else None,
        "seed": seed,
        "alone": alone,
    }
    rare = {name: value for name in RARE if (value := getattr(request, name))}
    return ask | rare


def _numbered(messages: list[dict]) -> list[dict]:
    """The messages with their tool calls numbered: the ids are new in every answer."""
    numbers: dict[str, str] = {}
    return [_with_numbers(message, numbers) for message in messages]


def _with_numbers(message: dict, numbers: dict[str, str]) -> dict:
    if message["role"] == "tool":
        return {**message, "tool_call_id": numbers[message["tool_call_id"]]}
    if message["role"] != "assistant" or not message.get("tool_calls"):
        return message
    for call in message["tool_calls"]:
        numbers[call["id"]] = f"call_{len(numbers) + 1}"
    calls = [{**call, "id": numbers[call["id"]]} for call in message["tool_calls"]]
    return {**message, "tool_calls": calls}


def asked_next(messages: list[dict], prefix: str | list[int]) -> dict:
    """What was asked for a next token."""
    return {"ask": masked({"messages": messages, "next_token_after": prefix})}


def answered(events: list[tuple[float, Event]], start: float) -> dict:
    """The answer's text in one piece, and how it was cut: milliseconds waited, characters."""
    prompt = next(event.tokens for _, event in events if isinstance(event, Prompt))
    end = next(event for _, event in events if isinstance(event, End))
    thought, answer = _Pieces(), _Pieces()
    for moment, event in events:
        if isinstance(event, Thought | Piece):
            said = thought if isinstance(event, Thought) else answer
            # To 10 ms: a tape that is made again differs only where it matters.
            said.add(round((moment - start) * 100) * 10, event)
            start = moment
    counts = [end.reason, end.prompt_tokens, end.completion_tokens, end.cached_tokens]
    thinking = {"thinking": thought.kept()} if thought.pieces else {}
    return {"prompt": prompt, **thinking, **answer.kept(), "end": counts}


class _Pieces:
    """Text in pieces, as a tape keeps it."""

    def __init__(self) -> None:
        self.text = ""
        self.pieces = []
        self.logprobs = []

    def add(self, wait: int, event: Thought | Piece) -> None:
        self.text += event.text
        self.pieces.append([wait, len(event.text)])
        self.logprobs.append(getattr(event, "logprobs", None))

    def kept(self) -> dict:
        # Where it was stopped within a token, the tokens say more than the text.
        spelled = "".join(row["token"] for rows in self.logprobs for row in rows or ())
        heard = [self.text, spelled, self.logprobs]
        text, *_ = hidden = masked(heard)
        if hidden != heard:
            # A key in it: its pieces and tokens would spell it.
            return {"text": text, "pieces": [[sum(wait for wait, _ in self.pieces), len(text)]]}
        logprobs = {"logprobs": self.logprobs} if any(self.logprobs) else {}
        return {"text": text, "pieces": self.pieces, **logprobs}


def checked(lines: list) -> list[dict]:
    """The lines of a tape, the first of them its head; `ValueError` when they cannot be played."""
    for line in _shape()(lines)[1:]:
        if "refusal" not in line:
            (next_token if "next_token_after" in line["ask"] else events)(line)
    return lines


@cache
def _shape() -> Callable[[object], object]:
    return fastjsonschema.compile(paths.table(__file__))


def events(exchange: dict) -> list[tuple[float, Event]]:
    """The events of an answer, each with the seconds to wait before it."""
    thoughts = [(wait, Thought(text)) for wait, text, _ in _pieces(exchange.get("thinking"))]
    pieces = [(wait, Piece(text, rows)) for wait, text, rows in _pieces(exchange)]
    return [(0, Prompt(exchange["prompt"])), *thoughts, *pieces, (0, End(*exchange["end"]))]


def _pieces(said: dict | None) -> Iterator[tuple[float, str, list | None]]:
    if not said:
        return
    at, logprobs = 0, said.get("logprobs") or [None] * len(said["pieces"])
    for (wait, length), rows in zip(said["pieces"], logprobs, strict=True):
        yield wait / 1000, said["text"][at : at + length], rows
        at += length


def answered_next(found: NextToken, *, hidden: bool) -> dict:
    """The likeliest tokens, each as text or, where it is a part of a character, as bytes.

    `hidden` leaves the context out: where a key was masked, its tokens would spell it.
    """
    if hidden:
        found = replace(found, context=found.context[:0], prompt_tokens=0)
    found = found.first(CANDIDATES)
    rows = zip(found.ids, found.bytes, found.logprobs, strict=True)
    tail = zip(found.tail_logprobs, found.tail_counts, strict=True)
    return {
        "next": [[int(number), _text(token), _short(logprob)] for number, token, logprob in rows],
        "tail": [[_short(logprob), int(count)] for logprob, count in tail],
        "context": found.context.tolist(),
        "prompt_tokens": found.prompt_tokens,
        "logit_offset": _short(found.logit_offset),
    }


def next_token(exchange: dict) -> NextToken:
    """What `answered_next` wrote down."""
    rows = [
        (number, token.encode() if isinstance(token, str) else bytes(token), logprob)
        for number, token, logprob in exchange["next"]
    ]
    logprobs, counts = numpy.array(exchange["tail"]).T
    context = [exchange[name] for name in ("context", "prompt_tokens", "logit_offset")]
    tail = {"tail_logprobs": numpy.float32(logprobs), "tail_counts": numpy.int64(counts)}
    return replace(listed(rows, *context), **tail)


def _text(token: bytes) -> str | list[int]:
    try:
        return token.decode()
    except UnicodeDecodeError:
        return list(token)


def _short(logprob: float) -> float:
    return round(float(logprob), 4)


def masked(value: object) -> object:
    """The value with all hidden that looks like a key, or is one here or in a file `.env`."""
    known = keys.secrets(os.environ, *dotfile.every())
    return _masked(value, [each for each in known if len(each) >= SHORTEST_SECRET])


def _masked(value: object, secrets: list[str]) -> object:
    if isinstance(value, dict):
        return {_masked(name, secrets): _masked(item, secrets) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item, secrets) for item in value]
    return keys.without(value, secrets) if isinstance(value, str) else value
