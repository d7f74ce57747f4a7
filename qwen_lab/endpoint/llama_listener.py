"""The engine's own listener, which offers what the binding does not and cannot be switched off."""

import http.client
import json
import os
import secrets
import shutil
import socket
import tempfile
import weakref
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from .llama_chunks import refused
from .llama_threads import LIMIT

# What fits in the address of a socket on every system.
LONGEST = 100
UNIX = "unix://"


class Listener:
    """Where an engine listens, behind a key that nobody knows.

    `host` is a socket in a folder of its owner's, which no browser reaches. Where there can be
    none (on Windows, under a long path) it is loopback: there a page can learn that it is here.
    """

    def __init__(self) -> None:
        self.key = secrets.token_urlsafe(32)
        self.host, self.address = "127.0.0.1", ""
        if hasattr(socket, "AF_UNIX"):
            folder = Path(tempfile.mkdtemp(prefix="qwen-lab-"))
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            if len(os.fsencode(folder)) < LONGEST - len("/engine.sock"):
                self.host = str(folder / "engine.sock")

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
