"""The x-ray of an answer: how sure the model was of each token, and what else was likely."""

import math
from itertools import pairwise

from ..parameters import PARAMETERS
from ..words import WrongTypeError, say
from .html import Html, View, filled, fold, join, percent, row, sentence, table
from .tokens import Said, Token, said, visible

# Probabilities down to which a step of the colours goes.
STEPS = (0.9, 0.5, 0.2, 0.05, 0.0)
# In the line of surprises a token rises no higher than this, one in 1,024.
HIGHEST_BITS = 10
FEW = 3


def xray(answer: object, *, choice: int = 0) -> View:
    """The answer's tokens, coloured by probability, with the alternatives to each.

    `answer` is a completion made with `logprobs=True, top_logprobs=5`, or the list of a stream's
    chunks; `choice` is the index of the choice to show. Hover over a token, or go there with Tab,
    to see what else was likely. Tokens that are parts of one character are shown as one. The local
    Qwen's probabilities are the model's own, before temperature and every cut; for DashScope that
    is not documented. Surprise is in bits: minus the binary logarithm of the probability.

    >>> create = client.chat.completions.create
    >>> completion = create(model=lab.model, messages=messages, logprobs=True, top_logprobs=5)
    >>> qwen_lab.xray(completion)
    3 tokens. On average ...

    Without logprobs the view says how to get them. Raises `TypeError` for what is no answer.
    """
    if isinstance(answer, str):
        raise WrongTypeError("xray.no_answer", answer)
    found = said(answer, choice)
    if not found.tokens:
        models = PARAMETERS["logprobs"].taken_by
        return sentence(say("xray.none" if found.text else "xray.empty", models=models))
    summary = filled("<p>{}</p>", [_numbers(found.tokens)])
    parts = [_text(found), _legend(), _line(found.tokens), summary, _table(found.tokens)]
    html = Html('<div class="qwen-xray">{}</div>').format(join(parts))
    return View(html, _short(found), "xray")


def _text(found: Said) -> Html:
    span = Html('<span tabindex="0" class="qwen-xray-{}" data-says="{}">{}</span>')
    spans = join(
        span.format(_step(token), _says(token), _seen(token.text)) for token in found.tokens
    )
    whole = Html('<div class="qwen-xray-text">{}<small> {}</small></div>')
    return whole.format(spans, _ending(found))


def _seen(text: str) -> str:
    # A line's end stays one, and is seen as well.
    return text.replace("\n", "↵\n")


def _step(token: Token) -> int:
    return next(step for step, lowest in enumerate(STEPS) if token.probability >= lowest)


def _says(token: Token) -> str:
    """What stands beside a token: its probability, and the alternatives, a line each."""
    head = say("xray.token", token=visible(token.text), percent=percent(token.probability))
    pieces = [say("xray.pieces", count=token.pieces)] if token.pieces > 1 else []
    return "\n".join([head, *pieces, *_alternatives(token)])


def _alternatives(token: Token) -> list[str]:
    return [f"{percent(probability)}  {visible(text)}" for text, probability in token.alternatives]


def _ending(found: Said) -> str:
    return say(f"xray.{found.reason if found.reason in ('stop', 'length') else 'other'}")


def _legend() -> Html:
    marks = join(
        Html('<span class="qwen-xray-{}">{}</span> ').format(step, _span(low, high))
        for step, (high, low) in enumerate(pairwise((1.0, *STEPS)))
    )
    return Html("<p><small>{} {}</small></p>").format(say("xray.legend"), marks)


def _span(low: float, high: float) -> str:
    return say("html.percent", number=f"{100 * low:.0f}–{100 * high:.0f}")


def _line(tokens: list[Token]) -> Html:
    """The surprise of every token as a bar, for the eye; the table has the numbers."""
    bar = Html('<rect x="{}" y="{:.2f}" width="0.8" height="{:.2f}"/>')
    bars = join(
        bar.format(at, HIGHEST_BITS - height, height)
        for at, height in enumerate(min(token.bits, HIGHEST_BITS) for token in tokens)
    )
    whole = Html(
        '<small>{label}</small><svg role="img" aria-label="{label}" '
        'viewBox="0 0 {wide} {high}" preserveAspectRatio="none">{bars}</svg>'
    )
    label = say("xray.line")
    return whole.format(label=label, wide=max(len(tokens), 20), high=HIGHEST_BITS, bars=bars)


def _numbers(tokens: list[Token]) -> str:
    pieces = sum(token.pieces for token in tokens)
    mean = sum(token.bits for token in tokens) / pieces
    # Beyond 2 ** 1023 a float says no more.
    return say("xray.summary", tokens=pieces, choices=2**mean if mean < 1023 else math.inf)


def _table(tokens: list[Token]) -> Html:
    names = ("number", "token_head", "probability", "bits", "alternatives")
    rows = [_row(number, token) for number, token in enumerate(tokens, 1)]
    listed = table(rows, *(say(f"xray.{name}") for name in names))
    return fold(say("xray.all", count=len(tokens)), listed)


def _row(number: int, token: Token) -> Html:
    shown = Html("<code>{}</code>").format(visible(token.text))
    others = " · ".join(_alternatives(token))
    return row(number, shown, percent(token.probability), f"{token.bits:.1f}", others)


def _short(found: Said) -> str:
    least = sorted(found.tokens, key=lambda token: token.probability)[:FEW]
    lines = [f"{percent(token.probability)}  {visible(token.text)}" for token in least]
    return "\n".join([_numbers(found.tokens), say("xray.least"), *lines, _ending(found)])
