"""How the next token is drawn, as HTML: the likeliest candidates as bars, and each stage in words.

Of each candidate two bars: the model's own probability, and the one it is drawn with now.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from ..watch.next_token import NextToken
from ..watch.sampling import Settings, Stage, stages
from ..words import say
from .html import Html, View, brief, filled, percent
from .stage_sentences import sentences
from .tokens import visible

# How many candidates have a row, and how much of a long token is shown.
ROWS, LONG = 16, 24
# What a full bar may stand for: the least of these that holds the longest.
SCALES = (0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Row:
    """A candidate, or all the others: its parts of the probability, and of the draws."""

    title: Html | str
    parts: list[float]
    drawn: int | None
    note: str
    cut: bool


def sampler(
    found: NextToken,
    settings: Settings,
    *,
    told: Sequence[Stage] | None = None,
    draws: numpy.ndarray | None = None,
    counting: bool = False,
    most: int = ROWS,
) -> View:
    """The `most` important candidates, all the others in one row, and a line for each stage.

    `told` are the stages, where they are computed already. `draws` are counts as `sampling.draw`
    gives them, shown beside. `counting` says that the tail is not known yet.
    """
    told = told or stages(found, settings)
    listed = chosen(told, most)
    rows = [_candidate(found, told, draws, *each) for each in enumerate(listed, 1)]
    rows += _others(told, listed, draws, counting)
    items = filled("<li>{}</li>", sentences(found, told, settings))
    counted = filled("<p>{}</p>", [say("sampler.counting")] if counting else [])
    html = Html('<div class="qwen-sampler">{}{}<ol>{}</ol></div>')
    return View(html.format(_table(rows), counted, items), _text(found, told, listed), "sampler")


def chosen(told: Sequence[Stage], most: int = ROWS) -> list[int]:
    """Which candidates have a row: those that are likeliest by the model, or are so now."""
    weight = numpy.maximum(told[0].probabilities, told[-1].probabilities)
    return sorted(numpy.argsort(-weight, kind="stable")[:most].tolist())


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


def _candidate(
    found: NextToken, told: Sequence[Stage], draws: numpy.ndarray | None, rank: int, index: int
) -> Row:
    name = token_name(found.bytes[index], int(found.ids[index]))
    return Row(
        Html("{}. <code>{}</code>").format(rank, name),
        [float(stage.probabilities[index]) for stage in (told[0], told[-1])],
        None if draws is None else int(draws[index]),
        _note(found, told, index),
        not told[-1].kept[index],
    )


def _note(found: NextToken, told: Sequence[Stage], index: int) -> str:
    """In words: how often it stands in the context, and what has cut it."""
    notes = []
    if count := int((found.context == found.ids[index]).sum()):
        notes.append(say("sampler.occurs", count=count))
    if cut := next((stage.name for stage in told if not stage.kept[index]), None):
        notes.append(say("sampler.cut", name=cut))
    return " · ".join(notes)


def _others(
    told: Sequence[Stage], listed: list[int], draws: numpy.ndarray | None, counting: bool
) -> list[Row]:
    count = told[0].tokens - len(listed)
    kept = told[-1].tokens - int(told[-1].kept[listed].sum())
    if not count:
        return []
    name = "sampler.others_counting" if counting else "sampler.others"
    raw, now = (
        max(0.0, 1 - float(stage.probabilities[listed].sum())) for stage in told[:: len(told) - 1]
    )
    return [
        Row(
            say(name, count=f"{count:,}"),
            [raw, now if kept else 0.0],
            None if draws is None else int(draws.sum() - draws[listed].sum()),
            say("sampler.others_kept", count=f"{kept:,}"),
            not kept,
        )
    ]


def _table(rows: list[Row]) -> Html:
    longest = max(part for row in rows for part in row.parts)
    scale = next(scale for scale in SCALES if longest <= scale or scale == SCALES[-1])
    times = sum(row.drawn or 0 for row in rows)
    names = ["token", "bars", "raw_column", "now_column", *(["drawn_column"] if times else [])]
    titles = [say(f"sampler.{name}", scale=percent(scale)) for name in names]
    head = filled('<th scope="col">{}</th>', titles)
    body = Html("").join(_line(row, scale, times) for row in rows)
    whole = Html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>")
    return whole.format(head, body)


def _line(row: Row, scale: float, times: int) -> Html:
    shares = [*row.parts, row.drawn / times] if times else row.parts
    bars = Html("").join(
        Html('<b class="{}" style="width:{:.1f}%"></b>').format(kind, 100 * min(share / scale, 1))
        for kind, share in zip(("raw", "now", "drawn"), shares, strict=False)
        if share > 0
    )
    raw, now = row.parts
    numbers = [percent(raw), percent(now, not row.cut)]
    numbers += [f"{row.drawn:,}"] if times else []
    cells = filled("<td>{}</td>", numbers)
    kind = Html(' class="cut"' if row.cut else "")
    note = filled("<small>{}</small>", [row.note] if row.note else [])
    whole = Html("<tr{}><td>{}</td><td>{}{}</td>{}</tr>")
    return whole.format(kind, row.title, bars, note, cells)


def _text(found: NextToken, told: Sequence[Stage], listed: list[int]) -> str:
    last = told[-1]
    best = sorted(listed, key=lambda row: -last.probabilities[row])[:5]
    shown = [
        f"{token_name(found.bytes[row], int(found.ids[row]))} {percent(last.probabilities[row])}"
        for row in best
        if last.kept[row]
    ]
    return say("sampler.text", best=", ".join(shown), tokens=f"{last.tokens:,}")
