"""The site, built once, on loopback, and a Chromium that reaches nothing else."""

import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from qwen_lab.endpoint.weights.weights import FILENAME, SIZE, fetch
from qwen_lab.page import qwen, site

from . import weights_host

browser, host, open_page = weights_host.browser, weights_host.host, weights_host.open_page
PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
# A name that nobody has: a browser trusts it as little as any address of a class's network.
UNTRUSTED = "lab.example"
BLOCKED = f"--host-resolver-rules=MAP {UNTRUSTED} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
# What JupyterLite keeps in the browser, as it keeps it.
KEPT = """path => new Promise((done, fail) => {
  const asked = indexedDB.open("Qwen Lab");
  asked.onerror = fail;
  asked.onsuccess = () => {
    const found = asked.result.transaction("files").objectStore("files").get(path);
    found.onsuccess = () => done(found.result ? found.result.content : null);
  };
})"""
# The browser has the file where `weights.js` would have put it.
PUT = """async ([name, size]) => {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("qwen", { create: true });
  const file = await folder.getFileHandle(name, { create: true });
  await (await fetch("/weights")).body.pipeTo(await file.createWritable());
  return (await file.getFile()).size === size;
}"""
CONNECT = """import asyncio, json, time, qwen_lab
from openai import AsyncOpenAI, BadRequestError, OpenAI
began = time.perf_counter()
lab = qwen_lab.connect(lang="en")
took = time.perf_counter() - began
client = OpenAI(base_url=lab.base_url, api_key=lab.api_key, max_retries=0)
def ask(text, **options):
    asked = {"model": lab.model, "messages": [{"role": "user", "content": text}]}
    return client.chat.completions.create(**asked, **{"temperature": 0, "max_tokens": 8} | options)
"""
PATIENCE = 600_000
# The lesson that is seen; others of the same browser's are there again behind it.
IN_FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook"


def needed(path: str | None, name: str) -> None:
    """Skip where a program is missing, but never in CI."""
    if not path:
        reason = f"no {name} on this machine"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """The site in a folder, as the command builds it."""
    needed(shutil.which("npm"), "npm")
    folder = tmp_path_factory.mktemp("page") / "site"
    site.build(folder)
    return folder


class Host(SimpleHTTPRequestHandler):
    """Any web host with the site, that part of it that runs the Qwen, and its weights."""

    more: dict[str, bytes] = {}

    def log_message(self, *_):
        pass

    def end_headers(self) -> None:
        # As WEB.md advises; a browser heeds it only at an address that it trusts.
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def do_GET(self) -> None:
        if self.path == "/weights":
            with fetch().open("rb") as file:
                self._head(SIZE, "application/octet-stream")
                shutil.copyfileobj(file, self.wfile)
        elif content := self.more.get(self.path.lstrip("/")):
            self._head(len(content), self.guess_type(self.path))
            self.wfile.write(content)
        else:
            super().do_GET()

    def _head(self, length: int, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()


@pytest.fixture(scope="session")
def port(folder) -> Iterator[int]:
    """The port of loopback at which any web server would show the site."""
    Host.more = qwen.files()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Host, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    needed(PROGRAM, "Chromium")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", BLOCKED]
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=PROGRAM, args=options) as browser,
    ):
        yield browser


class Visit:
    """Someone with a browser of their own who opens lessons of the site."""

    def __init__(self, context: BrowserContext, root: str) -> None:
        self.context, self.root, self.asked = context, root, []
        context.on("request", lambda request: self.asked.append(request.url))

    def open(self, lesson: str) -> Page:
        page = self.context.new_page()
        page.goto(f"{self.root}lab/index.html?path={lesson}")
        # What another page has open may come first.
        front = page.locator(f"#jp-main-dock-panel .lm-mod-current[title*='{lesson}']")
        expect(front).to_be_visible(timeout=PATIENCE)
        expect(page.locator(f"{IN_FRONT} h1")).to_be_visible(timeout=PATIENCE)
        return page

    def outside(self) -> list[str]:
        """What was asked of other hosts."""
        return [url for url in self.asked if not url.startswith((self.root, "data:", "blob:"))]


@pytest.fixture(scope="module")
def on_disk(chromium, tmp_path_factory) -> Iterator[BrowserContext]:
    """A browser that keeps files on the disk; each test's site has an address of its own."""
    begin, place = (
        chromium.browser_type.launch_persistent_context,
        tmp_path_factory.mktemp("on_disk"),
    )
    with begin(place, executable_path=PROGRAM, args=["--no-sandbox", BLOCKED]) as browser:
        yield browser


def without_switching(folder: Path) -> str:
    """Pyodide in a browser in which no call can wait for a promise, as most were in 2025."""
    loader = (folder / "static" / "pyodide" / "pyodide.mjs").read_text(encoding="utf-8")
    return f"delete WebAssembly.Suspending; delete WebAssembly.promising;\n{loader}"


@pytest.fixture
def visit(chromium, port, folder) -> Callable[..., Visit]:
    """Begin a visit, by a host's name and with what browser; it ends with the test."""
    contexts, usual = [], port

    def begin(
        host: str = "127.0.0.1", *, switches: bool = True, port: int = 0, tablet: bool = False
    ) -> Visit:
        size = {"width": 768, "height": 1024} if tablet else {"width": 1280, "height": 900}
        context = chromium.new_context(viewport=size, has_touch=tablet)
        contexts.append(context)
        if not switches:
            script = {"body": without_switching(folder), "content_type": "text/javascript"}
            context.route("**/pyodide.mjs", lambda route: route.fulfill(**script))
        return Visit(context, f"http://{host}:{port or usual}/")

    yield begin
    for context in contexts:
        context.close()


def run(page: Page, source: str) -> str:
    """Run this in the cell that connects, whose lesson is known; what it shows."""
    cell = page.locator(f"{IN_FRONT} .jp-CodeCell").first
    prompt = cell.locator(".jp-InputPrompt")
    # A quick cell is done before anyone sees its "[*]"; its number shows that it has run.
    prompt.evaluate("node => (node.textContent = '')")
    cell.locator(".cm-content").fill(source)
    cell.locator(".cm-content").press("Control+Enter")
    expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=PATIENCE)
    return cell.locator(".jp-OutputArea").inner_text()


def run_all(page: Page, *, tablet: bool = False) -> None:
    """Run the notebook from top to bottom, and wait for its end."""
    page.locator(".jp-Notebook h1").first.click()
    for name in ("Run", "Run All Cells"):
        item = page.get_by_role("menuitem", name=name, exact=True)
        item.tap() if tablet else item.click()
    expect(page.locator(".jp-InputPrompt", has_text="[*]").first).to_be_attached(timeout=PATIENCE)
    for _ in range(2):
        # On a live Qwen a lesson takes minutes.
        running = page.locator(".jp-InputPrompt", has_text="[*]")
        expect(running).to_have_count(0, timeout=2 * PATIENCE)
        # A cell that runs may not be drawn yet, for Python is there before all of them are.
        page.wait_for_timeout(2000)


def saved(page: Page, lesson: str) -> dict:
    """What the browser keeps of the notebook, once it has kept all by itself."""
    expect(page.locator(".jp-mod-dirty")).to_have_count(0, timeout=PATIENCE)
    while not page.evaluate(KEPT, lesson):
        page.wait_for_timeout(200)
    return page.evaluate(KEPT, lesson)


def fetched(here: Visit) -> Visit:
    """The visit, once its browser has the weights."""
    page = here.context.new_page()
    page.goto(here.root)
    assert page.evaluate(PUT, [FILENAME, SIZE])
    page.close()
    return here


class Begun:
    """A lesson in a browser that has the weights; `told` is what its first cell said."""

    def __init__(self, here: Visit, lesson: str = "en/01_basic_call.ipynb") -> None:
        self.here, self.page = here, fetched(here).open(lesson)
        self.told = run(self.page, CONNECT)

    def shown(self, source: str) -> object:
        """What an expression is worth in the page."""
        return json.loads(run(self.page, f"print(json.dumps({source}))").strip().splitlines()[-1])
