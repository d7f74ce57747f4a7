"""Widgets while a cell runs, as lesson 04 tells it: what waits for the cell, and what Stop does.

JupyterLab may deliver a slider or a button in a thread beside a busy cell; the answer itself is
read in the loop of the cells.
"""

import pytest
from playwright.sync_api import Page, expect

from qwen_lab.words import say, use

LONG = "Write the numbers from one to three hundred in words, one a line."
BLOCKING = "import time; panel = qwen_lab.Panel(lab, {!r}, max_tokens=400); display(panel)"
STATUS = ".qwen-panel-status"
OUTPUT = ".jp-OutputArea-output"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.model,
    pytest.mark.parametrize("language", ["en"]),
]


@pytest.fixture
def page(opened, language):
    """A notebook that shows a panel, with an empty cell below."""
    use(language)
    page = opened(BLOCKING.format(LONG), ".qwen-panel")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    return page


def run_below(page: Page, source: str) -> None:
    """Run this in the cell below the panel, and do not wait for its end."""
    cell = page.locator(".jp-Cell").last
    cell.locator(".cm-content").fill(source)
    cell.locator(".cm-content").press("Control+Enter")
    expect(cell.locator(".jp-InputPrompt")).to_have_text("[*]:")


def press(page: Page, name: str) -> None:
    page.locator(".qwen-panel").get_by_role("button", name=say(name), exact=True).click()


def letters(page: Page) -> int:
    return len(page.locator(".qwen-panel-answer").inner_text())


def wait_for_letters(page: Page) -> None:
    # Those of the answer, and not of what stands in its place at first.
    answer = ".qwen-panel-answer:not(:has(small))"
    grown = f"document.querySelector('{answer}')?.innerText.length > 10"
    page.wait_for_function(grown, timeout=180_000)


def assert_stands_still(page: Page) -> None:
    before = letters(page)
    page.wait_for_timeout(3000)
    assert letters(page) == before > 10


def test_an_answer_stands_still_while_a_cell_does_not_await_and_can_be_stopped(page):
    press(page, "panel.run")
    wait_for_letters(page)
    run_below(page, "print('asleep'); time.sleep(8)")
    # What the kernel sends comes in order: the pieces of before are there by now.
    expect(page.locator(OUTPUT).last).to_have_text("asleep", timeout=60_000)
    assert_stands_still(page)
    press(page, "panel.stop")
    expect(page.locator(STATUS)).to_contain_text(say("panel.stopped"), timeout=60_000)
    expect(page.locator(".jp-InputPrompt").last).not_to_have_text("[*]:", timeout=60_000)
    assert_stands_still(page)


def test_stop_ends_a_cell_that_awaits_the_widget(page):
    run_below(page, "text = await panel.run(); print(len(text) > 10)")
    wait_for_letters(page)
    press(page, "panel.stop")
    expect(page.locator(STATUS)).to_contain_text(say("panel.stopped"), timeout=60_000)
    expect(page.locator(OUTPUT).last).to_have_text("True", timeout=60_000)
