"""A sweep's answers as a grid: a row for each setting, a column for each seed, and the figures."""

import re
from collections.abc import Iterable, Iterator
from string import ascii_uppercase

from ..watch.sweep import Answer, Figures
from ..words import say
from .html import Html, View, cards, filled, fold, in_line, join, sentence

SHORT = 90


def grid(groups: list[Figures], seeds: Iterable[int] = ()) -> View:
    """The answers of every setting side by side, how many of them differ, and all figures.

    The `seeds` have columns before their answers come.
    """
    if not groups:
        return sentence(say("sweep.nothing"))
    labels, shared = _labels(groups)
    came = (answer.parameters["seed"] for group in groups for answer in group.answers)
    seeds = list(dict.fromkeys([*seeds, *came]))
    pairs = [*zip(labels, groups, strict=True)]
    rows = [_row(label, group, seeds) for label, group in pairs]
    heads = (say("sweep.setting"), say("sweep.distinct"))
    answers = cards(rows, *heads, *(f"seed={seed}" for seed in seeds))
    common = [say("sweep.shared", setting=named(shared))] if shared else []
    same = filled("<p><small>{}</small></p>", [say("sweep.same")])
    # Where each setting has as many different answers, only the figures tell them apart.
    alike = len(groups) > 1 and len({group.distinct for group in groups}) == 1
    figures = fold(say("sweep.figures"), _figures(pairs), alike)
    parts = [filled("<p>{}</p>", common), answers, same, figures]
    html = Html('<div class="qwen-grid">{}</div>').format(join(parts))
    return View(html, "\n".join(_lines(groups)))


def named(setting: dict) -> str:
    """A setting as it is written in a call."""
    return ", ".join(f"{n}={value}" for n, value in setting.items()) or say("sweep.defaults")


def _varying(groups: list[Figures]) -> list[str]:
    """The parameters that are not the same in every setting."""
    every = dict.fromkeys(name for group in groups for name in group.setting)
    return [name for name in every if len({repr(g.setting.get(name)) for g in groups}) > 1]


def _labels(groups: list[Figures]) -> tuple[list[str], dict]:
    """What tells each setting from the others, and what they share."""
    varying = _varying(groups) or [*groups[0].setting]
    labels = [named({n: v for n, v in g.setting.items() if n in varying}) for g in groups]
    return labels, {n: v for n, v in groups[0].setting.items() if n not in varying}


def _row(label: str, group: Figures, seeds: list) -> list:
    letters = _letters(group.answers)
    by_seed = {answer.parameters["seed"]: answer for answer in group.answers}
    # The first answer with a text is seen as new, the others as its repetition.
    firsts = {answer.text: answer for answer in reversed(group.answers) if answer.error is None}
    found = map(by_seed.get, seeds)
    return [label, _differ(group), *(_cell(one, letters, one in firsts.values()) for one in found)]


def _differ(group: Figures) -> Html:
    """How many of the answers differ: a square for each, those that only repeat one are empty."""
    if not (of := _texts(group)):
        return Html("—")
    squares = "■" * group.distinct + "□" * (of - group.distinct)
    whole = Html('<span class="qwen-grid-differ" role="img" aria-label="{0}">{1}</span> {0}')
    return whole.format(_of(group), squares)


def _texts(group: Figures) -> int:
    """How many of its calls have not failed."""
    return sum(answer.error is None for answer in group.answers)


def _of(group: Figures) -> str:
    return say("sweep.of", distinct=group.distinct, answers=_texts(group))


def _letters(answers: list[Answer]) -> dict[str, str]:
    """A letter for every text: answers with the same letter are the same."""
    texts = dict.fromkeys(answer.text for answer in answers if answer.error is None)
    return {text: _letter(number) for number, text in enumerate(texts)}


def _letter(number: int) -> str:
    first = _letter(number // 26 - 1) if number >= 26 else ""
    return first + ascii_uppercase[number % 26]


def _cell(answer: Answer | None, letters: dict[str, str], new: bool) -> Html | str:
    if answer is None:
        return "…"
    if answer.error is not None:
        return f"✗ {answer.error}"
    cut = Html(" <small>✂ {}</small>").format(say("sweep.cut"))
    cut = cut if answer.finish_reason == "length" else ""
    mark = Html('<b class="{}">{}</b>{} ').format("new" * new, letters[answer.text], cut)
    short = in_line(answer.text, SHORT)
    if len(answer.text) <= SHORT:
        return mark + short
    # Never in the middle of a word.
    short = re.sub(r"(?<=\W)[A-Za-z']+…$", "…", short)
    return mark + fold(short, filled("<pre>{}</pre>", [answer.text]))


def _figures(pairs: list[tuple[str, Figures]]) -> Html:
    names = ("distinct", "length", "distinct_1", "distinct_2", "overlap", "reasons")
    rows = [[label, *_numbers(group)] for label, group in pairs]
    meanings = filled("<li>{}</li>", (say(f"sweep.{name}_means") for name in names[2:5]))
    shown = cards(rows, *(say(f"sweep.{name}") for name in ("setting", *names)))
    return Html("{}<ul>{}</ul>").format(shown, meanings)


def _numbers(group: Figures) -> Iterator[str]:
    shares = (group.distinct_1, group.distinct_2, group.overlap)
    numbers = [_of(group), f"{group.length:.0f}", *(f"{share:.2f}" for share in shares)]
    yield from numbers if _texts(group) else "—" * len(numbers)
    yield ", ".join(f"{reason} × {count}" for reason, count in group.reasons.items())


def _lines(groups: list[Figures]) -> Iterator[str]:
    for group in groups:
        yield f"{named(group.setting)}: {say('sweep.distinct')} {_of(group)}"
