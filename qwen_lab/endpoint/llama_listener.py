"""The engine's own listener, which offers what the binding does not and cannot be switched off."""

import http.client
import json
import os
import re
import secrets
import shutil
import socket
import tempfile
import weakref
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from .llama_chunks import refused
from .llama_threads import LIMIT

UNIX, NAME = "unix://", "engine.sock"
# A folder of sockets has the number of its process in its name.
FOLDER = re.compile(r"qwen-lab-(\d{1,9})-\w+")


class Listener:
    """Where an engine listens, behind a key that nobody knows.

    `host` is a socket in a folder of its owner's, which no browser reaches: within `place`, or
    where that takes none, among the temporary files. Where there can be none at all, as on Windows,
    it is loopback: there a page can learn that it is here.
    """

    def __init__(self, place: Path | None = None) -> None:
        self.key = secrets.token_urlsafe(32)
        self.host, self.address = "127.0.0.1", ""
        if hasattr(socket, "AF_UNIX") and (folder := _folder(place)):
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self.host = str(folder / NAME)

    def ask(self, path: str, body: dict | None) -> bytes:
        """The answer to a POST of the body, or to a GET without one; raises what is refused."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with closing(self._connection()) as connection:
            connection.request("POST" if body else "GET", path, json.dumps(body), headers)
            response = connection.getresponse()
            answer = response.read()
        if response.status != 200:
            raise refused(json.loads(answer)["error"])
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        if not self.address.startswith(UNIX):
            return http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=LIMIT)
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(LIMIT)
        connection.sock.connect(self.host)
        return connection


def _folder(place: Path | None) -> Path | None:
    """A new folder that can hold a socket; first those go that a killed server left."""
    for parent in filter(None, (place, Path(tempfile.gettempdir()))):
        with suppress(OSError):
            _sweep(parent)
            folder = Path(tempfile.mkdtemp(prefix=f"qwen-lab-{os.getpid()}-", dir=parent))
            try:
                with socket.socket(socket.AF_UNIX) as trial:
                    trial.bind(str(folder / NAME))
                (folder / NAME).unlink()
                return folder
            # The address is too long, or the disk of a kind that knows no sockets.
            except OSError:
                shutil.rmtree(folder)
    return None


def _sweep(parent: Path) -> None:
    for folder in parent.iterdir():
        found = FOLDER.fullmatch(folder.name)
        if found and not _lives(int(found[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        # One that was killed is there until its parent takes note.
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
