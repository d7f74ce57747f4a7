"""JupyterLab on one notebook, and a Chromium that looks at it. Not a benchmark itself."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from playwright.sync_api import Browser, sync_playwright

NOTEBOOK = "bench.ipynb"
START = f"""
import sys
from pathlib import Path
from qwen_lab.course import lessons
from qwen_lab.setup import jupyter
lessons.first = lambda language: "{NOTEBOOK}"
jupyter.run(Path(sys.argv[1]), browser=False)
"""
OPTIONS = ["--no-sandbox", "--disable-gpu"]
# All cells are there, however far from what is seen; and a page can be told what to do.
CONFIG = {
    "jupyter_lab_config.json": {"LabApp": {"expose_app_in_browser": True}},
    "labconfig/default_setting_overrides.json": {
        "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}
    },
}


@contextmanager
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        sys.exit("This benchmark needs Chromium, and there is none on this machine.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


def cell(source: str) -> NotebookNode:
    # Those after one that fails are run all the same.
    return nbformat.v4.new_code_cell(source, metadata={"tags": ["raises-exception"]})


@contextmanager
def jupyter(language: str, cells: Iterable[str]) -> Iterator[str]:
    """JupyterLab on a notebook of these cells; gives its address."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home, copies = Path(folder) / "config", Path(folder) / "lessons" / language
        for name, settings in CONFIG.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(json.dumps(settings), encoding="utf-8")
        notebook = nbformat.v4.new_notebook(cells=[*map(cell, cells)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
        copies.mkdir(parents=True)
        nbformat.write(notebook, copies / NOTEBOOK)
        settings = {"QWEN_LAB_LANG": language, "PYTHONUTF8": "1", "JUPYTER_CONFIG_DIR": str(home)}
        with subprocess.Popen(
            [sys.executable, "-c", START, str(copies.parent)],
            env=os.environ | settings,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        ) as server:
            try:
                lines = (line for line in server.stdout if "//" in line)
                yield re.search(r"http://\S+", next(lines))[0]
            finally:
                server.terminate()
