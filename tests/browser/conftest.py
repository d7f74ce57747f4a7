"""A real JupyterLab on copies of the lessons, and a real Chromium that looks at it."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from playwright.sync_api import expect

from qwen_lab.course import lessons

START = """
import sys
from pathlib import Path
from qwen_lab.setup import jupyter
jupyter.run(Path(sys.argv[1]), browser=False)
"""
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
def chromium():
    """An open browser. Without an installed one the tests are skipped, but never in CI.

    One for each test: while it is open, its event loop is in the way of all others.
    """
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        reason = "no Chromium on this machine"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def endpoint():
    """Who answers in the lab's notebooks; a test may choose another."""
    return "local"


@pytest.fixture
def lab(request, home, tmp_path, endpoint):
    """JupyterLab on fresh copies, in the test's language; gives the address that it printed."""
    copies = shutil.copytree(lessons.originals(), tmp_path / "my_lessons")
    settings = {
        **os.environ,
        "QWEN_LAB_HOME": str(home),
        "QWEN_LAB_ENDPOINT": endpoint,
        "QWEN_LAB_LANG": request.param,
        "PYTHONUTF8": "1",
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
    }
    command = [sys.executable, "-c", START, str(copies)]
    with subprocess.Popen(
        command, env=settings, stdout=subprocess.PIPE, encoding="utf-8"
    ) as server:
        yield address(server)
        server.terminate()


def address(server: subprocess.Popen) -> str:
    for line in server.stdout:
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise RuntimeError("JupyterLab ended before it printed an address")


@pytest.fixture
def opened(lab, language, tmp_path, chromium):
    """Open a notebook of one cell, run it, and wait until it shows what matches a selector."""
    pages = []

    def open_cell(source: str, shows: str):
        cell = f"import qwen_lab\n\nlab = qwen_lab.connect()\n{source}"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
        nbformat.write(notebook, tmp_path / "my_lessons" / language / "cell.ipynb")
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        pages.append(page)
        page.goto(lab.replace(lessons.first(language), "cell.ipynb"))
        expect(page.get_by_text("| Idle")).to_be_visible(timeout=60_000)
        page.locator(".jp-Cell").click()
        page.keyboard.press("Control+Enter")
        expect(page.locator(shows)).to_be_visible(timeout=120_000)
        return page

    yield open_cell
    for page in pages:
        page.close()
