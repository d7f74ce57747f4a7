"""The Qwen in the page: how fast it loads, begins and writes, and what memory its tab takes.

In a browser that has the weights, a lesson is opened and connected, which loads the model; then it
is asked questions that it never met, and writes up to 40 tokens each. What all prompts begin with
is in the cache from the second question on; then each is asked again, and is there whole. One core
is left to the page: with two cores it has one thread. Beside it the engine on this machine, asked
the same, where a seed has each prompt read afresh. Goal, on a quiet machine with two cores: ≥ 3
tokens/s, and target 4.

The tab's memory is its share (PSS) of all that the tab's process and its workers have; at most it
is what was resident while the model loaded, which counts Chromium's own program in.
"""

import asyncio
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
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
OPTIONS = ["--no-sandbox", "--disable-background-networking"]
TIMED = """
def timed(text, **options):
    began, moments = time.perf_counter(), []
    for chunk in ask(text, stream=True, stream_options={"include_usage": True}, **options):
        if chunk.choices and chunk.choices[0].delta.content:
            moments.append(time.perf_counter() - began)
    return [moments[0], moments[-1], chunk.usage.completion_tokens]
"""


def rows() -> Iterator[Row]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        sys.exit("This benchmark needs Chromium, and there is none on this machine.")
    folder = Path(tempfile.mkdtemp())
    Host.more = qwen.files()
    try:
        site.build(folder / "site")
        handler = partial(Host, directory=folder / "site")
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as play:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            # As a learner's, it keeps files on the disk; a private one has them in its memory.
            browser = play.chromium.launch_persistent_context(
                folder / "browser", executable_path=path, args=OPTIONS
            )
            yield from _in_the_page(Visit(browser, f"http://127.0.0.1:{server.server_port}/"))
            browser.close()
            server.shutdown()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    yield from _elsewhere()


def _in_the_page(visit: Visit) -> Iterator[Row]:
    begun = Begun(visit)
    yield Row("in the page: loaded and connected", [begun.shown("took")], "s")
    run(begun.page, TIMED)

    def ask(text: str, options: str) -> list[float]:
        return begun.shown(f"timed({text!r}, {options})")

    yield from _figures("in the page", ask, f"max_tokens={MOST}, seed=1", "max_tokens=2, seed=1")
    tab = max(map(_share, _tabs()))
    yield Row("memory of the tab: its share, after all this", [tab / 1e6], "MB")
    yield Row("memory of the tab: resident at most", [max(map(_most, _tabs())) / 1e6], "MB")


def _tabs() -> list[psutil.Process]:
    chromium = psutil.Process().children(recursive=True)
    return [each for each in chromium if "--type=renderer" in each.cmdline()]


def _share(tab: psutil.Process) -> int:
    return tab.memory_full_info().pss


def _most(tab: psutil.Process) -> int:
    status = Path(f"/proc/{tab.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def _elsewhere() -> Iterator[Row]:
    path = weights.fetch()
    began = time.perf_counter()
    engine = LlamaEngine(path, weights.model_id(path))
    yield Row("beside it, native: loaded", [time.perf_counter() - began], "s")

    def ask(text: str, options: tuple[int, bool]) -> list[float]:
        return asyncio.run(_timed(engine, text, *options))

    yield from _figures("beside it, native", ask, (MOST, True), (2, False))


async def _timed(engine: LlamaEngine, text: str, most: int, alone: bool) -> list[float]:
    talk = [{"role": "user", "content": text}]
    asked = {"model": engine.model, "messages": talk, "temperature": 0, "max_tokens": most}
    began, moments = time.perf_counter(), []
    async for event in engine.generate(checked_request(asked, engine.model), 1, alone):
        if isinstance(event, End):
            return [moments[0], moments[-1], event.completion_tokens]
        if not isinstance(event, Prompt):
            moments.append(time.perf_counter() - began)
    raise RuntimeError("no end")


def _figures(where: str, ask: Callable, afresh: object, again: object) -> Iterator[Row]:
    found = [ask(text, afresh) for text in QUESTIONS]
    speeds = [(count - 1) / (last - first) for first, last, count in found]
    goal = "≥ 3" if where == "in the page" else ""
    yield Row(f"{where}: speed after the first token", speeds, "tokens/s", goal)
    yield Row(f"{where}: first token, the first question", [found[0][0]], "s")
    yield Row(f"{where}: first token, a new question", [first for first, *_ in found[1:]], "s")
    cached = [[ask(text, again) for _ in range(2)][-1][0] for text in QUESTIONS]
    yield Row(f"{where}: first token, a question asked again", cached, "s")


if __name__ == "__main__":
    show(rows())
