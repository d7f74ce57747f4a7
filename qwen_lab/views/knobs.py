"""The table of the request parameters: what may be set, where it goes, and who takes it."""

from unicodedata import east_asian_width

from ..parameters import Parameter, named
from ..words import joined, need_type, say
from .html import Html, View, breaking, cards, filled

COLUMNS = ("name", "range", "default", "place", "meaning", "models")
# The documented defaults that the endpoint's table leaves out.
USUAL = {"seed": 1234, "response_format": "text", "tool_choice": "auto", "enable_thinking": False}
# How wide the first columns of the short form are.
WIDTHS = (22, 18, 8, 12)
# A model's name or a date, which stays whole in a line.
HYPHENED = r"[A-Za-z0-9.]+(?:-[A-Za-z0-9.]+)+"


def knobs(*names: str) -> View:
    """The request parameters: what each does, its range, its default, where it goes, who takes it.

    Without `names` these are all of them. A range is written as in mathematics: "[0, 2)" includes 0
    and excludes 2. What the OpenAI SDK has a keyword for is an argument of its `create()`; it wants
    the others in `extra_body`. Defaults are those of qwen-plus without thinking, "–" where there is
    none; lengths, their defaults too, are the local Qwen's. The ranges, and which models of the
    cloud take a parameter, are from the dated pages that stand below the table.

    >>> qwen_lab.knobs("temperature", "top_k")
    Name                  Range             Default Goes in     Cloud models that take it
        What it does
    temperature           [0, 2)            0.7     create()    all
        How bold each choice of a token is: low values favour the likeliest, ...
    top_k                 [0, ∞)            20      extra_body  all
        Only this many of the likeliest tokens may be chosen; 0, null, or ...
    Defaults are those of qwen-plus without thinking. Lengths and their defaults are ...
    From help.aliyun.com/zh/model-studio/qwen-api-via-openai-chat-completions (2026-09)

    Raises `ValueError` for what is no parameter, `TypeError` for what is no name.
    """
    for name in names:
        need_type("knobs.no_name", name, str)
    rows = named(*names)
    cells = [_cells(row) for row in rows]
    pages = dict.fromkeys(row.source for row in rows if row.is_documented)
    notes = [
        say("knobs.note"),
        *([say("knobs.source", pages=joined(pages, "clauses"))] if pages else []),
    ]
    small = filled("<p><small>{}</small></p>", map(breaking, notes))
    heads = [say(f"knobs.{name}") for name in COLUMNS]
    whole = cards(map(_line, cells), *heads)
    html = Html('<div class="qwen-knobs">{}{}</div>').format(whole, small)
    return View(html, "\n".join([*map(_text, [heads, *cells]), *notes]))


def usual(row: Parameter) -> object:
    """What a service does without the parameter; None where nothing says so.

    Where the table names no default of a number, it is the most that there can be.
    """
    found = USUAL.get(row.name, row.default)
    return row.high if found is None and row.step is not None else found


def _cells(row: Parameter) -> list[str]:
    default = usual(row)
    shown = "–" if default is None else str(default)
    place = "create()" if row.keyword else "extra_body"
    return [row.name, row.range or "–", shown, place, row.meaning, row.taken_by]


def _line(cells: list[str]) -> list:
    name, *others, models = cells
    return [Html("<code>{}</code>").format(name), *others, breaking(models, whole=HYPHENED)]


def _text(cells: list[str]) -> str:
    *first, meaning, models = cells
    return f"{''.join(map(_padded, first, WIDTHS))}{models}\n    {meaning}"


def _padded(cell: str, width: int) -> str:
    """As wide as that on a screen, where a Chinese character takes two places."""
    return cell + " " * (width - sum(1 + (east_asian_width(each) == "W") for each in cell))
