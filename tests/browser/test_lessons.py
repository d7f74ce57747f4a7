"""Each lesson, opened and run as a learner does: in JupyterLab, in a real browser."""

import re

import nbformat
import pytest
from playwright.sync_api import Page, expect

from qwen_lab.course import lessons

pytestmark = [pytest.mark.browser, pytest.mark.model]

# For the README: the section that the picture shows.
PICTURED = {"00_tour.ipynb": 3, "01_basic_call.ipynb": 2}

# Everybody begins with this one: it talks to the real Qwen. The others play their tapes, as a
# teacher shows them who has no model. With `test --live` all are live, here and without a browser.
LIVE = "00_tour.ipynb"
WIDGET = re.compile(r"(Panel|Playground|Sampler|Compare|Sweep|Quiz)\(")


def run_all_cells(page: Page) -> None:
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    # Busy shows that it began; a kernel is idle before as well as after.
    expect(page.get_by_text("| Busy")).to_be_visible()
    # It is idle between two cells as well: no cell may be left waiting.
    expect(page.locator(".jp-InputPrompt", has_text="[*]")).to_have_count(0, timeout=300_000)
    expect(page.get_by_text("| Idle")).to_be_visible(timeout=180_000)


def widgets(language: str, name: str) -> list[int]:
    """The places of the cells that end in a widget, by their stored outputs."""
    cells = nbformat.read(lessons.originals() / language / name, as_version=4).cells
    texts = {
        at: output.data.get("text/plain", "")
        for at, cell in enumerate(cells)
        for output in cell.get("outputs", [])
        if "data" in output
    }
    return [at for at, text in texts.items() if WIDGET.match(text)]


def pytest_generate_tests(metafunc):
    """Each lesson is opened in one language, and those of the pictures in both."""
    pictured = PICTURED if metafunc.config.getoption("--pictures") else ()
    opened = [
        (language, name)
        for turn, language in enumerate(("zh", "en"))
        for name in lessons.names(language)
        if int(name[:2]) % 2 == turn or name in pictured
    ]
    metafunc.parametrize(("language", "name"), opened, ids=map("-".join, opened))


@pytest.fixture
def endpoint(name, pytestconfig):
    return "local" if name == LIVE or pytestconfig.getoption("--live") else "replay"


def test_a_lesson_opens_without_a_dialog_and_runs_without_an_error(
    lab, language, name, chromium, pytestconfig
):
    page = chromium.new_page(viewport={"width": 1280, "height": 860})
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(lab.address.replace(lessons.first(language), name))
    expect(page.locator(".jp-Notebook h1")).to_contain_text(name[:2], timeout=180_000)
    expect(page.get_by_text("| Idle")).to_be_visible(timeout=180_000)
    assert page.locator(".jp-Dialog, .Toastify__toast").count() == 0
    run_all_cells(page)
    assert page.locator(".jp-OutputArea-output[data-mime-type*=error]").count() == 0
    for at in widgets(language, name):
        cell = page.locator(".jp-Notebook .jp-Cell").nth(at)
        cell.scroll_into_view_if_needed()
        # A blank one is a line at most.
        assert cell.locator(".qwen-panel").first.bounding_box()["height"] > 60, at
    outside = [url for url in requests if "//127.0.0.1:" not in url and "//" in url]
    assert [url for url in outside if not url.startswith(("data:", "blob:"))] == []
    if (pictures := pytestconfig.getoption("--pictures")) and name in PICTURED:
        page.locator(".jp-Notebook h2").nth(PICTURED[name]).evaluate("h => h.scrollIntoView()")
        page.wait_for_timeout(1000)
        page.screenshot(path=f"{pictures}/{language}-{name[:-6]}.png")
    page.close()
