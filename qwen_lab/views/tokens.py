"""The tokens of an answer with their probabilities, those that make one character joined."""

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from ..watch import typed
from ..words import WrongTypeError
from .fields import assembled, chunks_in, is_model

SIGNS = str.maketrans({"\n": "↵", "\t": "⇥", " ": "␣"})


@dataclass(frozen=True)
class Token:
    """Whole characters of an answer: one token, or the `pieces` that together make them.

    `probability` is that of all the pieces. `alternatives` are the likeliest tokens in the place
    of the first piece, as (text, probability), the likeliest first.
    """

    text: str
    probability: float
    pieces: int
    alternatives: tuple[tuple[str, float], ...]

    @property
    def bits(self) -> float:
        """How surprising it was: 0 where it was certain, 1 for one in two, 10 for one in 1,024."""
        return -math.log2(self.probability) if self.probability else math.inf


@dataclass(frozen=True)
class Said:
    """One answer: its text, its tokens (none without logprobs), and why it ended.

    `counted` is how many tokens its usage says, where it has no other choices.
    """

    text: str
    tokens: list[Token]
    reason: str | None
    counted: int | None = None


def said(answer: object, choice: int = 0) -> Said:
    """An answer from a completion, a list of a stream's chunks, the dict of a completion, or text.

    Raises `TypeError` for anything else, and `IndexError` where there is no such choice.
    """
    if isinstance(answer, str):
        return Said(answer, [], None)
    choices, usage = _parts(answer)
    if not choices and not choice:
        return Said("", [], None)
    found = choices[choice]
    logprobs = found["logprobs"] or {}
    tokens = list(joined(logprobs.get("content") or []))
    counted = (usage or {}).get("completion_tokens") if len(choices) == 1 else None
    return Said(found["message"]["content"] or "", tokens, found["finish_reason"], counted)


def _parts(answer: object) -> tuple[list[dict], dict | None]:
    if chunks := chunks_in(answer):
        answer, _ = assembled(chunks)
    elif not is_model(answer) and not (isinstance(answer, Mapping) and "choices" in answer):
        raise WrongTypeError("xray.no_answer", answer)
    whole = typed.completion(answer).model_dump()
    return whole["choices"], whole["usage"]


def joined(rows: list[dict]) -> Iterator[Token]:
    """The rows of `logprobs.content`, those that are parts of one character as one."""
    pieces: list[dict] = []
    for row in rows:
        pieces.append(row)
        if (text := _text(pieces)) is not None:
            yield _token(text, pieces)
            pieces = []
    if pieces:
        # Cut within a character: what is there of it cannot be shown.
        yield _token("\ufffd", pieces)


def _text(pieces: list[dict]) -> str | None:
    try:
        return b"".join(_bytes(piece) for piece in pieces).decode()
    except UnicodeDecodeError:
        return None


def _bytes(row: dict) -> bytes:
    with suppress(ValueError):
        if found := bytes(row.get("bytes") or []):
            return found
    return row["token"].encode(errors="replace")


def _token(text: str, pieces: list[dict]) -> Token:
    tops = sorted(pieces[0].get("top_logprobs") or [], key=lambda row: -row["logprob"])
    alternatives = tuple(
        (_bytes(row).decode(errors="replace"), _probability([row])) for row in tops
    )
    return Token(text, _probability(pieces), len(pieces), alternatives)


def _probability(rows: list[dict]) -> float:
    return math.exp(min(0.0, sum(row["logprob"] for row in rows)))


def visible(text: str) -> str:
    """The text with signs for white space; the end of an answer is a token too."""
    return text.translate(SIGNS) or "⟨end⟩"
