"""A site that offers a file like the Qwen's weights, with a test's weather; and what is seen."""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from qwen_lab.page import front, site, weights
from qwen_lab.words import say, use

# A file like the Qwen's, in three pieces.
PIECE, SIZE = 1 << 20, 2_500_000
FILE = Random(7).randbytes(SIZE)
PIECES = [FILE[at : at + PIECE] for at in range(0, SIZE, PIECE)]
HASHES = [hashlib.sha256(piece).hexdigest() for piece in PIECES]
PATHS = [f"/qwen/{digest[:16]}.bin" for digest in HASHES]
# The site's worker before one of JupyterLite's that would let nothing through.
WORKER = b'const NAME = "qwen-lab-0", FILES = ["index.html", "qwen-weights.js"];' + (
    Path(site.__file__).with_name("worker.js").read_bytes()
)
REFUSING = b'addEventListener("fetch", (event) => event.respondWith(Response.error()));'
# What the browser keeps: each file's name, how long it is, and its SHA-256.
KEPT = """async () => {
  const found = {}, place = await navigator.storage.getDirectory();
  for await (const handle of (await place.getDirectoryHandle("qwen")).values()) {
    const bytes = await (await handle.getFile()).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    found[handle.name] = [bytes.byteLength, hex];
  }
  return found;
}"""
WHOLE = {"model.gguf": [SIZE, hashlib.sha256(FILE).hexdigest()]}


class Host(ThreadingHTTPServer):
    """A site that offers the file, as its pieces and whole; a test makes its weather."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.root = f"http://127.0.0.1:{self.server_port}/"
        self.asked, self.knows_ranges, self.status = [], True, 200
        # What the next answers for a path do: break, or wait for `go`, after so many bytes; lie.
        self.breaks, self.waits, self.lies, self.go = {}, {}, [], threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __enter__(self) -> "Host":
        self.offer()
        return self

    def __exit__(self, *failure: object) -> None:
        self.go.set()
        self.shutdown()
        super().__exit__(*failure)

    def offer(self, url: str | None = None) -> None:
        about = {"name": "model.gguf", "size": SIZE, "piece": PIECE, "sha256": HASHES, "url": url}
        self.files = {
            "/": ("text/html", front.page(offers=True).encode()),
            "/qwen-weights.js": ("text/javascript", weights.script(about)),
            "/service-worker.js": ("text/javascript", WORKER),
            "/jupyterlite-worker.js": ("text/javascript", REFUSING),
        }
        self.weights = dict(zip(PATHS, PIECES, strict=True)) | {"/whole": FILE}


class Answer(BaseHTTPRequestHandler):
    server: Host

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        if self.path in self.server.weights:
            return self._weights(self.server.weights[self.path])
        kind, content = self.server.files.get(self.path, ("text/plain", b""))
        self._head(200, {"Content-Type": kind, "Content-Length": len(content)})
        self.wfile.write(content)

    def _head(self, status: int, headers: dict) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()

    def _weights(self, content: bytes) -> None:
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append((self.path, wanted))
        if server.status != 200:
            return self._head(server.status, {"Content-Length": 0})
        if self.path in server.lies:
            server.lies.remove(self.path)
            content = bytes(len(content))
        begin = int(re.search(r"\d+", wanted)[0]) if wanted and server.knows_ranges else 0
        content = content[begin:]
        self._head(206 if begin else 200, {"Content-Length": len(content)})
        if server.breaks.get(self.path):
            self.wfile.write(content[: (at := server.breaks[self.path].pop())])
            # What a browser has not taken up yet when a connection breaks, it forgets.
            server.go.wait(60 if at else 0)
            self.close_connection = True
            return
        at = server.waits.pop(self.path, len(content))
        self.wfile.write(content[:at])
        if at < len(content):
            server.go.wait()
            self.wfile.write(content[at:])


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as host:
        yield host


@pytest.fixture
def browser(on_disk) -> Iterator[BrowserContext]:
    yield on_disk
    for page in on_disk.pages:
        page.close()


@pytest.fixture
def open_page(browser, host) -> Callable[..., Locator]:
    """Open the first page in another tab; its place for the Qwen, in English."""

    def open_page(within: BrowserContext = browser) -> Locator:
        page = within.new_page()
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(host.root)
        return page.locator("section[lang=en] [data-offer]")

    use("en")
    return open_page


def press(place: Locator, key: str) -> None:
    place.get_by_role("button", name=told(key)).click()


def says(place: Locator, key: str, held: bool = False, **values: object) -> None:
    kept = told("held") if held else ""
    expect(place.get_by_role("status")).to_have_text(told(key, **values) + kept)


def told(key: str, **values: object) -> str:
    return say(f"page_weights.{key}", **{"size": "3", **values})


def value(place: Locator) -> int:
    return place.get_by_role("progressbar").evaluate("bar => bar.value")


def half_way(place: Locator) -> None:
    """Wait until more than the first piece is there."""
    enough = "least => document.querySelector('[lang=en] progress').value > least"
    place.page.wait_for_function(enough, arg=PIECE)


def quota(place: Locator, size: int) -> None:
    """Let the site keep so many bytes in this browser."""
    root = place.page.evaluate("location.origin")
    session = place.page.context.new_cdp_session(place.page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": root, "quotaSize": size})
