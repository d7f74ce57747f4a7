"""The lessons in the page: each runs in the browser, from top to bottom, and shows what it says."""

import configparser
import json
import re

import pytest
from playwright.sync_api import expect

from qwen_lab import paths
from qwen_lab.course import lessons
from qwen_lab.words import LANGUAGES

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
    here = visit(UNTRUSTED, switches=False) if lesson == LESS else visit()
    page = here.open(lesson)
    run_all(page)
    played = saved(page, lesson)
    stored = json.loads((paths.originals() / lesson).read_text(encoding="utf-8"))
    found, expected = of(played), of(stored)
    assert {name: found[name] for name in expected if found[name] != expected[name]} == {
        name: expected[name] for name in expected if found[name] != expected[name]
    }
    assert here.outside() == []


def test_the_samplers_bars_follow_a_slider_on_the_tapes_numbers(visit, request):
    if not request.config.getoption("--whole-page"):
        pytest.skip("--whole-page runs it")
    page = visit(switches=False).open(ALWAYS)
    run_all(page)
    sampler = page.locator(".qwen-sampler").first
    heat, figure = sampler.get_by_role("slider", name="temperature"), sampler.locator(".figure")
    expect(figure.first).to_have_text("58.6%", timeout=PATIENCE)
    heat.fill("0")
    expect(figure.first).to_have_text("100%")
    heat.fill("1.5")
    expect(figure.first).to_have_text("58.6%")
