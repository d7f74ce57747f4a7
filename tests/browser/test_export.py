"""A lesson as a page of its own, without a kernel: its views fold, and all of it can be read."""

from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Page

from qwen_lab.course import lessons
from qwen_lab.words import say, use

from ..views.test_theme import contrast, read

pytestmark = pytest.mark.browser

PAGES = [
    (language, name)
    for language in ("zh", "en")
    for name in ("00_tour.ipynb", "03_response_anatomy.ipynb")
]
EVERY = [(language, name) for language in ("zh", "en") for name in lessons.names(language)]
# Latin words of a view of which a part stands in another line.
BROKEN = """() => [...document.querySelectorAll(".qwen-view")].flatMap(view => {
  const walker = document.createTreeWalker(view, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) for (const word of walker.currentNode.data.matchAll(/\\w{2,}/g)) {
    const range = document.createRange();
    range.setStart(walker.currentNode, word.index);
    range.setEnd(walker.currentNode, word.index + word[0].length);
    const tops = [...range.getClientRects()].map(box => Math.round(box.top));
    if (new Set(tops).size > 1) found.push(word[0]);
  }
  return found;
})"""
# Tables of which a part is only seen by scrolling sideways: the first words of each.
HIDDEN = """() => [...document.querySelectorAll(".qwen-table")]
  .filter(table => table.scrollWidth > table.clientWidth)
  .map(table => table.textContent.slice(0, 60))"""
COLOUR = "element => getComputedStyle(element).backgroundColor"
# Each text in a view: what it says, its size, its colour, and the grounds that it stands on.
TEXTS = """() => [...document.querySelectorAll(".qwen-view")].flatMap(view => {
  view.querySelectorAll("details").forEach(details => details.open = true);
  const walker = document.createTreeWalker(view, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, style = getComputedStyle(element);
    if (!walker.currentNode.data.trim()) continue;
    const grounds = [];
    for (let each = element; each; each = each.parentElement)
      grounds.unshift(getComputedStyle(each).backgroundColor);
    found.push([walker.currentNode.data, parseFloat(style.fontSize), style.color, grounds]);
  }
  return found;
})"""


@cache
def html(language: str, name: str, theme: str) -> str:
    """The lesson as a page of its own."""
    lesson = lessons.originals() / language / name
    return HTMLExporter(theme=theme).from_filename(str(lesson))[0]


def exported(language: str, name: str, folder: Path, theme: str = "light") -> str:
    """The lesson as a page; its address."""
    (folder / "lesson.html").write_text(html(language, name, theme), encoding="utf-8")
    return (folder / "lesson.html").as_uri()


def offline(page: Page) -> Page:
    """The page's own frame asks for fonts and formulas from the network; the views must not."""
    page.route(
        "**/*",
        lambda route: route.abort() if urlsplit(route.request.url).netloc else route.continue_(),
    )
    return page


def colours(page: Page) -> set[str]:
    """The background colours of the x-rayed tokens."""
    return {token.evaluate(COLOUR) for token in page.locator(".qwen-xray [tabindex]").all()}


@pytest.mark.parametrize(("language", "name"), PAGES, ids=map("-".join, PAGES))
def test_an_exported_lesson_folds_and_is_coloured(language, name, chromium, tmp_path):
    page = offline(chromium.new_page())
    page.goto(exported(language, name, tmp_path))
    assert len(colours(page)) > 3
    table = page.locator(".qwen-xray details table").first
    assert not table.is_visible()
    page.locator(".qwen-xray details summary").first.click()
    assert table.is_visible()
    page.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pointing_and_tabbing_open_what_a_token_and_a_line_are(language, chromium, tmp_path):
    page = offline(chromium.new_page())
    page.goto(exported(language, "00_tour.ipynb", tmp_path))
    tokens = page.locator(".qwen-xray [tabindex]")
    bars = [tokens.nth(at).locator("> span") for at in (3, 4)]
    tokens.nth(2).focus()
    page.keyboard.press("Tab")
    assert bars[0].is_visible() and not bars[1].is_visible()
    tokens.nth(4).hover()
    framed = "all => all.filter(each => getComputedStyle(each).boxShadow !== 'none').length"
    assert tokens.evaluate_all(framed) == 1
    assert bars[1].is_visible() and not page.locator(".qwen-xray-open").is_visible()
    line = page.locator(".qwen-wire [tabindex]").nth(4)
    assert not line.locator("> div").last.is_visible()
    line.hover()
    assert line.locator("> div").last.inner_text().count("data: {") == 1
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", lessons.names("en"))
def test_every_text_in_a_lesson_is_large_enough_and_stands_out(name, theme, chromium, tmp_path):
    page = offline(chromium.new_page(color_scheme=theme))
    page.goto(exported("en", name, tmp_path, theme))
    texts = page.evaluate(TEXTS)
    assert texts
    for text, size, colour, grounds in texts:
        ground = (255, 255, 255)
        for each in grounds:
            ground = read(each, ground)
        assert size >= 12 and contrast(read(colour, ground), ground) >= 4.5, (text, colour, ground)
    page.close()


@pytest.mark.parametrize(("language", "name"), EVERY, ids=map("-".join, EVERY))
def test_on_a_narrow_page_no_word_breaks_and_nothing_of_a_table_is_hidden(
    language, name, chromium, tmp_path
):
    # A view is then about as wide as in a JupyterLab of 390 pixels (`test_narrow` has it exactly).
    page = offline(chromium.new_page(viewport={"width": 300, "height": 800}))
    page.goto(exported(language, name, tmp_path))
    page.evaluate(TEXTS)
    assert page.evaluate(BROKEN) == [] and page.evaluate(HIDDEN) == []
    page.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_where_no_script_runs_the_samplers_bars_stand_as_a_picture(language, chromium, tmp_path):
    use(language)
    page = offline(chromium.new_page(java_script_enabled=False))
    page.goto(exported(language, "00_tour.ipynb", tmp_path))
    picture = page.locator(".qwen-sampler")
    assert picture.get_by_text(say("sampler.picture")).is_visible()
    bars = picture.locator(".now")
    assert bars.count() == 13 and bars.first.bounding_box()["width"] > 50
    page.close()
