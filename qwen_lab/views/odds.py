"""How likely the next tokens are under several settings, side by side."""

from collections.abc import Iterator, Mapping

from ..parameters import PARAMETERS
from ..watch.next_token import NextToken
from ..watch.sampling import Settings, Stage, stages
from ..words import WrongValueError, need_type, say
from .html import Html, View, filled, percent, sentence, table
from .sampler import token_name

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
    last = [stages(found, _checked(each))[-1] for each in settings]
    heads, rows = [*_settings(settings)], [*_chances(found, last, most)]
    told = filled("<p>{}</p>", [say("odds.caption")])
    whole = table([*(_row(head, "<th>{}</th>") for head in heads), *map(_row, rows)])
    html = Html('<div class="qwen-odds">{}{}</div>').format(told, whole)
    return View(html, "\n".join(map(_line, heads + rows)))


def _checked(setting: Mapping[str, float]) -> Settings:
    for name, value in setting.items():
        if name not in vars(Settings()):
            raise WrongValueError("odds.unknown", name=name, names=", ".join(vars(Settings())))
        PARAMETERS[name].check(value)
    return Settings(**setting)


def _settings(settings: tuple[Mapping[str, float], ...]) -> Iterator[tuple[str, list[str]]]:
    for name in dict.fromkeys(name for each in settings for name in each):
        yield name, [str(each.get(name, "")) for each in settings]


def _chances(found: NextToken, last: list[Stage], most: int) -> Iterator[tuple[str, list[str]]]:
    for row in range(min(most, len(found.ids))):
        name = token_name(found.bytes[row], int(found.ids[row]))
        yield name, [percent(stage.probabilities[row], stage.kept[row]) for stage in last]
    yield say("odds.others"), [_others(stage, most) for stage in last]
    yield say("odds.tokens"), [f"{stage.tokens:,}" for stage in last]


def _others(stage: Stage, most: int) -> str:
    left = stage.tokens - int(stage.kept[:most].sum())
    return percent(max(0.0, 1 - float(stage.probabilities[:most].sum())), left > 0)


def _row(row: tuple[str, list[str]], cell: str = "<td>{}</td>") -> Html:
    name, cells = row
    return Html("<tr><th>{}</th>{}</tr>").format(name, filled(cell, cells))


def _line(row: tuple[str, list[str]]) -> str:
    name, cells = row
    return "".join(cell.rjust(WIDTH) for cell in cells) + "  " + name
