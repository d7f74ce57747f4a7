"""The panel's style, and the blocks of HTML that it is made of."""

from ..views.html import escaped, fold
from ..words import say

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


def box(kind: str, text: str, attributes: str = "") -> str:
    """A block of the panel's style `kind` with the escaped text; "" for none."""
    return f'<div class="qwen-panel-{kind}" {attributes}>{escaped(text)}</div>' if text else ""


def meanings(rows: list) -> str:
    """What each parameter does, with its range, folded."""
    lines = [
        f"<li><code>{row.name}</code> {escaped(row.range)}<br>{escaped(row.meaning)}</li>"
        for row in rows
    ]
    return fold(say("panel.meanings"), f"<ul>{''.join(lines)}</ul>")
