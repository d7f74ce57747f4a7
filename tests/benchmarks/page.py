"""The lab in a page: how soon it answers, and how large it is. Needs Chromium and npm.

From opening lesson 01 in a browser to the first answer from its tape, by Run All, on loopback and
with every other host blocked: cold, in a browser that was never there, and warm, once the browser
has kept the site. Goals: cold ≤ 20 s, warm ≤ 8 s; ≤ 65 MB on disk, ≤ 30 MB gzipped at the first
visit, what is kept behind it left out; ≤ 0 requests to other hosts.
"""

import gzip
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Page, sync_playwright
from table import Row, show

from qwen_lab.page import site

VISITS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
LESSON, ANSWER = "en/01_basic_call.ipynb", "How can I assist you today?"
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
PATIENCE = 600_000
KEPT = """caches.keys()
  .then((names) => caches.open(names.find((name) => name.startsWith("qwen-lab"))))
  .then((cache) => cache.keys()).then((found) => found.length)"""


class Host(SimpleHTTPRequestHandler):
    """Any web host; `sent` has what the page asked of it, without what is kept behind it."""

    sent: set[str] = set()

    def send_head(self):
        if "service-worker" not in self.headers.get("referer", ""):
            self.sent.add(unquote(urlsplit(self.path).path).lstrip("/"))
        return super().send_head()

    def log_message(self, *_):
        pass


def answered(page: Page, url: str) -> float:
    """Open the lesson and run it; seconds until the first answer stands there."""
    began = time.monotonic()
    page.goto(f"{url}lab/index.html?path={LESSON}")
    first = page.locator(".jp-Notebook .jp-CodeCell").nth(1)
    page.locator(".jp-Notebook h1").first.click(timeout=PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    running = first.locator(".jp-InputPrompt", has_text="[*]")
    running.wait_for(timeout=PATIENCE)
    running.wait_for(timeout=PATIENCE, state="detached")
    first.locator(".jp-OutputArea", has_text=ANSWER).first.wait_for(timeout=PATIENCE)
    return time.monotonic() - began


def visits(browser: Browser, url: str, count: int) -> tuple[float, set[str], float, list[str]]:
    """Someone's first visit and what it took, the next one, and all that was asked by the page.

    The next one is when the browser has kept the site's `count` files.
    """
    Host.sent, asked = set(), []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    cold, first = answered(page, url), Host.sent.copy()
    while page.evaluate(KEPT) < count:
        page.wait_for_timeout(500)
    page.close()
    warm = answered(context.new_page(), url)
    context.close()
    return cold, first, warm, asked


def rows() -> Iterator[Row]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        sys.exit("This benchmark needs Chromium, and there is none on this machine.")
    folder = Path(tempfile.mkdtemp())
    try:
        yield Row("the site on disk", [site.build(folder / "site") / 1e6], "MB", "≤ 65")
        files = site.files()
        handler = partial(Host, directory=folder / "site")
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as play:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            browser = play.chromium.launch(executable_path=path, args=OPTIONS)
            yield from _visits(browser, f"http://127.0.0.1:{server.server_port}/", files)
            server.shutdown()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _visits(browser: Browser, url: str, files: dict[str, bytes]) -> Iterator[Row]:
    found = [visits(browser, url, len(files) - 1) for _ in range(VISITS)]
    cold, first, warm, asked = zip(*found, strict=True)
    packed = [
        sum(len(gzip.compress(files[name])) for name in files.keys() & each) for each in first
    ]
    yield Row("gzipped at the first visit", [size / 1e6 for size in packed], "MB", "≤ 30")
    yield Row("lesson 01 opened and run, to its first answer, cold", cold, "s", "≤ 20")
    yield Row("the same, warm", warm, "s", "≤ 8")
    ours = (url, "data:", "blob:")
    others = [len([each for each in every if not each.startswith(ours)]) for every in asked]
    yield Row("requests to other hosts", others, "", "≤ 0")


if __name__ == "__main__":
    show(rows())
