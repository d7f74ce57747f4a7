"""The site's first page: what this is and the lessons, in both languages."""

import os
import re
from collections.abc import Callable, Iterator

from .. import words
from ..course import lessons
from ..paths import originals
from ..views import theme
from ..views.html import Html, join
from ..words import say

STYLE = """
:root { color-scheme: light dark }
body { font: 17px/1.6 system-ui, sans-serif; color: #1b1b1f; background: #fff; margin: 0 auto;
  padding: 24px; max-width: 1040px; display: grid; gap: 0 48px;
  grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)) }
h1 { font-size: 30px; margin: 16px 0 0 } ol { list-style: none; padding: 0 } li { margin: 10px 0 }
a { color: #0b62c4; text-decoration: none } a:hover, a:focus { text-decoration: underline }
.start { display: inline-block; color: #fff; background: #0b62c4; border-radius: 8px;
  padding: 8px 18px; margin: 8px 0 } small { color: #5a5a66 }
input, form button { font: inherit; padding: 7px 12px; border: 1px solid #8a8a96;
  border-radius: 8px }
form button { color: #fff; background: #0b62c4; border-color: #0b62c4; cursor: pointer }
label { display: block } input { width: 13em; margin: 4px 8px 4px 0 }
@media (prefers-color-scheme: dark) { body { color: #e6e6ea; background: #16161a }
  a { color: #6cb2ff } small { color: #a9a9b4 }
  .start, form button { color: #16161a; background: #6cb2ff; border-color: #6cb2ff } }
"""
# JupyterLite reads the settings of each folder from a page in it.
PAGE = Html(
    '<!doctype html><html lang="zh"><meta charset="utf-8"><meta name="viewport"'
    ' content="width=device-width, initial-scale=1"><title>Qwen Lab · 千问</title>'
    '<script id="jupyter-config-data" type="application/json" data-jupyter-lite-root=".">{{}}'
    "</script><style>{}</style>{}{}</html>\n"
)
ADDRESS = "lab/index.html?path="
TOLD = ("page.about", "page.kept")


def page(entry: Callable[[Html], Html] | None = None, *, offers: bool = False) -> str:
    """The page, whichever language is in use.

    In a class, what `entry` makes of the link to the first lesson stands in that link's place.
    With `offers`, the Qwen can be fetched there.
    """
    told, script = ("page.class_about", "page.class_kept") if entry else TOLD, ""
    if offers:
        from . import offer

        told, entry, script = ("page.qwen_about", "page.qwen_kept"), offer.under, offer.script()
    before, columns = os.environ.get("QWEN_LAB_LANG"), reversed(words.LANGUAGES)
    try:
        body = join(_column(each, entry or Html, *told) for each in columns)
        return PAGE.format(Html(STYLE + theme.sheet("failed")), body, script)
    finally:
        os.environ.pop("QWEN_LAB_LANG", None) if before is None else words.use(before)


def _column(language: str, entry: Callable[[Html], Html], about: str, kept: str) -> Html:
    words.use(language)
    listed, first = dict(_lessons(language)), f"{ADDRESS}{language}/{lessons.first(language)}"
    rows = join(Html('<li><a href="{}">{}</a></li>').format(*each) for each in listed.items())
    title = say("page.start", lesson=listed[first])
    start = Html('<a class="start" href="{}">{}</a>').format(first, title)
    return Html(
        '<section lang="{}"><h1>{}</h1><p>{}</p>{}<ol>{}</ol><p><small>{}</small></p></section>'
    ).format(language, say("page.title"), say(about), entry(start), rows, say(kept))


def _lessons(language: str) -> Iterator[tuple[str, str]]:
    """The address and the title of each lesson."""
    for name in lessons.names(language):
        title = re.match(r"# (.+)", lessons.read(originals() / language / name).cells[0].source)
        yield f"{ADDRESS}{language}/{name}", title[1]
