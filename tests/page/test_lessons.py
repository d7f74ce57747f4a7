"""The lessons in the page: each runs in the browser, from top to bottom, and shows what it says."""

import configparser
import json
import re

import pytest
from playwright.sync_api import Page, expect

from qwen_lab import paths
from qwen_lab.course import lessons
from qwen_lab.words import LANGUAGES, say, use

from .conftest import PATIENCE, UNTRUSTED, run_all, saved

pytestmark = pytest.mark.page

# All of them take a quarter of an hour, and are run by name. The first of these always; the other
# in a browser that can do less, at an address that it does not trust.
ALWAYS, LESS = "zh/00_tour.ipynb", "en/01_basic_call.ipynb"
EVERY = [f"{language}/{name}" for language in LANGUAGES for name in lessons.names(language)]
WIDGET = "application/vnd.jupyter.widget-view+json"


def sanitized(text: str) -> str:
    rules = configparser.RawConfigParser()
    rules.read(paths.originals() / "sanitize.cfg", encoding="utf-8")
    for name in rules.sections():
        text = re.sub(rules[name]["regex"], rules[name]["replace"], text)
    return text


def shown(cell: dict) -> list:
    """What a cell shows, as nbval compares it: streams as one, no view of a widget."""
    texts, rest = {}, []
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            text = "".join(output["text"])
            texts[output["name"]] = texts.get(output["name"], "") + text
        elif output["output_type"] == "error":
            rest.append(f"{output['ename']}: {output['evalue']}")
        else:
            data = {kind: text for kind, text in output["data"].items() if kind != WIDGET}
            rest += [(kind, sanitized("".join(text))) for kind, text in sorted(data.items())]
    return [*((name, sanitized(text)) for name, text in sorted(texts.items())), *rest]


def of(notebook: dict) -> dict[str, list]:
    """What each cell shows, by its id in the lesson; who answers is told otherwise in a page."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    found = {cell["id"].split("--")[-1]: shown(cell) for cell in cells}
    return found | {"setup": []}


@pytest.mark.parametrize("lesson", EVERY)
def test_a_lesson_runs_in_the_browser_and_shows_what_it_has_stored(lesson, visit, request):
    if lesson != ALWAYS and not request.config.getoption("--whole-page"):
        pytest.skip("--whole-page runs them all")
    less = {"host": UNTRUSTED, "switches": False} if lesson == LESS else {}
    here = visit(**less, tablet=lesson == ALWAYS)
    page = here.open(lesson)
    if lesson == ALWAYS:
        # What is stored looks as it will when it has run.
        expect(page.locator(".jp-OutputArea-output style").first).to_be_attached()
        expect(page.locator("#filebrowser")).to_be_hidden()
        # No line of code ends beyond the page's edge.
        expect(page.locator(".jp-CodeCell .cm-lineWrapping").first).to_be_attached()
    run_all(page, tablet=lesson == ALWAYS)
    # What was waited for is there.
    expect(page.locator(".qwen-lab-wait p")).to_have_count(0)
    played = saved(page, lesson)
    stored = json.loads((paths.originals() / lesson).read_text(encoding="utf-8"))
    found, expected = of(played), of(stored)
    assert {name: found[name] for name in expected if found[name] != expected[name]} == {
        name: expected[name] for name in expected if found[name] != expected[name]
    }
    assert here.outside() == []
    if lesson == ALWAYS:
        scrolls_over_its_sliders(page)
        tries_its_playground(page)
        comes_back(page, lesson)


def scrolls_over_its_sliders(page: Page) -> None:
    """A finger that scrolls the page over a slider moves the page alone; on a thumb, the thumb."""
    track = page.locator(".qwen-panel .slider-container").first
    value = page.locator(".qwen-panel .qwen-setting").first.get_by_role("spinbutton")
    track.evaluate("track => track.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(500)
    box, before = track.bounding_box(), value.input_value()
    swipe(page, box["x"] + 0.8 * box["width"], box["y"], down=-200)
    assert track.bounding_box()["y"] < box["y"] - 100
    assert value.input_value() == before
    thumb = track.locator(".noUi-handle").bounding_box()
    middle = thumb["x"] + thumb["width"] / 2, thumb["y"] + thumb["height"] / 2
    swipe(page, *middle, right=-80)
    expect(value).not_to_have_value(before)
    value.fill(before)
    value.press("Enter")


def swipe(page: Page, x: float, y: float, right: float = 0, down: float = 0) -> None:
    """Move a finger on the glass, in ten steps."""
    finger = page.context.new_cdp_session(page)

    def at(kind: str, *points: dict) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [*points]})
        page.wait_for_timeout(20)

    at("touchStart", {"x": x, "y": y})
    for step in range(1, 11):
        at("touchMove", {"x": x + right * step / 10, "y": y + down * step / 10})
    at("touchEnd")
    page.wait_for_timeout(500)


def tries_its_playground(page: Page) -> None:
    """What was recorded plays again; for the rest there is a sentence."""
    use("zh")
    panel = page.locator(".qwen-panel").first
    run = panel.get_by_role("button", name=say("panel.run"))
    runs = panel.locator(".qwen-history tr")
    unrecorded = panel.locator(".qwen-panel-unrecorded", has_text=say("page.not_recorded"))
    expect(panel.get_by_text(say("page.only_recorded"))).to_be_visible()
    run.tap()
    expect(runs).to_have_count(3)
    # What the lesson invites to try.
    panel.get_by_role("spinbutton").first.fill("1.9")
    run.tap()
    expect(runs).to_have_count(4)
    expect(unrecorded).to_have_count(0)
    panel.get_by_role("spinbutton").first.fill("0.3")
    run.tap()
    expect(unrecorded).to_be_visible()


def comes_back(page: Page, lesson: str) -> None:
    """After a reload the widgets stand there, without their kernel; and a way leads to another."""
    # On a busy machine a notebook may be kept before its widgets are.
    for _ in range(100):
        if "widgets" in saved(page, lesson)["metadata"]:
            break
        page.wait_for_timeout(200)
    page.reload()
    alone = page.locator(".qwen-panel.jupyter-widgets-disconnected")
    expect(alone.first).to_be_visible(timeout=PATIENCE)
    # Python begins anew, and no cell has run in it.
    expect(page.locator(".jp-InputPrompt", has_text=re.compile(r"\d"))).to_have_count(0)
    page.get_by_role("link", name=say("page.home")).tap()
    page.get_by_role("link", name=re.compile("^01")).last.tap()
    expect(page.locator(".jp-Notebook h1")).to_contain_text("01", timeout=PATIENCE)
    expect(page.locator(".jp-NotebookPanel")).to_have_count(1)


def test_the_samplers_bars_follow_a_slider_on_the_tapes_numbers(visit, request):
    if not request.config.getoption("--whole-page"):
        pytest.skip("--whole-page runs it")
    page = visit(switches=False).open(ALWAYS)
    run_all(page)
    sampler = page.locator(".qwen-sampler").first
    heat, figure = sampler.get_by_role("slider", name="temperature"), sampler.locator(".figure")
    expect(figure.first).to_have_text("58.60%", timeout=PATIENCE)
    heat.fill("0")
    expect(figure.first).to_have_text("100.00%")
    heat.fill("1.5")
    expect(figure.first).to_have_text("58.60%")
