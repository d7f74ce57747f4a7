"""A real JupyterLab on copies of the lessons, and a real Chromium that looks at it."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx2
import nbformat
import pytest
from playwright.sync_api import expect

from qwen_lab import paths
from qwen_lab.course import lessons

START = """
import sys
from pathlib import Path
from qwen_lab.setup import jupyter
jupyter.run(Path(sys.argv[1]), browser=False)
"""
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def chromium():
    """An open browser. Without an installed one the tests are skipped, but never in CI.

    One for each module: while it is open, its event loop is in the way of all others.
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


@dataclass(frozen=True)
class Jupyter:
    """A JupyterLab that runs: the address that it printed, and the folder that it shows."""

    address: str
    folder: Path

    def forget(self) -> None:
        """End its kernels and drop its layout, so that the next test finds it as the first did."""
        root, token = self.address.split("lab/tree")[0], self.address.split("token=")[1]
        asked = {"base_url": root, "headers": {"Authorization": f"token {token}"}}
        with httpx2.Client(**asked, trust_env=False, timeout=60) as client:
            for kernel in client.get("api/kernels").json():
                end(client, kernel["id"])
        shutil.rmtree(self.folder / ".jupyter", ignore_errors=True)


def end(client: httpx2.Client, kernel: str) -> None:
    """End a kernel; one that a test restarted can be ended only when it is back."""
    for _ in range(100):
        if (answer := client.delete(f"api/kernels/{kernel}")).status_code in (204, 404):
            return
        time.sleep(0.2)
    answer.raise_for_status()


@pytest.fixture(scope="session")
def jupyterlabs(home, tmp_path_factory):
    """Gives the JupyterLab of a language and an endpoint, on fresh copies; starts it once."""
    with ExitStack() as running:

        @cache
        def get(language: str, endpoint: str) -> Jupyter:
            folder = tmp_path_factory.mktemp(f"{language}-{endpoint}") / "my_lessons"
            shutil.copytree(paths.originals(), folder)
            return running.enter_context(jupyterlab(home, folder, language, endpoint))

        yield get


@contextmanager
def jupyterlab(home: Path, folder: Path, language: str, endpoint: str) -> Iterator[Jupyter]:
    settings = {
        **os.environ,
        "QWEN_LAB_HOME": str(home),
        "QWEN_LAB_ENDPOINT": endpoint,
        "QWEN_LAB_LANG": language,
        "PYTHONUTF8": "1",
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
    }
    command = [sys.executable, "-c", START, str(folder)]
    with subprocess.Popen(
        command, env=settings, stdout=subprocess.PIPE, encoding="utf-8"
    ) as server:
        yield Jupyter(address(server), folder)
        server.terminate()


def address(server: subprocess.Popen) -> str:
    for line in server.stdout:
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise RuntimeError("JupyterLab ended before it printed an address")


@pytest.fixture
def endpoint():
    """Who answers in the lab's notebooks; a test may choose another."""
    return "local"


@pytest.fixture
def lab(jupyterlabs, language, endpoint):
    """A JupyterLab in the test's language, in which nothing is open and no kernel runs."""
    jupyter = jupyterlabs(language, endpoint)
    yield jupyter
    jupyter.forget()


@pytest.fixture
def opened(lab, language, chromium):
    """Open a notebook of one cell, run it, and wait until it shows what matches a selector."""
    pages = []

    def open_cell(source: str, shows: str):
        cell = f"import qwen_lab\n\nlab = qwen_lab.connect()\n{source}"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
        nbformat.write(notebook, lab.folder / language / "cell.ipynb")
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        pages.append(page)
        page.goto(lab.address.replace(lessons.first(language), "cell.ipynb"))
        expect(page.get_by_text("| Idle")).to_be_visible(timeout=180_000)
        page.locator(".jp-Cell").click()
        page.keyboard.press("Control+Enter")
        expect(page.locator(shows)).to_be_visible(timeout=180_000)
        return page

    yield open_cell
    for page in pages:
        page.close()
