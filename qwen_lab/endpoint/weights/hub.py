"""The model file from the Hugging Face hub, or from the mirror of it that `HF_ENDPOINT` names.

`huggingface_hub` brings the address and the HTTP client (proxies, `HF_HUB_OFFLINE`). Its
`hf_hub_download` is not used: it asks an unreachable hub for minutes before it gives up, and
begins again at byte 0 after an interrupt.
"""

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import httpx2
from huggingface_hub import get_session, hf_hub_url
from huggingface_hub.errors import OfflineModeIsEnabled
from tqdm import tqdm

from ...network import why, within
from ...words import say
from .pace import Pace

# Seconds for the hub to send its first bytes; behind a closed network nobody would wait longer.
PATIENCE = 15


def fill(partial: Path, repository: str, filename: str, size: int, patient: bool = False) -> None:
    """Append the missing rest of a file to `partial`, with a progress bar on stderr.

    A broken connection is taken up again as long as each brings something. `OSError` says why
    it stopped, `SlowError` that it is too slow, which `patient` bears; what has arrived stays.
    """
    url = hf_hub_url(repository, filename, endpoint=os.environ.get("HF_ENDPOINT") or None)
    try:
        fill_from(url, get_session, partial, size, patient)
    except OfflineModeIsEnabled as error:
        raise OSError(say("weights.offline")) from error


def fill_from(
    url: str, client: Callable[[], httpx2.Client], partial: Path, size: int, patient: bool
) -> None:
    """`fill` from this address."""
    try:
        source, pace = functools.partial(_stream, client(), url), None if patient else Pace()
        within(PATIENCE, functools.partial(_probe, source, size))
        with partial.open("ab") as file, progress_bar(size, file.tell()) as bar:
            while file.tell() < size:
                _append(source, file, bar, pace)
            file.flush()
            os.fsync(file.fileno())
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise OSError(say("weights.silent", seconds=PATIENCE)) from error
    # The last two come from a proxy that the client cannot go through.
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, ImportError) as error:
        raise OSError(why(error, url)) from error


def progress_bar(size: int, done: int) -> tqdm:
    """How far a fetch is, on stderr."""
    return tqdm(total=size, initial=done, unit="B", unit_scale=True, desc="Qwen")


def _probe(source: Callable, size: int) -> None:
    """Read four bytes: the redirect leads to the store that must give the rest as well."""
    with source("bytes=0-3") as answer:
        whole = answer.headers.get("Content-Range", "").endswith(f"/{size}")
        if answer.read() != b"GGUF" or not whole:
            raise OSError(say("weights.other_file"))


def _append(source: Callable, file: BinaryIO, bar: tqdm, pace: Pace | None) -> None:
    start = file.tell()
    try:
        with source(f"bytes={start}-") as answer:
            for chunk in answer.iter_raw():
                file.write(chunk)
                bar.update(len(chunk))
                if pace:
                    pace.add(len(chunk))
            if file.tell() == start:
                raise httpx2.ReadError("empty answer")
    except httpx2.TransportError:
        if file.tell() == start:
            raise


@contextmanager
def _stream(client: httpx2.Client, url: str, span: str) -> Iterator[httpx2.Response]:
    # No token: the file is public, and HF_ENDPOINT may name someone else's server.
    headers = {"Accept-Encoding": "identity", "Range": span}
    with client.stream("GET", url, headers=headers, timeout=PATIENCE) as answer:
        if answer.status_code != 206:
            raise OSError(f"HTTP {answer.status_code}")
        yield answer
