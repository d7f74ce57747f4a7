"""A picture of how the next token is drawn, for a page where no script moves it."""

import unicodedata
from collections.abc import Sequence

import numpy

from ..watch.next_token import NextToken
from ..watch.sampling import Settings, Stage, stages
from ..words import joined, say
from .html import Html, View, brief, filled, join, percent
from .tokens import visible

# How many candidates have a row, and how much of a long token is shown.
ROWS, LONG = 12, 24


def sampler(found: NextToken, settings: Settings, *, most: int = ROWS) -> View:
    """The `most` important candidates and all the others as bars, with these settings."""
    told = stages(found, settings)
    # Those that are likeliest by the model, or are so now.
    weight = numpy.maximum(told[0].probabilities, told[-1].probabilities)
    listed = sorted(numpy.argsort(-weight, kind="stable")[:most].tolist())
    rows = [_candidate(found, told, index) for index in listed]
    if count := told[0].tokens - len(listed):
        rows.append(_others(told, listed, count))
    values = ", ".join(f"{name}={value:g}" for name, value in vars(settings).items())
    words = filled("<p><small>{}</small></p>", [say("sampler.picture"), values])
    html = Html('<div class="qwen-sampler"><div class="bars">{}</div>{}</div>')
    return View(html.format(join(rows), words), _text(found, told, listed))


def token_name(token: bytes, number: int) -> str:
    """A token in one short line: white space as signs, parts of a character as their bytes."""
    if not token:
        return say("sampler.special", number=number)
    try:
        text = token.decode()
    except UnicodeDecodeError:
        return f"⟨{token[: LONG // 3].hex(' ').upper()}⟩"
    return "".join(map(_sign, visible(brief(text, LONG))))


def _sign(character: str) -> str:
    kind = unicodedata.category(character)
    # Control, direction, joiners, odd spaces: nothing that could disturb the line.
    if kind[0] in "CZ":
        return f"⟨{ord(character):X}⟩"
    return "◌" + character if kind[0] == "M" else character


def _candidate(found: NextToken, told: Sequence[Stage], index: int) -> Html:
    name = token_name(found.bytes[index], int(found.ids[index]))
    cut = next((at for at, stage in enumerate(told) if not stage.kept[index]), 0)
    # What is cut still shows what it had.
    raw, now = (float(told[at].probabilities[index]) for at in (0, cut - 1))
    notes = [say("sampler.cut", name=told[cut].name)] if cut else []
    count, hidden = (met(found, part)[index] for part in (found.context, system(found)))
    words = "sampler.occurs_system" if hidden == count else "sampler.occurs"
    notes += [say(words, count=count)] if count else []
    return _row(name, raw, now, not cut, joined(notes, "phrases"))


def met(found: NextToken, tokens: numpy.ndarray) -> list[int]:
    """How often each candidate is among the tokens."""
    return numpy.bincount(tokens, minlength=int(found.ids.max()) + 1)[found.ids].tolist()


def system(found: NextToken) -> numpy.ndarray:
    """The tokens of the system message, which may be the template's own; none if it is not known.

    A prompt that begins with one says so in its second token; another begins as it does.
    """
    first, *others = numpy.flatnonzero(found.context == found.context[:1]).tolist() or [0]
    names = dict(zip(found.ids.tolist(), found.bytes, strict=True))
    begins = names.get(int(found.context[1])) == b"system" if others else False
    return found.context[first : others[0]] if begins else found.context[:0]


def _others(told: Sequence[Stage], listed: list[int], count: int) -> Html:
    kept = told[-1].tokens - int(told[-1].kept[listed].sum())
    raw, now = (
        max(0.0, 1 - float(stage.probabilities[listed].sum())) for stage in (told[0], told[-1])
    )
    note = say("sampler.others_kept", count=f"{kept:,}") if kept < count else ""
    name = say("sampler.others", count=f"{count:,}")
    return _row(name, raw, now if kept else 0.0, kept > 0, note, "rest")


def _row(name: str, raw: float, now: float, kept: bool, note: str, kind: str = "") -> Html:
    row = Html(
        '<div class="row {}"><span class="name">{}</span> <span class="track"><i class="now"'
        ' style="width:{:.1f}%"></i><i class="raw" style="left:{:.1f}%"></i></span>'
        ' <small>{}</small> <span class="figure">{}</span></div>'
    )
    kind = " ".join([kind, "cut" * (not kept), "below" * (max(now, raw) >= 0.4)])
    return row.format(kind, name, 100 * now, 100 * raw, note, percent(now, kept))


def _text(found: NextToken, told: Sequence[Stage], listed: list[int]) -> str:
    last = told[-1]
    best = sorted(listed, key=lambda row: -last.probabilities[row])[:5]
    shown = [
        f"{token_name(found.bytes[row], int(found.ids[row]))} {percent(last.probabilities[row])}"
        for row in best
        if last.kept[row]
    ]
    return say("sampler.text", best=", ".join(shown), tokens=f"{last.tokens:,}")
