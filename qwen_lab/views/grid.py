"""A sweep's answers as a grid: a row for each setting, a column for each seed, and the figures."""

from collections.abc import Iterator
from string import ascii_uppercase

from ..watch.sweep import Answer, Figures
from ..words import say
from .html import Html, View, brief, filled, fold, join, row, sentence, table

SHORT = 40
CURVES = ("distinct", "length", "distinct_2", "overlap")
DASHES = ("", "6 3", "2 3", "8 3 2 3")


def grid(groups: list[Figures]) -> View:
    """The answers of every setting side by side, what they have in common, and a chart of it."""
    if not groups:
        return sentence(say("sweep.nothing"))
    labels, title = _labels(groups)
    seeds = list(dict.fromkeys(a.parameters["seed"] for g in groups for a in g.answers))
    pairs = [*zip(labels, groups, strict=True)]
    rows = [_row(label, group, seeds) for label, group in pairs]
    answers = table(rows, title, *(f"seed={seed}" for seed in seeds))
    same = filled("<p><small>{}</small></p>", [say("sweep.same")])
    parts = join([answers, same, _figures(pairs, title), _chart(groups)])
    html = Html('<div class="qwen-grid">{}</div>').format(parts)
    return View(html, "\n".join(_lines(groups)), "grid")


def named(setting: dict) -> str:
    """A setting as it is written in a call."""
    return ", ".join(f"{n}={value}" for n, value in setting.items()) or say("sweep.defaults")


def _varying(groups: list[Figures]) -> list[str]:
    """The parameters that are not the same in every setting."""
    every = dict.fromkeys(name for group in groups for name in group.setting)
    return [name for name in every if len({repr(g.setting.get(name)) for g in groups}) > 1]


def _labels(groups: list[Figures]) -> tuple[list[str], str]:
    """What tells each setting from the others, and the column's title, with what they share."""
    varying = _varying(groups) or [*groups[0].setting]
    labels = [named({n: v for n, v in g.setting.items() if n in varying}) for g in groups]
    shared = {n: v for n, v in groups[0].setting.items() if n not in varying}
    title = say("sweep.setting") + (f" ({named(shared)})" if shared else "")
    return labels, title


def _row(label: str, group: Figures, seeds: list) -> Html:
    letters = _letters(group.answers)
    by_seed = {answer.parameters["seed"]: answer for answer in group.answers}
    cells = filled("<td>{}</td>", (_cell(by_seed.get(seed), letters) for seed in seeds))
    return Html("<tr><th>{}</th>{}</tr>").format(label, cells)


def _letters(answers: list[Answer]) -> dict[str, str]:
    """A letter for every text: answers with the same letter are the same."""
    texts = dict.fromkeys(answer.text for answer in answers if answer.error is None)
    return {text: _letter(number) for number, text in enumerate(texts)}


def _letter(number: int) -> str:
    first = _letter(number // 26 - 1) if number >= 26 else ""
    return first + ascii_uppercase[number % 26]


def _cell(answer: Answer | None, letters: dict[str, str]) -> Html | str:
    if answer is None:
        return "…"
    if answer.error is not None:
        return f"✗ {answer.error}"
    cut = f" ✂ {say('sweep.cut')}" if answer.finish_reason == "length" else ""
    mark = Html('<b class="same">{}</b>{} ').format(letters[answer.text], cut)
    short = brief(answer.text, SHORT)
    if short == answer.text:
        return mark + short
    return mark + fold(short, filled("<pre>{}</pre>", [answer.text]))


def _figures(pairs: list[tuple[str, Figures]], title: str) -> Html:
    names = ("distinct", "length", "distinct_1", "distinct_2", "overlap", "reasons")
    rows = [row(label, *_numbers(group)) for label, group in pairs]
    meanings = filled("<li>{}</li>", (say(f"sweep.{name}_means") for name in names[2:5]))
    shown = table(rows, title, *(say(f"sweep.{name}") for name in names))
    return Html("{}<ul>{}</ul>").format(shown, meanings)


def _numbers(group: Figures) -> Iterator[str]:
    yield say("sweep.of", distinct=group.distinct, answers=len(group.answers))
    yield f"{group.length:.0f}"
    yield from (f"{v:.2f}" for v in (group.distinct_1, group.distinct_2, group.overlap))
    yield ", ".join(f"{reason} × {count}" for reason, count in group.reasons.items())


def _chart(groups: list[Figures]) -> Html:
    """The figures against the one parameter that varies, each scaled to its own largest value."""
    varying = _varying(groups)
    if len(groups) < 2 or len(varying) != 1:
        return Html("")
    [name] = varying
    title = say("sweep.chart", name=name)
    curves = [_curve(groups, *pair) for pair in zip(CURVES, DASHES, strict=True)]
    lines, keys = (join(part) for part in zip(*curves, strict=True))
    # Only the lines grow and shrink with the page; words keep their size.
    chart = Html(
        '<figure><svg role="img" aria-label="{title}" viewBox="0 0 100 100" '
        'preserveAspectRatio="none">{lines}</svg><div>{ticks}</div>'
        "<figcaption><small>{title}</small></figcaption><ul>{keys}</ul></figure>"
    )
    ticks = filled("<small>{}</small>", (group.setting[name] for group in groups))
    return chart.format(title=title, lines=lines, ticks=ticks, keys=keys)


def _curve(groups: list[Figures], figure: str, dashes: str) -> tuple[Html, Html]:
    """The line of one figure, and the entry that explains it."""
    values = [getattr(group, figure) for group in groups]
    most, step = max(values) or 1, 100 / (len(groups) - 1)
    points = " ".join(f"{step * at:.1f},{100 - 100 * v / most:.1f}" for at, v in enumerate(values))
    label = f"{say(f'sweep.{figure}')}: " + ", ".join(f"{value:.3g}" for value in values)
    key = Html('<li><small><svg viewBox="0 0 26 8" aria-hidden="true">{}</svg> {}</small></li>')
    return _line(points, dashes), key.format(_line("0,4 26,4", dashes), label)


def _line(points: str, dashes: str) -> Html:
    return Html('<polyline points="{}" stroke-dasharray="{}"/>').format(points, dashes)


def _lines(groups: list[Figures]) -> Iterator[str]:
    for group in groups:
        of = say("sweep.of", distinct=group.distinct, answers=len(group.answers))
        yield f"{named(group.setting)}: {say('sweep.distinct')} {of}"
