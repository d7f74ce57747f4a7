"""The panel's style, and the blocks of HTML that it is made of."""

from ipywidgets import HTML, Layout

from ..views.html import Html, fold
from ..words import say

# How a block is announced to those who hear the page.
ROLES = {
    "status": Html('role="status"'),
    "hint": Html('role="status"'),
    "error": Html('role="alert"'),
    "bill": Html('role="alert"'),
    "answer": Html('aria-live="polite"'),
}
# JupyterLab's own colours, so that light and dark both read well. A learner may narrow the window
# to a phone's width: nothing here has a width of its own, and long words break.
STYLE = """<style>
.qwen-panel { color: var(--jp-content-font-color1); max-width: 1000px; min-width: 0; }
.qwen-panel .widget-html { min-width: 0; width: auto; }
.qwen-panel .widget-html-content { line-height: 1.5; min-width: 0; overflow-wrap: anywhere; }
.qwen-panel .widget-label-basic { align-items: center; display: flex; }
.qwen-panel .widget-label-basic input { height: 16px; margin: 0 6px 0 4px; width: 16px; }
.qwen-panel .widget-hslider, .qwen-panel .widget-text { flex-wrap: wrap; height: auto; }
.qwen-panel .widget-inline-hbox > .widget-label { text-align: left; }
.qwen-panel .slider-container, .qwen-panel .widget-text > input { flex: 1 1 100px; }
.qwen-panel .widget-textarea { align-items: stretch; flex-direction: column; height: auto; }
.qwen-panel .widget-textarea > .widget-label { width: auto; }
.qwen-panel :focus-visible { outline: 2px solid var(--jp-brand-color1); outline-offset: 1px; }
.qwen-panel code, .qwen-panel pre { font-family: var(--jp-code-font-family); }
.qwen-panel pre { color: inherit; margin: 4px 0; white-space: pre-wrap; word-break: normal; }
.qwen-panel ul { margin: 4px 0; padding-left: 20px; }
.qwen-panel summary { cursor: pointer; }
.qwen-panel-answer {
  background: var(--jp-layout-color2); border: 1px solid var(--jp-border-color1);
  box-sizing: border-box; display: block; margin: 4px 0; padding: 8px 12px;
  white-space: pre-wrap; }
.qwen-panel-answer .widget-html, .qwen-panel-answer .widget-html-content {
  display: inline; line-height: 1.5; margin: 0; white-space: pre-wrap; }
.qwen-panel-status { white-space: pre-wrap; }
.qwen-panel-hint, .qwen-panel-error { padding: 2px 10px; white-space: pre-wrap; }
.qwen-panel-hint { border-left: 4px solid var(--jp-warn-color1); }
.qwen-panel-error { border-left: 4px solid var(--jp-error-color1); }
</style>"""


def sheet(more: str = "") -> HTML:
    """The style, and more of it, as an invisible part of a widget."""
    return HTML(STYLE + more, layout=Layout(display="none"))


def columns(width: int, gap: str) -> Layout:
    """As many columns as the window has room for, each so many pixels wide or more."""
    each = f"minmax(min(100%, {width}px), 1fr)"
    return Layout(grid_template_columns=f"repeat(auto-fit, {each})", grid_gap=gap)


def row() -> Layout:
    """Parts beside each other, which wrap where the window is narrow."""
    return Layout(flex_flow="row wrap", align_items="center")


def box(kind: str, text: str) -> str:
    """A block of one of the kinds in `ROLES` with the text; "" for none."""
    block = Html('<div class="qwen-panel-{}" {}>{}</div>')
    return block.format(kind, ROLES[kind], text) if text else ""


def meanings(rows: list) -> str:
    """What each parameter does, with its range, folded."""
    line = Html("<li><code>{}</code> {}<br>{}</li>")
    lines = Html("").join(line.format(row.name, row.range, row.meaning) for row in rows)
    return fold(say("panel.meanings"), Html("<ul>{}</ul>").format(lines))
