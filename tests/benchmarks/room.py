"""A class that the real command has opened, and who asks there. Not a benchmark itself.

Who asks does so from a process of its own that yields to all others, and with as little as will do,
so that what is measured is the class.
"""

import asyncio
import csv
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import urlsplit

from server import HTTP

# The command, without what it does first to set the lab up.
CLASS = (
    "import sys; from qwen_lab.setup import arguments, commands\n"
    "commands.class_(arguments.read(['class', *sys.argv[1:]]))"
)
SEATS = 30


class Answer(NamedTuple):
    """What a call came to: seconds to the first of it and to its end, and all that came."""

    status: int
    first: float
    whole: float
    content: bytes

    @property
    def usage(self) -> dict:
        """What the answer says that it took."""
        return json.loads(re.findall(rb'"usage": ?({.+?}})', self.content)[-1])


@contextmanager
def opened(*options: str, seats: int = SEATS, home: str | None = None) -> Iterator[SimpleNamespace]:
    """A class in a process of its own; each of its `seats` is a server as a learner knows it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        home = home or scratch
        names = [f"learner {number}" for number in range(seats)]
        with held([sys.executable, "-c", CLASS, *names, *options], home) as room:
            yield room


@contextmanager
def held(command: list[str], home: str) -> Iterator[SimpleNamespace]:
    """The class that a command holds in this home; it is killed in the end."""
    environment, began = os.environ | {"QWEN_LAB_HOME": home}, time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            said = [process.stdout.readline() for _ in range(3)]
            url = re.search(r"http\S+", "".join(said))[0]
            took = time.perf_counter() - began
            yield SimpleNamespace(
                pid=process.pid, home=Path(home), took=took, base_url=url, seats=_seats(home, url)
            )
        finally:
            process.kill()


def _seats(home: str, url: str) -> list[SimpleNamespace]:
    with (Path(home) / "class" / "seats.csv").open(encoding="utf-8", newline="") as file:
        codes = dict(csv.reader(file)).values()
    port = urlsplit(url).port
    return [
        SimpleNamespace(base_url=url, port=port, token=code, model="qwen-plus") for code in codes
    ]


def apart(work: Callable, *arguments: object) -> object:
    """What a coroutine function gives, in a process of its own that yields to all others."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as pool:
        return pool.submit(_niced, work, *arguments).result()


def _niced(work: Callable, *arguments: object) -> object:
    if os.name == "posix":
        os.nice(10)
    return asyncio.run(work(*arguments))


async def for_a_while(works: Iterable[Coroutine], seconds: float) -> None:
    """Let them run for so long; raises what one of them has raised."""
    tasks = [asyncio.create_task(work) for work in works]
    done, pending = await asyncio.wait(tasks, timeout=seconds)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


async def asked(call: dict) -> Answer:
    """The answer to a call, in the words of `server.request`."""
    began, parts, first = time.perf_counter(), [], 0.0
    async for part in parts_of(call):
        first = first or time.perf_counter() - began
        parts.append(part)
    content = b"".join(parts)
    return Answer(int(content[9:12]), first, time.perf_counter() - began, content)


async def parts_of(call: dict) -> AsyncIterator[bytes]:
    """What comes back, as it comes, from the head on."""
    url, body = urlsplit(call["url"]), json.dumps(call["json"]).encode()
    # In this version the answer ends with its connection, and nothing is put between its lines.
    head = [f"POST {url.path} HTTP/1.0", f"Host: {url.hostname}", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in call["headers"].items()]
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        while part := await reader.read(1 << 16):
            yield part
    finally:
        writer.close()


@contextmanager
def watched(port: int) -> Iterator[list[float]]:
    """The milliseconds that `/health` takes, asked again and again as long as the block runs."""
    waits, enough = [], threading.Event()

    def watch() -> None:
        while not enough.wait(0.02):
            began = time.perf_counter()
            HTTP.get(f"http://127.0.0.1:{port}/health").raise_for_status()
            waits.append(1000 * (time.perf_counter() - began))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield waits
    finally:
        enough.set()
        watching.join()


def share(samples: list[float], percent: int) -> float:
    """The value below which so many per cent of the samples lie."""
    return statistics.quantiles(samples, n=100, method="inclusive")[percent - 1]
