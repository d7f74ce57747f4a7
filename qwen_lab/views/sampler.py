"""A picture of how the next token is drawn, for a page where no script moves it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..watch.next_token import NextToken
from ..watch.sampling import Settings, Stage, stages
from ..words import joined, say
from .html import Html, View, brief, filled, join, percent
from .tokens import visible

# How many candidates have a row, and how much of a long token is shown.
ROWS, LONG = 12, 24
# As in the widget, by a test: where its axis may end, and how many letters fit onto a bar's line.
ENDS, LINE = (0.1, 0.25, 0.5, 0.75, 1), 36
KEY = Html('<span><i class="key-{}"></i><span>{}</span></span> ')
TICK = Html('<span class="{}" style="left:{:g}%">{}</span> ')
BAR = Html(
    '<div class="row {}"><span class="name">{}</span> <span class="track"><i class="now"'
    ' style="width:{:.1f}%"></i><i class="raw" style="left:{:.1f}%"></i></span>'
    ' <small>{}</small> <span class="figure">{}</span></div>'
)


@dataclass(frozen=True)
class Bar:
    """A candidate or all others, with its share by the model and now, or before it was cut."""

    name: str
    raw: float
    now: float
    cut: bool
    note: str
    kind: str = ""


def sampler(found: NextToken, settings: Settings, *, most: int = ROWS) -> View:
    """The `most` important candidates and all the others as bars, with these settings."""
    told = stages(found, settings)
    # Those that are likeliest by the model, or are so now.
    weight = numpy.maximum(told[0].probabilities, told[-1].probabilities)
    listed = sorted(numpy.argsort(-weight, kind="stable")[:most].tolist())
    bars = [_candidate(found, told, index) for index in listed]
    if count := told[0].tokens - len(listed):
        bars.append(_others(told, listed, count))
    full = _end(max(max(bar.raw, bar.now) for bar in bars))
    cut = any(bar.cut for bar in bars)
    rows = join(_row(bar, full) for bar in bars)
    values = ", ".join(f"{name}={value:g}" for name, value in vars(settings).items())
    words = filled("<p><small>{}</small></p>", [say("sampler.picture"), values])
    html = Html(
        '<div class="qwen-sampler">{}<div class="bars" style="--part:{:g}%">{}</div>{}</div>'
    )
    step = 100 * _apart(full) / full
    return View(html.format(_axis(full, cut), step, rows, words), _text(found, told, listed))


def _end(share: float) -> float:
    """Where the axis ends, as in `axis.js`: beyond all bars."""
    return next((end for end in ENDS if end >= 1.08 * share), 1)


def _apart(full: float) -> float:
    return 0.25 if full > 0.25 else 0.05


def _axis(full: float, cut: bool) -> Html:
    """What the bars are made of, and the axis above them."""
    kinds = ["now", "raw", *["cut"] * cut]
    key = (KEY.format(kind, say(f"sampler.key_{kind}")) for kind in kinds)
    steps = round(full / _apart(full))
    ticks = (
        TICK.format("end" * (at == steps), 100 * at / steps, _whole(full * at / steps))
        for at in range(steps + 1)
    )
    return Html('<p class="key">{}</p><div class="axis">{}</div>').format(join(key), join(ticks))


def _whole(share: float) -> str:
    return say("html.percent", number=round(100 * share))


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


def _candidate(found: NextToken, told: Sequence[Stage], index: int) -> Bar:
    name = token_name(found.bytes[index], int(found.ids[index]))
    cut = next((at for at, stage in enumerate(told) if not stage.kept[index]), 0)
    # What is cut still shows what it had.
    raw, now = (float(told[at].probabilities[index]) for at in (0, cut - 1))
    low = now < raw and told[1].probabilities[index] < raw
    notes = [_occurs(found, index, low), say("sampler.cut", name=told[cut].name) if cut else ""]
    return Bar(name, raw, now, cut > 0, joined(filter(None, notes), "phrases"))


def _occurs(found: NextToken, index: int, low: bool) -> str:
    """How often it is in the text, and whether the penalties have lowered its bar for that."""
    count, hidden = (met(found, part)[index] for part in (found.context, system(found)))
    occurs = say("sampler.occurs_system" if hidden == count else "sampler.occurs", count=count)
    return "" if not count else say("sampler.lowered", occurs=occurs) if low else occurs


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


def _others(told: Sequence[Stage], listed: list[int], count: int) -> Bar:
    left = [stage.tokens - int(stage.kept[listed].sum()) for stage in told]
    cut = left.index(0) if 0 in left else 0
    raw, now = (max(0.0, 1 - float(told[at].probabilities[listed].sum())) for at in (0, cut - 1))
    note = say("sampler.others_kept", count=f"{left[-1]:,}") if left[-1] < count else ""
    if cut:
        by = [told[at].name for at in range(1, len(told)) if left[at] < left[at - 1]]
        note = say("sampler.cut", name=joined(by, "names"))
    return Bar(say("sampler.others", count=f"{count:,}"), raw, now, cut > 0, note, "rest")


def _row(bar: Bar, full: float) -> Html:
    letters = sum(1 + (letter > "\u2e80") for letter in bar.note)
    below = bar.note and max(bar.now, bar.raw) / full + (letters + 2) / LINE > 1
    looks = {"cut": bar.cut, "below": below}
    kind = " ".join([bar.kind, *(look for look, is_so in looks.items() if is_so)])
    places = 100 * bar.now / full, 100 * bar.raw / full
    figure = percent(0 if bar.cut else bar.now, not bar.cut)
    return BAR.format(kind, bar.name, *places, bar.note, figure)


def _text(found: NextToken, told: Sequence[Stage], listed: list[int]) -> str:
    last = told[-1]
    best = sorted(listed, key=lambda row: -last.probabilities[row])[:5]
    shown = [
        f"{token_name(found.bytes[row], int(found.ids[row]))} {percent(last.probabilities[row])}"
        for row in best
        if last.kept[row]
    ]
    return say("sampler.text", best=", ".join(shown), tokens=f"{last.tokens:,}")
