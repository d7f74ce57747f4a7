"""A real JupyterLab on copies of the lessons, and a real Chromium that looks at it."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from qwen_lab import lessons

START = """
import sys
from pathlib import Path
from qwen_lab import jupyter
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
def lab(request, home, tmp_path):
    """JupyterLab on fresh copies, in the test's language; gives the address that it printed."""
    copies = shutil.copytree(lessons.originals(), tmp_path / "my_lessons")
    settings = {
        **os.environ,
        "QWEN_LAB_HOME": str(home),
        "QWEN_LAB_ENDPOINT": "local",
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
