"""The Qwen's weights in a browser: fetched, kept, removed, and whatever may come between."""

import hashlib
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from qwen_lab.endpoint.weights import weights as official
from qwen_lab.page import front, site, weights
from qwen_lab.words import LabError, say, use

from .conftest import BLOCKED, PATIENCE, UNTRUSTED

pytestmark = pytest.mark.browser

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
        host.offer()
        yield host
        host.go.set()
        host.shutdown()


@pytest.fixture(scope="module")
def browser(chromium, tmp_path_factory) -> Iterator[BrowserContext]:
    """A browser that keeps files on the disk; each test's site has an address of its own."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    options = ["--no-sandbox", BLOCKED]
    place = tmp_path_factory.mktemp("browser")
    browser = chromium.browser_type.launch_persistent_context(
        place, executable_path=path, args=options
    )
    yield browser
    browser.close()


@pytest.fixture
def context(browser) -> Iterator[BrowserContext]:
    yield browser
    for page in browser.pages:
        page.close()


@pytest.fixture
def open_page(context, host) -> Callable[..., Locator]:
    """Open the first page in another tab; its place for the Qwen, in English."""

    def open_page(within: BrowserContext = context) -> Locator:
        page = within.new_page()
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(host.root)
        return page.locator("section[lang=en] [data-offer]")

    use("en")
    return open_page


def press(place: Locator, key: str) -> None:
    place.get_by_role("button", name=told(key)).click()


def says(place: Locator, key: str, **values: object) -> None:
    expect(place.get_by_role("status")).to_have_text(told(key, **values))


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


def test_it_is_fetched_and_kept_and_can_be_removed(open_page, host):
    place = open_page()
    says(place, "none")
    press(place, "do_fetch")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE
    assert host.asked == [(path, None) for path in PATHS]
    expect(place.get_by_role("progressbar")).to_be_hidden()
    press(place, "remove")
    says(place, "none")
    assert place.page.evaluate(KEPT) == {}


def test_it_goes_on_after_a_pause_and_a_reload_with_what_is_there(open_page, host):
    place = open_page()
    host.waits[PATHS[1]] = 500_000
    press(place, "do_fetch")
    says(place, "fetching")
    half_way(place)
    press(place, "do_pause")
    says(place, "paused")
    assert value(place) == PIECE
    place.page.reload()
    says(place, "paused")
    assert value(place) == PIECE
    assert place.page.evaluate(KEPT) == {"model.gguf.partial": [PIECE, HASHES[0]]}
    press(place, "do_go_on")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE
    assert [path for path, _ in host.asked] == [PATHS[0], PATHS[1], *PATHS[1:]]


def test_a_half_can_be_removed(open_page, host):
    place = open_page()
    host.lies = [PATHS[1]] * 2
    press(place, "do_fetch")
    press(place, "remove")
    says(place, "none")
    assert place.page.evaluate(KEPT) == {}


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_it_comes_from_another_host_and_over_a_line_that_breaks(open_page, host, knows_ranges):
    with Host() as mirror:
        mirror.offer()
        host.offer(f"{mirror.root}whole")
        mirror.breaks["/whole"], mirror.knows_ranges = [1_700_000], knows_ranges
        place = open_page()
        press(place, "do_fetch")
        half_way(place)
        mirror.go.set()
        says(place, "kept")
        assert place.page.evaluate(KEPT) == WHOLE
        (_, first), (_, second) = mirror.asked
        assert first is None and re.fullmatch(r"bytes=1\d{6}-", second)
        assert host.asked == []
        mirror.shutdown()


def test_a_server_that_breaks_off_before_a_byte_is_told_of(open_page, host):
    place = open_page()
    host.breaks[PATHS[1]] = [0, 0]
    press(place, "do_fetch")
    says(place, "cut", host=f"127.0.0.1:{host.server_port}")
    press(place, "do_go_on")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE


def test_a_connection_that_brings_nothing_more_is_made_anew(open_page, host):
    kind, script = host.files["/qwen-weights.js"]
    host.files["/qwen-weights.js"] = kind, script.replace(b"PATIENCE = 30_000", b"PATIENCE = 300")
    host.waits[PATHS[1]] = 500_000
    place = open_page()
    press(place, "do_fetch")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE
    assert [path for path, _ in host.asked] == [PATHS[0], PATHS[1], *PATHS[1:]]


def test_a_server_that_refuses_is_told_of(open_page, host):
    place = open_page()
    host.status = 404
    press(place, "do_fetch")
    says(place, "refused", host=f"127.0.0.1:{host.server_port}", status=404)


def test_a_piece_that_is_wrong_once_is_asked_for_again(open_page, host):
    place = open_page()
    host.lies = [PATHS[1]]
    press(place, "do_fetch")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE
    assert [path for path, _ in host.asked] == [PATHS[0], PATHS[1], *PATHS[1:]]


def test_a_piece_that_is_wrong_twice_is_told_of_and_never_kept(open_page, host):
    place = open_page()
    host.lies = [PATHS[1]] * 2
    press(place, "do_fetch")
    says(place, "tampered", host=f"127.0.0.1:{host.server_port}")
    assert place.page.evaluate(KEPT) == {"model.gguf.partial": [PIECE, HASHES[0]]}


def test_a_piece_that_a_crash_cut_is_fetched_again(open_page, host):
    place = open_page()
    host.lies = [PATHS[2]] * 2
    press(place, "do_fetch")
    says(place, "tampered", host=f"127.0.0.1:{host.server_port}")
    place.page.evaluate("""async () => {
      const place = await (await navigator.storage.getDirectory()).getDirectoryHandle("qwen");
      const file = await place.getFileHandle("model.gguf.partial");
      const writer = await file.createWritable({keepExistingData: true});
      await writer.write({type: "write", position: 1_500_000, data: new Uint8Array(9)});
      await writer.close();
    }""")
    press(place, "do_go_on")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE


@pytest.mark.parametrize("private", [False, True])
def test_too_little_room_is_told_before_anything_is_fetched(open_page, host, chromium, private):
    place = open_page(chromium.new_context()) if private else open_page()
    quota(place, 1_000_000)
    press(place, "do_fetch")
    says(place, "full", need="3")
    assert host.asked == []
    if private:
        place.page.context.close()


def test_room_that_runs_out_on_the_way_is_told_and_what_is_there_stays(open_page, host, chromium):
    # A private window counts what is written; others set the room for all of it aside before.
    private = chromium.new_context()
    place = open_page(private)
    host.waits[PATHS[1]] = 500_000
    press(place, "do_fetch")
    half_way(place)
    quota(place, 1_200_000)
    host.go.set()
    says(place, "full", need="1")
    assert place.page.evaluate(KEPT)["model.gguf.partial"][0] >= PIECE
    quota(place, 100_000_000)
    press(place, "do_go_on")
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE
    assert [path for path, _ in host.asked].count(PATHS[0]) == 1
    private.close()


def test_without_a_network_it_waits_and_goes_on_by_itself(open_page, host, context):
    place = open_page()
    host.waits[PATHS[1]] = 500_000
    press(place, "do_fetch")
    half_way(place)
    context.set_offline(True)
    says(place, "offline")
    context.set_offline(False)
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE


def test_a_page_that_is_left_on_the_way_goes_on_when_it_is_opened_again(open_page, host):
    place = open_page()
    host.waits[PATHS[1]] = 500_000
    press(place, "do_fetch")
    half_way(place)
    place.page.reload()
    says(place, "kept")
    assert place.page.evaluate(KEPT) == WHOLE
    assert [path for path, _ in host.asked] == [PATHS[0], PATHS[1], *PATHS[1:]]


def test_all_tabs_show_the_same_and_another_takes_over_from_one_that_is_closed(open_page, host):
    first, second = open_page(), open_page()
    host.waits = {PATHS[1]: 500_000, PATHS[2]: 100_000}
    press(first, "do_fetch")
    says(second, "fetching")
    third = open_page()
    says(third, "fetching")
    half_way(third)
    press(third, "do_pause")
    says(first, "paused")
    press(first, "do_go_on")
    says(second, "fetching")
    first.page.close()
    host.go.set()
    says(third, "kept")
    assert third.page.evaluate(KEPT) == WHOLE
    assert [path for path, _ in host.asked].count(PATHS[0]) == 1


def test_what_two_tabs_begin_is_fetched_once(open_page, host):
    first, second = open_page(), open_page()
    host.waits[PATHS[1]] = 500_000
    press(first, "do_fetch")
    half_way(first)
    second.page.evaluate("qwenWeights.postMessage('fetch')")
    second.page.wait_for_timeout(500)
    says(second, "fetching")
    host.go.set()
    says(second, "kept")
    assert host.asked == [(path, None) for path in PATHS]


def test_the_sites_worker_keeps_no_piece_of_it(open_page, context, host):
    page = open_page().page
    page.evaluate("navigator.serviceWorker.register('service-worker.js')")
    page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
    page.close()
    place = open_page()
    assert place.page.evaluate("!!navigator.serviceWorker.controller")
    press(place, "do_fetch")
    says(place, "kept")
    with Host() as mirror:
        mirror.offer()
        assert place.page.evaluate(f"fetch('{mirror.root}whole').then((found) => found.ok)")
        mirror.shutdown()


def test_over_plain_http_it_says_what_is_wanted(context, host):
    use("en")
    page = context.new_page()
    page.goto(host.root.replace("127.0.0.1", UNTRUSTED))
    place = page.locator("section[lang=en] [data-offer]")
    says(place, "unable")
    expect(place.get_by_role("button")).to_have_count(0)


def test_a_browser_that_could_not_use_it_is_not_offered_it(open_page, host):
    kind, script = host.files["/qwen-weights.js"]
    host.files["/qwen-weights.js"] = kind, b"delete WebAssembly.Suspending;\n" + script
    place = open_page()
    says(place, "other_browser")
    expect(place.get_by_role("button")).to_have_count(0)


def test_it_is_used_by_keyboard_and_read_aloud(open_page, host):
    place = open_page()
    expect(place.get_by_role("group", name=told("name"))).to_be_visible()
    place.get_by_role("button").focus()
    host.waits[PATHS[1]] = 500_000
    place.page.keyboard.press("Enter")
    bar = place.get_by_role("progressbar", name=told("name"))
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^\d of 3 MB"))
    host.go.set()
    says(place, "kept")
    # The button under the focus is gone: the focus stays at its place.
    assert place.page.evaluate("document.activeElement.role") == "group"
    use("zh")
    other = place.page.locator("section[lang=zh] [data-offer]")
    says(other, "kept")
    expect(other.get_by_role("button", name=told("remove"))).to_be_visible()


def test_the_file_of_another_model_does_not_go_into_a_site(tmp_path):
    path = tmp_path / "other.gguf"
    path.write_bytes(FILE)
    with pytest.raises(LabError, match="isn't the official"):
        next(weights.pieces(path))


def test_only_an_address_of_the_web_is_taken():
    with pytest.raises(LabError, match="no address"):
        weights.files("my_site")


@pytest.mark.model
def test_the_pieces_on_the_list_are_those_of_the_official_file():
    whole, size, names = hashlib.sha256(), 0, []
    # Each is held against its own hash on the way.
    for name, piece in weights.pieces(official.fetch()):
        whole.update(piece)
        size += len(piece)
        names.append(name)
    assert (whole.hexdigest(), size) == (official.SHA256, official.SIZE)
    assert len({*names}) == len(names) == len(weights.TABLE["sha256"])


@pytest.mark.model
def test_the_qwen_itself_is_fetched_whole(open_page, host, request):
    if not request.config.getoption("--whole-page"):
        pytest.skip("--whole-page runs it")
    host.files["/qwen-weights.js"] = "text/javascript", weights.files("")["qwen-weights.js"]
    found = weights.pieces(official.fetch())
    host.weights = {f"/{name}": piece for name, piece in found}
    place = open_page()
    place.get_by_role("button", name=told("do_fetch", size="491")).click()
    expect(place.get_by_role("status")).to_have_text(told("kept", size="491"), timeout=PATIENCE)
    assert place.page.evaluate(KEPT) == {official.FILENAME: [official.SIZE, official.SHA256]}
