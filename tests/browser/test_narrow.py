"""Views in narrow windows: all of a table is seen, and each label of an axis by its line."""

import numpy
import pytest
from ipywidgets import HTML, GridBox

import qwen_lab
from qwen_lab.lab import Lab
from qwen_lab.views import html
from qwen_lab.views.axis import Axis
from qwen_lab.views.grid import grid
from qwen_lab.views.html import View
from qwen_lab.views.knobs import knobs
from qwen_lab.views.odds import odds
from qwen_lab.views.theme import styled
from qwen_lab.views.xray import xray
from qwen_lab.watch.next_token import listed
from qwen_lab.watch.sweep import Answer, figures
from qwen_lab.widgets.history import History
from qwen_lab.widgets.reply import Reply

from ..views.test_tokens import row
from .test_export import BROKEN, HIDDEN, TEXTS

pytestmark = pytest.mark.browser

SENT = {"temperature": 0.7, "top_p": 0.8, "seed": 7, "max_tokens": 60, "logprobs": True}
WORDS = "Golden leaves drift down, and the extraordinarily long evening waits. "

# Of each label that is seen: the begin, middle and end of its text, in percent of the axis.
LABELS = """() => [...document.querySelectorAll(".qwen-lane > small")].map(label => {
  const range = document.createRange(), lane = label.parentElement.getBoundingClientRect();
  range.selectNodeContents(label);
  const {left, right} = range.getBoundingClientRect();
  const seen = getComputedStyle(label).visibility === "visible";
  return seen && [left, (left + right) / 2, right].map(x => 100 * (x - lane.left) / lane.width);
})"""


def swept():
    """What a sweep shows: two settings, three seeds, a failure, and answers that are folded."""
    setting = {"presence_penalty": -2, "frequency_penalty": 0.5}
    answers = [Answer({**setting, "seed": n}, WORDS * n, "length") for n in (1, 2, 3)]
    setting = {"presence_penalty": 2, "frequency_penalty": 0.5}
    failed = Answer({**setting, "seed": 2}, error="InternalError: try again")
    return grid(figures([*answers, Answer({**setting, "seed": 1}, "Hi", "stop"), failed]))


def drawn():
    """The odds under four settings, of long tokens, of white space and of special ones."""
    tokens = [(n, name, -0.7 * n) for n, name in enumerate([b" extraordinarily", b"\n\n", b""])]
    rare = [(n, b"t%d" % n, -9.0 - n) for n in range(3, 9)]
    found = listed(tokens + rare, [], 0, float(numpy.log(2)))
    return odds(
        found, *({"temperature": heat, "repetition_penalty": 1.05} for heat in (0.1, 1, 1.9)), {}
    )


def likely():
    """The x-ray of some tokens, each with four others."""
    tops = [(word, 0.2) for word in ("Autumn", " leaves", "extraordinarily", "\n\n")]
    content = [row(word, 0.2, top=tops) for word, _ in tops]
    return xray({"choices": [{"message": {"content": WORDS}, "logprobs": {"content": content}}]})


def runs():
    """The playground's table of runs."""
    history, lab = History(), Lab("http://127.0.0.1:1/v1", "qwen", "local", "x")
    for text, reason in ((WORDS, "length"), ("Hi", "content_filter")):
        reply = Reply()
        reply._texts, reply.reason = {0: text}, reason
        reply.end("done")
        history.add({"model": "qwen", "messages": [], **SENT}, reply, lab)
    return history.table.value


# In a JupyterLab of 390 pixels a view has 254, and 824 in one of 1,024; a page has a margin of 8.
@pytest.mark.parametrize("width", [270, 840])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("shown", [swept, drawn, likely, runs, knobs, qwen_lab.progress])
def test_all_of_a_table_is_seen(shown, language, width, chromium, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", language)
    view = shown()
    page = chromium.new_page(viewport={"width": width, "height": 800})
    page.set_content(view if isinstance(view, str) else view._repr_html_())
    page.evaluate(TEXTS)
    assert page.locator("table").count() and page.evaluate(HIDDEN) == page.evaluate(BROKEN) == []
    page.close()


# Of each view: where what is seen of it begins and ends, from the left of the page.
EDGES = """() => [...document.querySelectorAll(".qwen-view")].map(view => {
  const found = [...view.querySelectorAll("p, td, th, pre, .qwen-outcome, .qwen-lane-name")];
  const boxes = found.map(element => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const own = parseFloat(getComputedStyle(element).borderLeftWidth) > 0;
    return (own ? element : range).getBoundingClientRect();
  }).filter(box => box.width);
  return [Math.min(...boxes.map(box => box.left)), Math.max(...boxes.map(box => box.right))];
})"""


def test_views_under_each_other_begin_at_one_edge_and_end_at_one_of_two(chromium):
    verdict = View(html.verdict("wrong", "wrong", WORDS * 9), "")
    shown = [verdict, likely(), swept(), drawn(), knobs(), html.sentence(WORDS * 9)]
    page = chromium.new_page(viewport={"width": 1400, "height": 800})
    page.set_content("".join(view._repr_html_() for view in shown))
    edges = page.evaluate(EDGES)
    begin = 8 + 2
    assert len(edges) == len(shown) and {round(left) for left, _ in edges} == {begin}
    for (_, right), most in zip(edges, (720, 1000, 1000, 1000, 1000, 720), strict=True):
        assert right <= begin + most, edges
    assert edges[0][1] == begin + 720
    page.close()


@pytest.mark.parametrize("width", [270, 840])
def test_a_runs_figures_stand_under_those_of_other_runs_with_their_units(width, chromium):
    page = chromium.new_page(viewport={"width": width, "height": 800})
    page.set_content(runs())
    for column, unit in ((6, "s"), (8, "CNY")):
        cells = page.locator(f".qwen-history td:nth-child({column})").all()
        boxes = [cell.bounding_box() for cell in cells]
        assert len({box["x"] + box["width"] for box in boxes}) == 1 and len(boxes) == 2
        assert all(cell.inner_text().endswith(f"\xa0{unit}") for cell in cells)
    page.close()


@pytest.mark.parametrize("width", [840, 1200])
def test_a_sweeps_columns_stay_where_they_are_while_answers_come(width, chromium):
    settings = [{"temperature": heat, "seed": n} for heat in (0, 1.9) for n in (1, 2, 3)]
    answers = [Answer(each, WORDS * each["seed"], "length") for each in settings]
    page = chromium.new_page(viewport={"width": width, "height": 800})
    places = set()
    for count in (1, 2, 4, 6):
        page.set_content(grid(figures(answers[:count], settings), (1, 2, 3))._repr_html_())
        heads = page.locator(".qwen-grid > div th:not(tr:has(td) *)").all()
        places.add(tuple(round(head.bounding_box()["x"]) for head in heads))
        assert page.locator(".qwen-grid > div tr").count() == 3
    assert len(places) == 1 and len(heads) == 5
    page.close()


@pytest.mark.parametrize("width, beside", [(254, 1), (500, 2), (824, 2), (1000, 2)])
def test_four_settings_never_stand_as_three_and_one(width, beside, chromium):
    box = qwen_lab.compare(Lab("http://127.0.0.1:1/v1", "qwen", "local", "x"), "Hi", *[{}] * 4)
    layout = next(each for each in box.children if isinstance(each, GridBox)).layout
    look = f"display: grid; gap: {layout.grid_gap}; width: {width}px"
    page = chromium.new_page()
    columns = f"grid-template-columns: {layout.grid_template_columns}"
    page.set_content(f'<div style="{look}; {columns}">{"<p>Hi</p>" * 4}</div>')
    tops = [each.bounding_box()["y"] for each in page.locator("p").all()]
    assert tops.count(tops[0]) == beside
    page.close()


def test_code_says_at_its_edge_that_there_is_more(chromium):
    box = qwen_lab.panel(Lab("http://127.0.0.1:1/v1", "qwen", "local", "x"), WORDS)
    # The call is shown before it is made.
    box._work().close()
    shown = "".join(part.value for part in box.children if isinstance(part, HTML))
    assert "<pre>client.chat" in shown
    page = chromium.new_page(viewport={"width": 270, "height": 800})
    # As JupyterLab has it.
    theirs = "<style>.out pre { overflow: auto }</style>"
    page.set_content(f'{theirs}<div class="out"><div class="qwen-panel">{shown}')
    page.evaluate("document.querySelector('details:has(pre)').open = true")
    look = """element => [element.scrollWidth > element.clientWidth,
        getComputedStyle(element).backgroundAttachment,
        getComputedStyle(element.firstChild).backgroundColor]"""
    found = page.locator(".qwen-table:has(> pre)").evaluate(look)
    assert found == [True, "local, local, scroll, scroll", "rgba(0, 0, 0, 0)"]
    page.close()


@pytest.mark.parametrize("width", [270, 840, 1200])
@pytest.mark.parametrize("part", ["timeline", "wire"])
def test_each_label_of_an_axis_stands_by_its_line_and_none_upon_another(part, width, chromium):
    axis = Axis(0.6, lambda seconds: f"{1000 * seconds:g} ms").head
    shown = f'<div class="qwen-view"><div class="qwen-{part}">{axis}</div></div>'
    page = chromium.new_page(viewport={"width": width, "height": 800})
    page.set_content(styled(shown))
    labels = page.evaluate(LABELS)
    # All, or every second one.
    seen = [at for at, label in enumerate(labels) if label]
    assert len(labels) == 6 and seen in ([*range(6)], [0, 2, 4])
    for at in seen:
        begin, middle, end = labels[at]
        at_line = begin if at == 0 else end if at == 5 else middle
        assert at_line == pytest.approx(20 * at, abs=1), at
    ends, begins = [labels[at][2] for at in seen[:-1]], [labels[at][0] for at in seen[1:]]
    assert all(end < begin for end, begin in zip(ends, begins, strict=True))
    page.close()
