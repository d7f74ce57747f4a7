"""A lesson as a page of its own, without a kernel: its views still fold and are still coloured."""

from urllib.parse import urlsplit

import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Page

from qwen_lab.course import lessons

pytestmark = pytest.mark.browser

PAGES = [
    (language, name)
    for language in ("zh", "en")
    for name in ("00_tour.ipynb", "03_response_anatomy.ipynb")
]
COLOUR = "element => getComputedStyle(element).backgroundColor"


def colours(page: Page) -> set[str]:
    """The background colours of the x-rayed tokens."""
    return {token.evaluate(COLOUR) for token in page.locator(".qwen-xray [tabindex]").all()}


@pytest.mark.parametrize(("language", "name"), PAGES, ids=map("-".join, PAGES))
def test_an_exported_lesson_folds_and_is_coloured(language, name, chromium, tmp_path):
    html, _ = HTMLExporter().from_filename(str(lessons.originals() / language / name))
    (tmp_path / "lesson.html").write_text(html, encoding="utf-8")
    page = chromium.new_page()
    # The page's own frame asks for fonts and formulas from the network; the views must not.
    page.route(
        "**/*",
        lambda route: route.abort() if urlsplit(route.request.url).netloc else route.continue_(),
    )
    page.goto((tmp_path / "lesson.html").as_uri())
    assert len(colours(page)) > 3
    table = page.locator(".qwen-xray details table").first
    assert not table.is_visible()
    page.locator(".qwen-xray details summary").first.click()
    assert table.is_visible()
    page.close()
