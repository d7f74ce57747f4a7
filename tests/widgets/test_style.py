"""Text that nobody vouches for is shown character for character, wherever the panel shows it."""

import asyncio
import html
import re
from dataclasses import replace

from qwen_lab.widgets import style
from qwen_lab.widgets.panel import Panel

HOSTILE = "<script>steal()</script><img src=x onerror=steal()></div><!-- & '\" \ud800"
HARMLESS = html.escape(HOSTILE.replace("\ud800", "\ufffd"))


def run(panel):
    return asyncio.run(panel.run())


def test_a_hostile_answer_is_only_shown(lab, engine):
    # A surrogate cannot come through the server's UTF-8; the others can.
    spoken = HOSTILE.replace("\ud800", "")
    engine.reply(spoken)
    assert run(panel := Panel(lab, "Hi")) == spoken
    assert html.escape(spoken) in panel.shown.value and "<script" not in panel.shown.value


def test_a_hostile_prompt_is_sent_and_shown_as_it_is_but_for_the_surrogate(lab, engine):
    engine.reply("好")
    run(panel := Panel(lab, HOSTILE))
    sent = engine.calls[0][0].messages[0]["content"]
    assert sent == panel.prompt.value == html.unescape(HARMLESS)
    assert "<img" not in panel.call.value and "&lt;img src=x" in panel.call.value
    assert "\ud800" not in panel.call.value


def test_a_surrogate_that_was_typed_is_replaced_in_the_request(lab, engine):
    engine.reply("好")
    panel = Panel(lab, "Hi")
    panel.prompt.value = "a\ud800b"
    assert run(panel) == "好"
    assert engine.calls[0][0].messages[0]["content"] == "a\ufffdb"


def test_a_hostile_error_is_only_shown(lab):
    run(panel := Panel(replace(lab, model="<img src=x onerror=steal()><!--"), "Hi"))
    assert "HTTP 404" in panel.error.value
    assert "<img" not in panel.error.value and "&lt;img src=x" in panel.error.value


def test_the_answer_is_announced_and_keeps_its_lines(lab, engine):
    engine.reply("一\n  二")
    run(panel := Panel(lab, "Hi"))
    assert 'aria-live="polite" aria-busy="false"' in panel.shown.value
    assert "一\n  二" in panel.shown.value
    assert re.search(r"qwen-panel-answer{[^}]*white-space:pre-wrap", panel.children[0].value)


def test_a_line_of_figures_has_gaps_between_them_and_breaks_there_alone():
    shown = style.box("status", "finish_reason: stop · 0.7\u00a0s")
    assert '<span class="part">finish_reason: stop</span> <span class="part">0.7' in shown
    assert "part" not in style.box("status", "Ended")
    cut = style.box("status", "finish_reason: length · 0.7\u00a0s\nCut off · by max_tokens.")
    assert cut.endswith('<span class="part">0.7\u00a0s</span>\nCut off · by max_tokens.</div>')
