"""The x-ray of an answer: how sure the model was of each token, and what else was likely."""

import math
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from ..parameters import PARAMETERS
from ..words import WrongTypeError, say
from .html import Html, View, breaking, cards, filled, fold, join, percent
from .knobs import HYPHENED
from .tokens import Said, Token, said, visible

# Probabilities down to which a step of the colours goes.
STEPS = (0.9, 0.5, 0.2, 0.05, 0.0)
FEW = 3
# All others together have a bar of their own from this share on.
SHARE = 0.0005
# What only a style shows stands in attributes: a page that drops the style shows the text alone.
TOKEN = Html('{}<span tabindex="0" class="qwen-xray-{}{}">{}<span>{}</span></span>')
BAR = Html('<i{} style="--p:{:.3g}" data-token="{}" data-says="{}"></i>')


def xray(answer: object, *, choice: int = 0, opened: int | None = None) -> View:
    """The answer's tokens, coloured by probability, with the alternatives to each.

    `answer` is a completion made with `logprobs=True, top_logprobs=5`, or the list of a stream's
    chunks; `choice` is the index of the choice to show. Point at a token, tap it or go there with
    Tab to see what else was likely; at first the least likely one is open, or the one with the
    number `opened`, counted from 0. Tokens that are parts of one character are shown as one. The
    local Qwen's probabilities are the model's own, before temperature and every cut; for DashScope
    that is not documented. In the table surprise is in bits: minus the binary logarithm of the
    probability.

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
        words = say("xray.none" if found.text else "xray.empty", models=models)
        return View(filled("<p>{}</p>", [breaking(words, whole=HYPHENED)]), words)
    shown = found.tokens[least(found.tokens) if opened is None else opened]
    below = filled('<div class="qwen-xray-open">{}</div>', [_bars(shown)])
    summary = filled("<p>{}</p>", [_numbers(found.tokens), *_counted(found)])
    parts = [_text(found, shown), below, _legend(found.tokens), summary, _table(found.tokens)]
    html = Html('<div class="qwen-xray">{}</div>').format(join(parts))
    return View(html, _short(found))


def least(tokens: list[Token]) -> int:
    """Which of the tokens was the least probable, the first of them."""
    return min(range(len(tokens)), key=lambda at: tokens[at].probability)


def _text(found: Said, shown: Token) -> Html:
    spans = (_span(token, " open" * (token is shown)) for token in found.tokens)
    whole = Html('<div class="qwen-xray-text">{}<small> {}</small></div>')
    return whole.format(join(spans), _ending(found))


def _span(token: Token, mark: str) -> Html:
    # A line's end stays one, and is seen as well; the last one stands outside, or the token's
    # outline would go on in the next line.
    seen = token.text.replace("\n", "↵\n")
    end = "\n" * seen.endswith("\n")
    # So does a word's blank, or its colour would stay behind in the line before.
    blank = " " * (seen[:1] == " " < seen[1:2])
    shown = seen.removesuffix("\n").removeprefix(blank)
    return TOKEN.format(blank, _step(token), mark, shown, _bars(token)) + end


def _step(token: Token) -> int:
    return next(step for step, lowest in enumerate(STEPS) if token.probability >= lowest)


def _bars(token: Token) -> Html:
    """The candidates for a token's place, as bars; the token itself is among them."""
    pieces = say("xray.pieces", count=token.pieces) if token.pieces > 1 else ""
    share = percent(token.probability)
    values = {"token": visible(token.text), "pieces": pieces, "percent": share, "bits": token.bits}
    told = say("xray.here", **values)
    shares = [*token.alternatives]
    if not shares or token.pieces == 1 and token.text not in dict(shares):
        shares.append((token.text, token.probability))
    bars = [_bar(visible(text), share, "chosen" * (text == token.text)) for text, share in shares]
    rest = 1 - sum(share for _, share in shares)
    if token.alternatives and rest > SHARE:
        bars.append(_bar(say("xray.others"), rest, "rest"))
    return Html('<b data-says="{}"></b>').format(told) + join(bars)


def _bar(name: str, share: float, kind: str) -> Html:
    told = percent(share) + " ◀" * (kind == "chosen")
    kind = kind and Html(' class="{}"').format(kind)
    return BAR.format(kind, share, name, told)


def _ending(found: Said) -> str:
    return say(f"xray.{found.reason if found.reason in ('stop', 'length') else 'other'}")


def _legend(tokens: list[Token]) -> Html:
    """What the colours mean, and how many tokens have each."""
    counts = Counter(map(_step, tokens))
    mark = Html('<span class="qwen-xray-{}">{}</span> ')
    marks = join(
        mark.format(step, say("xray.step", range=_range(low, high), count=counts[step]))
        for step, (high, low) in enumerate(pairwise((1.0, *STEPS)))
    )
    told = Html(say("joins.sentences")).join([say("xray.legend"), marks])
    return Html("<p><small>{}<br>{}</small></p>").format(told, say("xray.point"))


def _range(low: float, high: float) -> str:
    return say("html.percent", number=f"{100 * low:.0f}–{100 * high:.0f}")


def _numbers(tokens: list[Token]) -> str:
    pieces = sum(token.pieces for token in tokens)
    mean = sum(token.bits for token in tokens) / pieces
    # Beyond 2 ** 1023 a float says no more.
    return say("xray.summary", tokens=pieces, choices=2**mean if mean < 1023 else math.inf)


def _counted(found: Said) -> Iterator[str]:
    if (found.counted or 0) > sum(token.pieces for token in found.tokens):
        yield say("xray.counted", count=found.counted)


def _table(tokens: list[Token]) -> Html:
    names = ("number", "token_head", "probability", "bits", "alternatives")
    rows = [_row(number, token) for number, token in enumerate(tokens, 1)]
    listed = cards(rows, *(say(f"xray.{name}") for name in names))
    told = filled("<small>{}</small>", [say("xray.surprise")])
    return fold(say("xray.all", count=len(tokens)), told + listed)


def _row(number: int, token: Token) -> list:
    shown = Html("<code>{}</code>").format(visible(token.text))
    pair = Html('<span class="pair"><code>{}</code> {}</span> ')
    others = join(pair.format(visible(text), percent(share)) for text, share in token.alternatives)
    return [number, shown, percent(token.probability), f"{token.bits:.1f}", others]


def _short(found: Said) -> str:
    rare = sorted(found.tokens, key=lambda token: token.probability)[:FEW]
    lines = [f"{percent(token.probability)}  {visible(token.text)}" for token in rare]
    return "\n".join([_numbers(found.tokens), say("xray.least"), *lines, _ending(found)])
