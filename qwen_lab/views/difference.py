"""Two answers side by side: what they share, where they part, and how likely each was there."""

import os
import re
from collections.abc import Iterator, Sequence

from ..words import joined, say
from .html import Html, View, breaking, filled, join, percent
from .knobs import HYPHENED
from .tokens import Said, Token, said, visible

# What is marked where texts without tokens part: a word, or one sign with what belongs to it.
WORD = re.compile(r" ?[A-Za-z0-9À-ɏ\u0300-\u036f]+|.[\u0300-\u036f\ufe0e\ufe0f\u200d]*", re.S)
SHOWN = 40


def difference(a: object, b: object, *, labels: Sequence[str] = ("A", "B")) -> View:
    """Two answers: the beginning that they share, then each of them from where they part.

    `a` and `b` are completions, lists of chunks, or texts; `labels` are their names. Where both
    have logprobs they part at a token, and the view tells how probable both tokens were for either.

    >>> qwen_lab.difference("Autumn leaves fall", "Autumn rain falls")
    They begin alike and part at “␣leaves” and “␣rain”.

    Raises `TypeError` for what is no answer.
    """
    lines, texts = parted(a, b, labels)
    column = Html("<div><b>{}</b>\n{}</div>")
    names = (breaking(label, whole=HYPHENED) for label in labels)
    columns = join(column.format(*each) for each in zip(names, texts, strict=True))
    html = Html('{}<div class="qwen-difference">{}</div>')
    told = (breaking(line, whole=HYPHENED) for line in lines)
    return View(html.format(filled("<p>{}</p>", told), columns), "\n".join(lines))


def parted(a: object, b: object, labels: Sequence[str]) -> tuple[list[str], list[Html]]:
    """What there is to say of two answers, and each text, marked where it leaves the other."""
    pair = (said(a), said(b))
    shared = _shared(*pair)
    marked = [_next(each, shared, all(map(_whole, pair))) for each in pair]
    lines = [_parting(pair, shared, marked, labels), *_fork(pair, shared, labels)]
    return lines, [_text(each.text, shared, word) for each, word in zip(pair, marked, strict=True)]


def _whole(answer: Said) -> bool:
    """Whether the tokens are the whole text: one that was stopped may have more of them."""
    return bool(answer.tokens) and "".join(token.text for token in answer.tokens) == answer.text


def _shared(a: Said, b: Said) -> int:
    """How many characters both begin with; whole tokens or words."""
    if _whole(a) and _whole(b):
        return sum(len(token.text) for token in a.tokens[: _shared_tokens(a, b)])
    length = len(os.path.commonprefix([a.text, b.text]))
    if a.text == b.text:
        return length
    # Words that only begin alike part at their beginning.
    starts = [match.start() for match in WORD.finditer(max(a.text, b.text, key=len))]
    return max((start for start in starts if start <= length), default=0)


def _shared_tokens(a: Said, b: Said) -> int:
    pairs = zip(a.tokens, b.tokens, strict=False)
    same = [one.text == other.text for one, other in pairs]
    return same.index(False) if False in same else len(same)


def _next(answer: Said, shared: int, whole: bool) -> str:
    """What stands where the answers part, a token of `whole` ones; "" where this one has ended."""
    if whole:
        at = 0
        for token in answer.tokens:
            if at >= shared:
                return token.text
            at += len(token.text)
    found = WORD.match(answer.text, shared)
    return found[0] if found else ""


def _parting(pair: tuple[Said, Said], shared: int, marked: list[str], labels: Sequence[str]) -> str:
    if pair[0].text == pair[1].text:
        return say("difference.same", count=shared)
    first, second = (visible(word)[:SHOWN] for word in marked)
    if "" in marked:
        (ended, other), word = (labels[::-1], first) if marked[0] else (labels, second)
        return say("difference.ended", count=shared, ended=ended, other=other, word=word)
    if not shared:
        return say("difference.unlike", first=first, second=second)
    return say("difference.part", first=first, second=second)


def _fork(pair: tuple[Said, Said], shared: int, labels: Sequence[str]) -> Iterator[str]:
    """How probable both tokens were, where both answers have logprobs."""
    at = _shared_tokens(*pair)
    whole = all(map(_whole, pair))
    if pair[0].text == pair[1].text or not whole or any(at >= len(each.tokens) for each in pair):
        return
    forks = [each.tokens[at] for each in pair]
    first, second = (_chance(token.text, forks, labels) for token in forks)
    yield say("difference.fork", first=first, second=second)
    yield say("difference.own")


def _chance(text: str, forks: list[Token], labels: Sequence[str]) -> str:
    """A token and its probability: one figure where both answers say the same, else whose it is.

    Of those that are not among the likeliest, an answer lists the one that it chose, alone.
    """
    listed = [dict(token.alternatives) | {token.text: token.probability} for token in forks]
    pairs = zip(labels, listed, strict=True)
    found = [(label, percent(each[text])) for label, each in pairs if text in each]
    chance = found[0][1]
    if len(found) == 1:
        chance = say("difference.alone", label=found[0][0], chance=chance)
    elif chance != found[1][1]:
        chance = joined(say("difference.by", label=label, chance=each) for label, each in found)
    return say("difference.token", token=visible(text), chance=chance)


def _text(text: str, shared: int, word: str) -> Html:
    mark = filled("<mark>{}</mark>", [word] if word else [])
    whole = Html('<span class="qwen-difference-text"><span>{}</span>{}{}</span>')
    return whole.format(text[:shared], mark, text[shared + len(word) :])
