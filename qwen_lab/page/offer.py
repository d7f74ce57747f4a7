"""The place, in a lesson or on the first page, where the Qwen is fetched into the browser."""

import json
from pathlib import Path

import anywidget
from traitlets import Dict

from ..views import theme
from ..views.html import Html
from ..widgets import style
from ..words import patterns, say, tag

SCRIPT = style.scripts("elements") + Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
CSS = theme.sheet("weights", "failed")
ALL = """
for (const el of document.querySelectorAll("[data-offer]"))
  offer(el, JSON.parse(el.dataset.offer), "./");
"""


class Offer(anywidget.AnyWidget):
    """It, as a widget; nothing of it needs the kernel."""

    _esm = SCRIPT
    _css = CSS
    words = Dict().tag(sync=True)

    def __init__(self) -> None:
        super().__init__(words=_words())

    def __repr__(self) -> str:
        return style.unrun("connect", say("page_weights.name"))


def _words() -> dict[str, str]:
    return patterns("joins") | patterns("page_weights") | {"lang": tag()}


def under(start: Html) -> Html:
    """The link to the first lesson, and the place after it, in the language in use."""
    words = json.dumps(_words(), ensure_ascii=False)
    return Html('{}<div data-offer="{}"></div>').format(start, words)


def script() -> Html:
    """What the first page needs for it, once and at its end."""
    return Html('<style>{}</style><script type="module">{}</script>').format(
        Html(CSS), Html(SCRIPT + ALL)
    )
