"""How likely the next tokens are under several settings, side by side."""

from collections.abc import Iterator, Mapping, Sequence

from ..parameters import PARAMETERS
from ..watch.next_token import NextToken
from ..watch.sampling import Settings, Stage, stages
from ..words import WrongValueError, joined, need_type, say
from .html import Html, View, filled, join, percent, sentence, table
from .sampler import token_name

HEAD = Html('<tr class="head"><th><code>{}</code></th>{}</tr>')
ROW = Html("<tr><th><code>{}</code></th>{}</tr>")
REST = Html('<tr class="rest"><th>{}</th>{}</tr>')
COUNT = Html("<tr><th>{}</th>{}</tr>")
# Where it is narrow, each setting is a block of its own, in which a cell has its row's name.
CELL = Html('<td data-name="{}">{}</td>')
CHANCE = Html('<td data-name="{}" style="--p:{:.4g}">{}</td>')
# How wide a column of the short form is.
WIDTH = 11


def odds(found: NextToken | None, *settings: Mapping[str, float], most: int = 5) -> View:
    """The chances of the `most` likeliest tokens, and of all others, under each of the settings.

    `found` is what `lab.next_token(messages)` returned. Each of the `settings` has `temperature`,
    `top_p`, `top_k`, `repetition_penalty`, `presence_penalty` or `frequency_penalty`; what it
    leaves out is off, so `{}` gives the model's own probabilities, and so does no setting at all.
    The ranges are those of `qwen_lab.knobs()`. The last row counts the tokens that may still be
    drawn. The order is llama.cpp's: penalties, temperature, top_k, top_p; DashScope does not
    document its own.

    >>> found = lab.next_token(messages)
    >>> qwen_lab.odds(found, {"temperature": 1.9}, {"temperature": 1.9, "top_k": 20})
            1.9        1.9  temperature
                        20  top_k
    ...         20  tokens in the draw

    With None for `found` the view says that only the local Qwen shows its probabilities. Raises
    `ValueError` for another name and for a value out of its range, `TypeError` where `found` is
    something else or a setting is no dict.
    """
    if found is None:
        return sentence(say("odds.none"))
    for given, kind in [(found, NextToken), *((each, Mapping) for each in settings)]:
        need_type("odds.wrong", given, kind)
    settings = settings or ({},)
    rows = [*_rows(found, settings, most)]
    told = filled("<p>{}</p>", [say("odds.caption")])
    whole = table(pattern.format(name, _cells(name, cells)) for pattern, name, cells in rows)
    html = Html('<div class="qwen-odds">{}{}</div>').format(told, whole)
    return View(html, "\n".join(_line(name, cells) for _, name, cells in rows))


def _checked(setting: Mapping[str, float]) -> Settings:
    for name, value in setting.items():
        if name not in vars(Settings()):
            raise WrongValueError("odds.unknown", name=name, names=joined(vars(Settings())))
        PARAMETERS[name].check(value)
    return Settings(**setting)


def _rows(
    found: NextToken, settings: Sequence[Mapping[str, float]], most: int
) -> Iterator[tuple[Html, str, list]]:
    """Each row: how it looks, its name, its cells. A chance is a share, and whether it is one."""
    for name in dict.fromkeys(name for each in settings for name in each):
        yield HEAD, name, [str(each.get(name, "")) for each in settings]
    last = [stages(found, _checked(each))[-1] for each in settings]
    for row in range(min(most, len(found.ids))):
        name = token_name(found.bytes[row], int(found.ids[row]))
        yield ROW, name, [(float(stage.probabilities[row]), stage.kept[row]) for stage in last]
    yield REST, say("odds.others"), [_others(stage, most) for stage in last]
    yield COUNT, say("odds.tokens"), [f"{stage.tokens:,}" for stage in last]


def _others(stage: Stage, most: int) -> tuple[float, bool]:
    left = stage.tokens - int(stage.kept[:most].sum())
    return max(0.0, 1 - float(stage.probabilities[:most].sum())), left > 0


def _cells(name: str, cells: list) -> Html:
    return join(_cell(name, cell) for cell in cells)


def _cell(name: str, cell: str | tuple[float, bool]) -> Html:
    """Of a chance a figure and a bar."""
    if isinstance(cell, str):
        return CELL.format(name, cell or say("sampler.off_now"))
    return CHANCE.format(name, cell[0], percent(*cell))


def _line(name: str, cells: list) -> str:
    told = [cell if isinstance(cell, str) else percent(*cell) for cell in cells]
    return "".join(each.rjust(WIDTH) for each in told) + "  " + name
