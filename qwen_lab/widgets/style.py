"""A widget's style, and the blocks of HTML that it is made of."""

from pathlib import Path

from ipywidgets import HTML, HBox, Layout, Textarea, Widget

from ..views import theme
from ..views.html import Html, brief, clean, fold
from ..words import need_type, say, tag

# How a block is announced to those who hear the page.
ROLES = {
    "status": Html('role="status"'),
    "hint": Html('role="status"'),
    "unrecorded": Html('role="status"'),
    "failed": Html('role="alert"'),
    "bill": Html('role="alert"'),
    "answer": Html('aria-live="polite"'),
}


def scripts(*names: str) -> str:
    """Scripts as one, each after those that it uses: a notebook's page can fetch no module."""
    folder = Path(__file__).parent
    return "\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in names)


def sheet(*parts: str) -> HTML:
    """The style, with that of more parts of views, as an invisible part of a widget."""
    # A widget of ipywidgets takes no `lang`.
    own = f'.qwen-panel {{ --gone: "{say("panel.gone")}"; -webkit-locale: "{tag()}"; }}'
    css = theme.sheet("panel", "failed", *parts)
    return HTML(f"<style>{css}{own}</style>", layout=Layout(display="none"))


def columns(width: str, gap: str) -> Layout:
    """As many columns as the window has room for, each so wide or more."""
    each = f"minmax(min(100%, {width}), 1fr)"
    return Layout(grid_template_columns=f"repeat(auto-fit, {each})", grid_gap=gap)


def rows() -> Layout:
    """The columns in which a panel's rows stand, and all that is aligned with them."""
    return columns("440px", "0 24px")


def row(*parts: Widget) -> HBox:
    """Parts beside each other, which wrap where the window is narrow."""
    return HBox(parts).add_class("qwen-parts")


def sentence(key: str) -> HTML:
    """The words for the key, as a widget."""
    return HTML(Html.escape(say(key)))


def area(key: str, text: str, **options: object) -> Textarea:
    """A field for a long text, with its name and what stands there as long as it is empty."""
    need_type("panel.no_text", text, str)
    words = {"description": say(key), "placeholder": say(f"{key}_placeholder")}
    return Textarea(value=clean(text), **words, **options)


def unrun(name: str, told: str) -> str:
    """A widget's repr: all that is seen of it where no kernel runs it. IPython cuts it at 110."""
    return say("panel.unrun", widget=f"{name}({brief(told, 50)})")


def box(kind: str, text: str) -> str:
    """A block of one of the kinds in `ROLES` with the text; "" for none."""
    block = Html('<div class="qwen-{}" {}>{}</div>')
    look = kind if kind == "failed" else f"panel-{kind}"
    return block.format(look, ROLES[kind], _whole(text)) if text else ""


def _whole(text: str) -> Html:
    """The text; in its first line a gap stands for each dot, and it breaks only there."""
    line, *rest = text.split("\n", 1)
    whole = Html('<span class="part">{}</span>')
    parts = Html(" ").join(map(whole.format, line.split(" · "))) if " · " in line else line
    return Html("\n").join(map(Html.escape, [parts, *rest]))


def meanings(rows: list) -> str:
    """What each parameter does, with its range, folded."""
    line = Html("<li><code>{}</code> {}<br>{}</li>")
    lines = Html("").join(line.format(row.name, row.range, row.meaning) for row in rows)
    return fold(say("panel.meanings"), Html("<ul>{}</ul>").format(lines))
