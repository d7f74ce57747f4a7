"""The page's service worker: what it keeps of a site, and of the site that comes after it."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from qwen_lab.page import site

pytestmark = pytest.mark.browser
PAGE = b"""<script>navigator.serviceWorker.register("service-worker.js")</script>"""
# As soon as a site is opened: the tests' has no lesson that would come first.
LATER, AT_ONCE = b"20_000", b"0"
KEPT = """async () => {
  const found = {};
  for (const name of await caches.keys())
    found[name] = await (await (await caches.open(name)).match("/script.js"))?.text();
  return Object.values(found);
}"""


class Host(BaseHTTPRequestHandler):
    """A host that has browsers keep each file for an hour, as many do."""

    files: dict[str, bytes] = {}

    def log_message(self, *_):
        pass

    def do_GET(self) -> None:
        name = self.path.lstrip("/") or "index.html"
        self.send_response(200 if name in self.files else 404)
        self.send_header("Content-Type", "text/html" if name.endswith("l") else "text/javascript")
        self.send_header("Cache-Control", "max-age=3600")
        self.end_headers()
        self.wfile.write(self.files.get(name, b""))


def version(script: bytes) -> dict[str, bytes]:
    files = {"index.html": PAGE, "script.js": script, "jupyterlite-worker.js": b""}
    return files | {"service-worker.js": site._worker(files).replace(LATER, AT_ONCE)}


def test_a_renewed_site_is_kept_anew_though_the_browser_has_the_old_one_still(chromium):
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = chromium.new_context()
        for script in (b"'old'", b"'new'"):
            Host.files = version(script)
            # The worker of the site as it is now takes over once no page of it is open.
            for _ in range(3):
                page = context.new_page()
                page.goto(f"http://127.0.0.1:{server.server_port}/")
                page.evaluate("navigator.serviceWorker.ready.then((found) => found.update())")
                page.evaluate("fetch('/script.js').then((answer) => answer.text())")
                page.wait_for_timeout(500)
                kept = page.evaluate(KEPT)
                page.close()
            assert kept == [script.decode()]
        context.close()
        server.shutdown()
