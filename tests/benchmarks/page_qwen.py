"""The Qwen in the page: how fast it loads, begins and writes, and what memory its tab takes.

In a browser that has the weights, a lesson is opened and connected, which loads the model; then it
is asked questions that it never met, and writes up to 40 tokens each. Beside it the engine on this
machine, asked the same. Goal, with one thread on a quiet machine with two cores: ≥ 3 tokens/s, and
target 4; `threads` as an argument shows the site as one that may use several (COOP and COEP).
"""

import asyncio
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright
from table import Row, show

from qwen_lab import paths
from qwen_lab.endpoint.engine import End, Prompt
from qwen_lab.endpoint.llama import LlamaEngine
from qwen_lab.endpoint.rules import checked_request
from qwen_lab.endpoint.weights import weights
from qwen_lab.page import qwen, site

sys.path.insert(0, str(paths.ROOT))
from tests.page.conftest import Begun, Host, Visit, run

QUESTIONS = [
    "Describe the sea.",
    "What does a baker do?",
    "为什么天空是蓝色的？",
    "Tell me a joke.",
]
MOST = 40
TIMED = """
def timed(text, most):
    began, moments = time.perf_counter(), []
    for chunk in ask(text, max_tokens=most, stream=True, stream_options={"include_usage": True}):
        if chunk.choices and chunk.choices[0].delta.content:
            moments.append(time.perf_counter() - began)
    return [moments[0], moments[-1], chunk.usage.completion_tokens]
"""


class Isolated(Host):
    """A host whose pages may use several threads."""

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()


def rows(host: type[Host]) -> Iterator[Row]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        sys.exit("This benchmark needs Chromium, and there is none on this machine.")
    folder = Path(tempfile.mkdtemp())
    host.more = qwen.files()
    try:
        site.build(folder / "site")
        handler = partial(host, directory=folder / "site")
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as play:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            options = ["--no-sandbox", "--disable-background-networking"]
            browser = play.chromium.launch(executable_path=path, args=options)
            visit = Visit(browser.new_context(), f"http://127.0.0.1:{server.server_port}/")
            yield from _in_the_page(visit)
            browser.close()
            server.shutdown()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    yield from _elsewhere()


def _in_the_page(visit: Visit) -> Iterator[Row]:
    begun = Begun(visit)
    yield Row("in the page: loaded and connected", [begun.shown("took")], "s")
    run(begun.page, TIMED)
    found = [begun.shown(f"timed({text!r}, {MOST})") for text in QUESTIONS]
    yield from _figures("in the page", found)
    chromium = psutil.Process().children(recursive=True)
    tabs = [each for each in chromium if "--type=renderer" in each.cmdline()]
    yield Row("memory of the tab", [max(each.memory_info().rss for each in tabs) / 1e6], "MB")


def _elsewhere() -> Iterator[Row]:
    path = weights.fetch()
    began = time.perf_counter()
    engine = LlamaEngine(path, weights.model_id(path))
    loaded = time.perf_counter() - began
    found = [asyncio.run(_timed(engine, text)) for text in QUESTIONS]
    yield from _figures("beside it, native", found)
    yield Row("native: loaded", [loaded], "s")


async def _timed(engine: LlamaEngine, text: str) -> list[float]:
    talk = [{"role": "user", "content": text}]
    asked = {"model": engine.model, "messages": talk, "temperature": 0, "max_tokens": MOST}
    began, moments = time.perf_counter(), []
    async for event in engine.generate(checked_request(asked, engine.model), 1, alone=True):
        if isinstance(event, End):
            return [moments[0], moments[-1], event.completion_tokens]
        if not isinstance(event, Prompt):
            moments.append(time.perf_counter() - began)
    raise RuntimeError("no end")


def _figures(where: str, found: list[list[float]]) -> Iterator[Row]:
    speeds = [(count - 1) / (last - first) for first, last, count in found]
    goal = "≥ 3" if where == "in the page" else ""
    yield Row(f"{where}: speed after the first token", speeds, "tokens/s", goal)
    yield Row(f"{where}: first token", [first for first, _, _ in found], "s")


if __name__ == "__main__":
    show(rows(Isolated if "threads" in sys.argv else Host))
