"""A hub of 30 seats on this computer: opened by one command, all its servers started at once.

The command, the real JupyterHub and proxy, Unix users and the local Qwen, on a computer of their
own (`tests/campus.py`), as root. Half of the seats log in at once, the others one every two
seconds. Goals: opened in ≤ 60 s, with the model there; all ready ≤ 150 s after the first began,
none failed; ≤ 300 MB a seat after lesson 01's first calls, its kernel included (what processes
share is counted once, by PSS).
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from table import Row, show

from qwen_lab import paths

# As on a learner's screen: the first cells of lesson 01.
LESSON = """
import qwen_lab
from openai import OpenAI
lab = qwen_lab.connect()
client = OpenAI(base_url=lab.base_url, api_key=lab.api_key)
messages = [{"role": "user", "content": "Who are you?"}]
completion = client.chat.completions.create(model=lab.model, messages=messages)
panel = qwen_lab.anatomy(completion), qwen_lab.panel(lab)
"""
SEATS = int(sys.argv[1]) if len(sys.argv) > 1 else 30


def rows() -> Iterator[Row]:
    sys.path.insert(0, str(paths.ROOT))
    from tests import campus

    scratch = Path(tempfile.mkdtemp(dir="/var/tmp"))
    names = [f"learner {number}" for number in range(SEATS)]
    began = time.monotonic()
    try:
        with campus.hub(
            scratch, *names, "--make-users", "--port", "8123", needed=(paths.cache(),)
        ) as computer:
            yield Row("a hub, from the command to its address", [since(began)], "s", "≤ 60")
            yield from _started(computer, names)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _started(computer, names: list[str]) -> Iterator[Row]:
    began, codes = time.monotonic(), computer.codes

    def start(number: int) -> float:
        time.sleep(max(0, number - SEATS // 2) * 2)
        learner = computer.log_in(names[number], codes[names[number]])
        learner.start()
        return since(began)

    with ThreadPoolExecutor(SEATS) as pool:
        ready = [*pool.map(start, range(SEATS))]
    yield Row(f"{SEATS} servers ready, after the first began", ready, "s", "maximum ≤ 150")
    began = time.monotonic()
    with ThreadPoolExecutor(SEATS) as pool:
        list(pool.map(lambda each: each.kernel.run(LESSON), computer.clients))
    yield Row(f"{SEATS} × the first call of lesson 01, all done", [since(began)], "s")
    seats = [_memory(each) for each in computer.running("singleuser")]
    yield Row(f"memory a seat, with its kernel, over {len(seats)}", seats, "MB", "maximum ≤ 300")
    others = [("jupyterhub --config", "the hub"), ("configurable-http-proxy", "its proxy")]
    for words, name in [*others, ("classroom.service", "the Qwen")]:
        yield Row(f"memory of {name}", [_pss(computer.running(words)[0])], "MB")


def _memory(server: psutil.Process) -> float:
    return sum(map(_pss, [server, *server.children(recursive=True)]))


def _pss(process: psutil.Process) -> float:
    return process.memory_full_info().pss / 1e6


def since(began: float) -> float:
    return time.monotonic() - began


if __name__ == "__main__":
    show(rows())
