"""From a move of the sampler's slider to the new bars on the page: JupyterLab, in Chromium.

Needs Chromium. Goals: ≤ 16 ms (a frame) from the event to the changed page, while a cell runs too;
95 of 100 moves are told as well.
"""

from collections.abc import Iterator

from browser import chromium, jupyter
from playwright.sync_api import Page
from server import own
from table import Row, show

MOVES = 100
CELL = """import qwen_lab

box = qwen_lab.sampler(qwen_lab.connect("local"), "写一首关于秋天的短诗")
await box.run()
box"""
# From the event to its end: by then the page has the new bars, or they are none.
MOVE = """number => {
  const slider = document.querySelector(".qwen-sampler [aria-label=temperature]");
  const bars = () => [...document.querySelectorAll(".qwen-sampler .now")].map(b => b.style.width);
  const before = String(bars());
  slider.value = 0.5 + (number % 23) / 20;
  const began = performance.now();
  slider.dispatchEvent(new Event("input", {bubbles: true}));
  const took = performance.now() - began;
  if (String(bars()) === before) throw new Error("the bars have not moved");
  return took;
}"""


def moves(page: Page) -> list[float]:
    """Milliseconds of each move."""
    times = []
    for number in range(MOVES + 1):
        times.append(page.evaluate(MOVE, number))
        page.wait_for_timeout(20)
    # The first one warms up.
    return times[1:]


def opened(page: Page) -> None:
    """Run the cell, and wait until the tail is counted."""
    page.get_by_text("| Idle").wait_for(timeout=60_000)
    page.locator(".jp-Cell").click()
    page.keyboard.press("Control+Enter")
    page.locator(".qwen-sampler .draw [aria-disabled=false]").first.wait_for(timeout=60_000)


def busy(page: Page) -> None:
    """Let a cell below run, as long as the moves take."""
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.locator(".jp-Cell .cm-content").last.fill("import time; time.sleep(30)")
    page.keyboard.press("Control+Enter")
    page.get_by_text("| Busy").wait_for()


def rows() -> Iterator[Row]:
    with own(), jupyter("zh", [CELL]) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        opened(page)
        for when, prepare in (("", lambda _: None), (", while a cell runs", busy)):
            prepare(page)
            times = sorted(moves(page))
            yield Row(f"from a slider's event to the new bars{when}", times, "ms", "≤ 16")
            yield Row(f"the same, the 95th of {MOVES} moves", [times[94]], "ms")


if __name__ == "__main__":
    show(rows())
