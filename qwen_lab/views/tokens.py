"""The tokens of an answer with their probabilities, those that make one character joined."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..words import WrongTypeError
from .fields import assembled

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
    """One answer: its text, its tokens (none without logprobs), and why it ended."""

    text: str
    tokens: list[Token]
    reason: str | None


def said(answer: object, choice: int = 0) -> Said:
    """An answer from a completion, a list of a stream's chunks, the dict of a completion, or text.

    Raises `TypeError` for anything else, and `IndexError` where there is no such choice.
    """
    if isinstance(answer, str):
        return Said(answer, [], None)
    found = _choices(answer)[choice]
    message, logprobs = found.get("message") or {}, found.get("logprobs") or {}
    tokens = list(joined(logprobs.get("content") or []))
    return Said(message.get("content") or "", tokens, found.get("finish_reason"))


def _choices(answer: object) -> list[dict]:
    if hasattr(answer, "model_dump"):
        return answer.model_dump()["choices"]
    if isinstance(answer, Mapping) and "choices" in answer:
        return answer["choices"]
    if isinstance(answer, Sequence) and answer and all(hasattr(c, "model_dump") for c in answer):
        return assembled([chunk.model_dump(exclude_unset=True) for chunk in answer])[0]["choices"]
    raise WrongTypeError("xray.no_answer", answer)


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
    return bytes(row["bytes"]) if row.get("bytes") else row["token"].encode(errors="replace")


def _token(text: str, pieces: list[dict]) -> Token:
    tops = sorted(pieces[0].get("top_logprobs") or [], key=lambda row: -row["logprob"])
    alternatives = tuple(
        (_bytes(row).decode(errors="replace"), math.exp(row["logprob"])) for row in tops
    )
    probability = math.exp(sum(piece["logprob"] for piece in pieces))
    return Token(text, min(probability, 1.0), len(pieces), alternatives)


def visible(text: str) -> str:
    """The text with signs for white space; the end of an answer is a token too."""
    return text.translate(SIGNS) or "⟨end⟩"
