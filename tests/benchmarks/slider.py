"""From a move of the sampler's slider to the new bars on the page: JupyterLab, in Chromium.

Needs Chromium. Goals: ≤ 16 ms (a frame) from the event to the changed page, while a cell runs too;
95 of 100 moves are told as well.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Page, sync_playwright
from server import own
from table import Row, show

MOVES = 100
CELL = """import qwen_lab

box = qwen_lab.sampler(qwen_lab.connect("local"), "写一首关于秋天的短诗")
await box.run()
box"""
JUPYTER = """
import sys
from pathlib import Path
from qwen_lab.course import lessons
from qwen_lab.setup import jupyter
lessons.first = lambda language: "slider.ipynb"
jupyter.run(Path(sys.argv[1]), browser=False)
"""
OPTIONS = ["--no-sandbox", "--disable-gpu"]
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


@contextmanager
def jupyter() -> Iterator[str]:
    """JupyterLab on one notebook with the sampler; gives its address."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
        (copies := Path(folder) / "zh").mkdir()
        nbformat.write(notebook, copies / "slider.ipynb")
        settings = {"QWEN_LAB_LANG": "zh", "PYTHONUTF8": "1", "JUPYTER_CONFIG_DIR": folder}
        with subprocess.Popen(
            [sys.executable, "-c", JUPYTER, folder],
            env=os.environ | settings,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        ) as server:
            try:
                yield re.search(
                    r"http://\S+", next(line for line in server.stdout if "//" in line)
                )[0]
            finally:
                server.terminate()


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
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        sys.exit("This benchmark needs Chromium, and there is none on this machine.")
    with own(), jupyter() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
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
