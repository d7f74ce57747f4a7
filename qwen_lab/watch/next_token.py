"""What may come next: the model's own probabilities for one token, over its whole vocabulary."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy

# How many candidates are listed, and a number above every vocabulary's.
MOST, WHOLE = 1_000, 10_000_000
# Tokens whose logarithms of probability lie within this are counted together in a tail.
WIDTH = 0.02
# What each array holds.
KINDS = {"ids": "i4", "logprobs": "f4", "tail_logprobs": "f4", "tail_counts": "i8", "context": "i4"}


def _none(kind: type) -> numpy.ndarray:
    return field(default_factory=partial(numpy.empty, 0, kind))


@dataclass(frozen=True, eq=False)
class NextToken:
    """The candidates for the next token, the likeliest first, and the tail of all the others.

    `ids` (int32), `bytes` and `logprobs` (float32, in nats: natural logarithms, before temperature
    and every cut) have one entry for each of the k candidates, so the arrays have the shape (k,).
    A token may be a part of a character, so `bytes` are what it is, and `tokens` what can be shown
    of it. The rest of the vocabulary is a histogram: `tail_counts[i]` (int64) tokens have
    logarithms whose mean is `tail_logprobs[i]` (float32). Both are empty when all the tokens are
    listed, or the tail was not asked for.

    `context` (int32) has the ids of all that stands before the next token; the first
    `prompt_tokens` of them are the prompt, with its template, the others the beginning of the
    answer. The model's own logits are `logprobs + logit_offset`: a repetition penalty acts on
    them.
    """

    ids: numpy.ndarray
    bytes: list[bytes]
    logprobs: numpy.ndarray
    tail_logprobs: numpy.ndarray = _none(numpy.float32)
    tail_counts: numpy.ndarray = _none(numpy.int64)
    context: numpy.ndarray = _none(numpy.int32)
    prompt_tokens: int = 0
    logit_offset: float = 0.0

    @property
    def tokens(self) -> list[str]:
        """The candidates as text, with "�" for parts of a character."""
        return [token.decode(errors="replace") for token in self.bytes]

    def first(self, most: int) -> "NextToken":
        """The `most` likeliest, and all the others counted into the tail.

        Tokens of the context stay listed wherever they stand: penalties move them one by one.
        """
        kept = numpy.isin(self.ids, self.context)
        kept[:most] = True
        rest = self.logprobs[~kept]
        logprobs = numpy.concatenate([rest, self.tail_logprobs]).astype(numpy.float64)
        counts = numpy.concatenate([numpy.ones(len(rest), numpy.int64), self.tail_counts])
        _, bins = numpy.unique(numpy.floor(logprobs / WIDTH), return_inverse=True)
        totals = numpy.bincount(bins, counts)
        means = numpy.bincount(bins, logprobs * counts) / totals
        return replace(
            self,
            ids=self.ids[kept],
            bytes=[self.bytes[index] for index in numpy.flatnonzero(kept)],
            logprobs=self.logprobs[kept],
            tail_logprobs=means[::-1].astype(numpy.float32),
            tail_counts=totals[::-1].astype(numpy.int64),
        )

    def dump(self) -> bytes:
        """The whole as one NumPy archive, for `load`."""
        file = io.BytesIO()
        text = numpy.frombuffer(b"".join(self.bytes), numpy.uint8)
        lengths = numpy.array([len(token) for token in self.bytes], numpy.int32)
        others = {name: value for name, value in vars(self).items() if name != "bytes"}
        numpy.savez(file, text=text, lengths=lengths, **others)
        return file.getvalue()


def load(archive: bytes) -> NextToken:
    """What `dump` wrote; bytes that it cannot have written raise some error."""
    with numpy.load(io.BytesIO(archive), allow_pickle=False) as file:
        parts = dict(file)
    text, lengths = parts.pop("text").tobytes(), parts.pop("lengths")
    ends = numpy.cumsum(lengths)
    tokens = [text[end - length : end] for length, end in zip(lengths, ends, strict=True)]
    numbers = {name: parts.pop(name).item() for name in ("prompt_tokens", "logit_offset")}
    found = NextToken(bytes=tokens, **parts, **numbers)
    if any(parts[name].dtype != kind or parts[name].ndim != 1 for name, kind in KINDS.items()):
        raise ValueError("arrays of other kinds")
    pairs = (found.ids, found.logprobs), (found.tail_counts, found.tail_logprobs)
    if len(tokens) != len(found.ids) or any(len(one) != len(other) for one, other in pairs):
        raise ValueError("arrays of other lengths")
    return found


def listed(
    candidates: list[tuple[int, bytes, float]],
    context: Sequence[int] = (),
    prompt_tokens: int = 0,
    logit_offset: float = 0.0,
) -> NextToken:
    """Candidates as (number, bytes, logarithm), the likeliest first, without a tail."""
    ids, tokens, logprobs = zip(*candidates, strict=True)
    return NextToken(
        numpy.array(ids, numpy.int32),
        list(tokens),
        numpy.array(logprobs, numpy.float32),
        context=numpy.array(context, numpy.int32),
        prompt_tokens=prompt_tokens,
        logit_offset=logit_offset,
    )
