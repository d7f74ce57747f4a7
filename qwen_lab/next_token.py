"""What may come next: the model's own probabilities for one token, over its whole vocabulary."""

import io
from dataclasses import dataclass

import numpy

# How many candidates are listed, and a number above every vocabulary's.
MOST, WHOLE = 1_000, 10_000_000
# Tokens whose logarithms of probability lie within this are counted together in a tail.
WIDTH = 0.02


@dataclass(frozen=True, eq=False)
class NextToken:
    """The candidates for the next token, the likeliest first, and the tail of all the others.

    `ids`, `bytes` and `logprobs` (natural logarithms, before temperature and every cut) have one
    entry for each candidate. A token may be a part of a character, so `bytes` are what it is, and
    `tokens` what can be shown of it. The rest of the vocabulary is a histogram: `tail_counts[i]`
    tokens have logarithms whose mean is `tail_logprobs[i]`. Both are empty when all the tokens are
    listed, or the tail was not asked for.
    """

    ids: numpy.ndarray
    bytes: list[bytes]
    logprobs: numpy.ndarray
    tail_logprobs: numpy.ndarray
    tail_counts: numpy.ndarray

    @property
    def tokens(self) -> list[str]:
        """The candidates as text, with "�" for parts of a character."""
        return [token.decode(errors="replace") for token in self.bytes]

    def first(self, most: int) -> "NextToken":
        """The `most` likeliest, and all the others counted into the tail."""
        rest, counts = self.logprobs[most:], numpy.ones(len(self.logprobs[most:]), numpy.int64)
        logprobs = numpy.concatenate([rest, self.tail_logprobs]).astype(numpy.float64)
        counts = numpy.concatenate([counts, self.tail_counts])
        _, bins = numpy.unique(numpy.floor(logprobs / WIDTH), return_inverse=True)
        totals = numpy.bincount(bins, counts)
        means = numpy.bincount(bins, logprobs * counts) / totals
        return NextToken(
            self.ids[:most],
            self.bytes[:most],
            self.logprobs[:most],
            means[::-1].astype(numpy.float32),
            totals[::-1].astype(numpy.int64),
        )

    def dump(self) -> bytes:
        """The whole as one NumPy archive, for `load`."""
        file = io.BytesIO()
        numpy.savez(
            file,
            ids=self.ids,
            text=numpy.frombuffer(b"".join(self.bytes), numpy.uint8),
            lengths=numpy.array([len(token) for token in self.bytes], numpy.int32),
            logprobs=self.logprobs,
            tail_logprobs=self.tail_logprobs,
            tail_counts=self.tail_counts,
        )
        return file.getvalue()


def load(archive: bytes) -> NextToken:
    """What `dump` wrote."""
    with numpy.load(io.BytesIO(archive), allow_pickle=False) as parts:
        text, ends = parts["text"].tobytes(), numpy.cumsum(parts["lengths"])
        starts = ends - parts["lengths"]
        return NextToken(
            parts["ids"],
            [text[start:end] for start, end in zip(starts, ends, strict=True)],
            parts["logprobs"],
            parts["tail_logprobs"],
            parts["tail_counts"],
        )


def listed(candidates: list[tuple[int, bytes, float]]) -> NextToken:
    """Candidates as (number, bytes, logarithm), the likeliest first, without a tail."""
    ids, tokens, logprobs = zip(*candidates, strict=True)
    none = numpy.empty(0)
    return NextToken(
        numpy.array(ids, numpy.int32),
        list(tokens),
        numpy.array(logprobs, numpy.float32),
        none.astype(numpy.float32),
        none.astype(numpy.int64),
    )
