"""A picture of how the next token is drawn, for a page where no script moves it."""

import unicodedata
from collections.abc import Sequence

import numpy

from ..watch.next_token import NextToken
from ..watch.sampling import Settings, Stage, stages
from ..words import say
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
    count = int((found.context == found.ids[index]).sum())
    notes += [say("sampler.occurs", count=count)] if count else []
    return _row(name, raw, now, not cut, " · ".join(notes))


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
        ' <small style="margin-left:{:.1f}%">{}</small> <span class="figure">{}</span></div>'
    )
    end = max(now, raw)
    kind = " ".join([kind, "cut" * (not kept), "below" * (end >= 0.6)])
    return row.format(kind, name, 100 * now, 100 * raw, 100 * end, note, percent(now, kept))


def _text(found: NextToken, told: Sequence[Stage], listed: list[int]) -> str:
    last = told[-1]
    best = sorted(listed, key=lambda row: -last.probabilities[row])[:5]
    shown = [
        f"{token_name(found.bytes[row], int(found.ids[row]))} {percent(last.probabilities[row])}"
        for row in best
        if last.kept[row]
    ]
    return say("sampler.text", best=", ".join(shown), tokens=f"{last.tokens:,}")
