"""The table of the request parameters: what may be set, where it goes, and who takes it."""

from ..parameters import Parameter, named
from ..words import say
from .html import Html, View, filled, row, table

COLUMNS = ("name", "range", "default", "place", "models")
# How wide the first columns of the short form are.
WIDTHS = (22, 18, 8, 12)


def knobs(*names: str) -> View:
    """The request parameters: range, default, where each goes, and which models take it.

    Without `names` these are all of them. A range is written as in mathematics: "[0, 2)" includes 0
    and excludes 2. What the OpenAI SDK has a keyword for is an argument of its `create()`; it wants
    the others in `extra_body`. Defaults are those of qwen-plus without thinking; the limits of
    length are the local Qwen's. The ranges, and which models of the cloud take a parameter, are
    from the dated pages that stand below the table.

    >>> qwen_lab.knobs("temperature", "top_k")
    temperature           [0, 2)            0.7     create()    all
    top_k                 [0, ∞)            20      extra_body  all
    Default: that of qwen-plus without thinking. Lengths: the local Qwen's; the cloud's are larger.
    From help.aliyun.com/zh/model-studio/qwen-api-via-openai-chat-completions (2026-09)

    Raises `ValueError` for what is no parameter.
    """
    rows = named(*names)
    cells = [_cells(row) for row in rows]
    pages = dict.fromkeys(row.source for row in rows if row.is_documented)
    notes = [say("knobs.note"), *([say("knobs.source", pages="; ".join(pages))] if pages else [])]
    small = filled("<p><small>{}</small></p>", notes)
    heads = (say(f"knobs.{name}") for name in COLUMNS)
    html = Html('<div class="qwen-knobs">{}{}</div>').format(
        table(map(_line, cells), *heads), small
    )
    return View(html, "\n".join([*map(_text, cells), *notes]), "knobs")


def _cells(row: Parameter) -> list[str]:
    place = "create()" if row.keyword else "extra_body"
    return [row.name, row.range or "–", str(row.default), place, row.taken_by]


def _line(cells: list[str]) -> Html:
    name, *others = cells
    return row(Html("<code>{}</code>").format(name), *others)


def _text(cells: list[str]) -> str:
    *first, models = cells
    padded = (cell.ljust(width) for cell, width in zip(first, WIDTHS, strict=True))
    return "".join(padded) + models
