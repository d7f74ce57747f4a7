"""From a next token's probabilities to those it is drawn with, stage by stage.

The stages and their order are the local Qwen's, llama.cpp's own: penalties on the logits,
temperature, top_k, top_p. NumPy alone, and quick enough to follow a slider.
"""

from dataclasses import dataclass

import numpy

from ..parameters import limit
from .next_token import NextToken

STAGES = ("raw", "penalties", "temperature", "top_k", "top_p")


@dataclass(frozen=True)
class Settings:
    """How the next token is drawn; each default leaves the model's probabilities as they are."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0


@dataclass(frozen=True, eq=False)
class Stage:
    """The probabilities after one stage.

    `probabilities` and `kept` (whether it may still be drawn) have one entry for each listed
    candidate; `tail` is the probability of all the others together. They sum to 1. `tokens` may
    still be drawn, listed or not; before this stage they had the `mass`.
    """

    name: str
    probabilities: numpy.ndarray
    kept: numpy.ndarray
    tail: float
    tokens: int
    mass: float


def stages(found: NextToken, settings: Settings) -> list[Stage]:
    """The stages, in the order of `STAGES`; the last has what the token is drawn with.

    Exact for a whole vocabulary. With a tail, which is known to 0.02 of a logarithm, its mass is
    right to 1 %. A list that came without its tail is treated as if there were no other tokens.
    """
    listed = len(found.ids)
    # Groups of equal tokens: each candidate is one, each bin of the tail another.
    sizes = numpy.concatenate([numpy.ones(listed, numpy.int64), found.tail_counts])
    logprobs = numpy.concatenate([found.logprobs, found.tail_logprobs]).astype(numpy.float64)
    raw = logprobs + found.logit_offset
    penalised = _penalised(raw, found, settings)
    order = numpy.argsort(-penalised, kind="stable")
    warm, heated = _heated(penalised, sizes, settings.temperature, order)
    few = _likeliest(heated, order, settings.top_k)
    nucleus = _nucleus(warm, few, order, settings.top_p)
    logits = (raw, penalised, warm, warm, warm)
    kept = (sizes, sizes, heated, few, nucleus)
    return _described(logits, kept, listed)


def _penalised(raw: numpy.ndarray, found: NextToken, settings: Settings) -> numpy.ndarray:
    """Tokens of the context count, the prompt and its template's own tokens among them."""
    listed = len(found.ids)
    size = max(found.ids.max(), found.context.max(initial=0)) + 1
    counts = numpy.bincount(found.context, minlength=size)[found.ids]
    met = numpy.flatnonzero(counts)
    penalised, logits = raw.copy(), raw[:listed][met]
    factor = settings.repetition_penalty
    penalised[met] = numpy.where(logits > 0, logits / factor, logits * factor)
    penalised[met] -= settings.presence_penalty + settings.frequency_penalty * counts[met]
    return penalised


def _heated(
    logits: numpy.ndarray, sizes: numpy.ndarray, temperature: float, order: numpy.ndarray
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The logits at that temperature, and how many tokens of each group it keeps."""
    if temperature > 0:
        return logits / temperature, sizes
    best = numpy.zeros_like(sizes)
    best[order[0]] = 1
    return logits, best


def _likeliest(kept: numpy.ndarray, order: numpy.ndarray, top_k: int) -> numpy.ndarray:
    """How many tokens of each group are among the `top_k` likeliest."""
    most = limit(top_k)
    if not most:
        return kept
    few = numpy.zeros_like(kept)
    ordered = kept[order]
    few[order] = numpy.clip(most - (numpy.cumsum(ordered) - ordered), 0, ordered)
    return few


def _nucleus(
    logits: numpy.ndarray, kept: numpy.ndarray, order: numpy.ndarray, top_p: float
) -> numpy.ndarray:
    """How many tokens of each group it takes, the likeliest first, to have `top_p` together."""
    if top_p >= 1:
        return kept
    masses = _probabilities(logits, kept)[order]
    ordered = kept[order]
    # What is missing to `top_p` before each group, and how many of its equal tokens make it up.
    missing = top_p - (numpy.cumsum(masses) - masses)
    one = masses / numpy.maximum(ordered, 1)
    with numpy.errstate(over="ignore"):
        # Of tokens that hardly have any, more are needed than a float can count.
        needed = numpy.ceil(numpy.divide(missing, one, out=numpy.zeros_like(one), where=one > 0))
    nucleus = numpy.zeros_like(kept)
    nucleus[order] = numpy.clip(needed, 0, ordered).astype(kept.dtype)
    return nucleus


def _probabilities(logits: numpy.ndarray, kept: numpy.ndarray) -> numpy.ndarray:
    """Each group's part, from the tokens of it that are kept."""
    weights = kept * numpy.exp(logits - logits[kept > 0].max())
    return weights / weights.sum()


def _described(logits: tuple, kept: tuple, listed: int) -> list[Stage]:
    found = []
    before = were = None
    for name, at, are in zip(STAGES, logits, kept, strict=True):
        now = _probabilities(at, are)
        mass = 1.0 if were is None or are is were else float((before * are / were.clip(1)).sum())
        tail, tokens = float(now[listed:].sum()), int(are.sum())
        found.append(Stage(name, now[:listed], are[:listed] > 0, tail, tokens, mass))
        before, were = now, are
    return found
