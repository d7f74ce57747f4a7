"""From a key on the sampler's slider to the new bars on the page: JupyterLab, in Chromium.

Needs Chromium. Goal: ≤ 100 ms.
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

MOVES = 40
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
# The bars are new once their element is another one and the page has been painted.
MOVE = """key => new Promise(done => {
  const bars = () => document.querySelector('.qwen-sampler'), old = bars();
  const handle = document.querySelector('.qwen-panel .noUi-handle');
  let began;
  new MutationObserver((_, observer) => {
    if (bars() === old) return;
    observer.disconnect();
    requestAnimationFrame(() => done(performance.now() - began));
  }).observe(document.querySelector('.qwen-panel'), {childList: true, subtree: true});
  began = performance.now();
  handle.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
})"""


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
    page.get_by_text("| Idle").wait_for(timeout=60_000)
    page.locator(".jp-Cell").click()
    page.keyboard.press("Control+Enter")
    page.locator(".qwen-sampler").wait_for(timeout=60_000)
    # The tail is counted behind the first bars, and draws them anew.
    page.wait_for_timeout(3_000)
    times = []
    for number in range(MOVES + 1):
        times.append(page.evaluate(MOVE, "ArrowLeft" if number % 2 else "ArrowRight"))
        page.wait_for_timeout(100)
    # The first one warms up.
    return times[1:]


def rows() -> Iterator[Row]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        sys.exit("This benchmark needs Chromium, and there is none on this machine.")
    with own(), jupyter() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        yield Row("from a key on a slider to the new bars on the page", moves(page), "ms", "≤ 100")


if __name__ == "__main__":
    show(rows())
