"""A hub on a computer of its own: its users, homes and root's home are its alone and end with it.

By namespaces of Linux, as root; so neither does a test leave a user behind, nor does it matter
where the lab and its Python lie.
"""

import csv
import json
import os
import re
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import psutil
import websocket

from qwen_lab.paths import ROOT

HOME = "/home/.qwen-lab"
# What the command says, where it opens on loopback.
LINES = 5
RUN = (
    "import sys; from qwen_lab.setup import commands; from qwen_lab.setup.arguments import read\n"
    "commands.class_(read(['class', '--hub', *sys.argv[1:]]))"
)
OWN = """
mount -t tmpfs none {scratch}
cp -a /etc {scratch}/etc && mount --bind {scratch}/etc /etc
mount -t tmpfs -o mode=755 none /home
"""


class Computer:
    """The computer, from outside: the hub's process, its address and what it has said."""

    def __init__(self, process: subprocess.Popen, trusted: str | None) -> None:
        self.process, self.trust = process, ssl.create_default_context(cafile=trusted)
        self.clients: list[Learner | httpx2.Client] = []
        self.said = [process.stdout.readline() for _ in range(LINES)]
        assert self.said[-1], process.stderr.read()
        self.url = re.search(r"https?://[\w.:]+", "".join(self.said))[0]

    @property
    def first(self) -> psutil.Process:
        """The process of the command."""
        return psutil.Process(self.process.pid).children()[0]

    @property
    def disk(self) -> int:
        """An open file by which `hub` and `command` find what lies here, once it is off."""
        return os.open(f"/proc/{self.first.pid}/ns/mnt", os.O_RDONLY)

    def path(self, path: str) -> Path:
        """Where a path of this computer's lies from outside."""
        return Path(f"/proc/{self.first.pid}/root{path}")

    def running(self, words: str) -> list[psutil.Process]:
        """The processes in whose command line these words stand."""
        every = self.first.children(recursive=True)
        alive = (each for each in every if each.status() != psutil.STATUS_ZOMBIE)
        return [each for each in alive if words in " ".join(each.cmdline())]

    @property
    def codes(self) -> dict[str, str]:
        with self.path(f"{HOME}/hub/seats.csv").open(encoding="utf-8", newline="") as file:
            return dict(csv.reader(file))

    @property
    def accounts(self) -> dict[str, str]:
        return json.loads(self.path(f"{HOME}/hub/accounts.json").read_text(encoding="utf-8"))

    def log_in(self, name: str, password: str | None = None) -> "Learner":
        """A learner in a browser of their own, with the password of the sheet if no other."""
        learner = Learner(self.url, self.trust, name, password or self.codes[name])
        self.clients.append(learner)
        return learner


class Learner:
    """Who has logged in: their account, what the hub shows them, and a token of theirs."""

    def __init__(self, url: str, trust: ssl.SSLContext, name: str, password: str) -> None:
        self._how, self.kernel = {"verify": trust, "trust_env": False}, None
        self.http = httpx2.Client(base_url=url, timeout=300, **self._how)
        self.http.get("/hub/login")
        form = {"username": name, "password": password, "_xsrf": self._xsrf}
        self.page = self.http.post("/hub/login", data=form)
        self.account = self.http.get("/hub/api/user").json().get("name")

    @property
    def _xsrf(self) -> str:
        return next(each.value for each in self.http.cookies.jar if each.name == "_xsrf")

    def token(self, *scopes: str) -> dict:
        """A new token of the learner's, with all that they may do or with these scopes."""
        asked = {"scopes": [*scopes]} if scopes else {}
        return self.api("POST", "tokens", json=asked).json()

    def api(self, method: str, path: str, **content: object) -> httpx2.Response:
        url = f"/hub/api/users/{self.account}/{path}".rstrip("/")
        answer = self.http.request(method, url, headers={"X-XSRFToken": self._xsrf}, **content)
        return answer.raise_for_status()

    def start(self) -> "Kernel":
        """A kernel on the learner's own server, which is started, and ready when this returns."""
        self.api("POST", "server")
        while not self.api("GET", "").json()["servers"].get("", {}).get("ready"):
            time.sleep(0.5)
        url = str(self.http.base_url).rstrip("/")
        self.kernel = Kernel(url, self._how, self.account, self.token()["token"])
        return self.kernel

    def close(self) -> None:
        self.http.close()
        if self.kernel:
            self.kernel.http.close()


class Kernel:
    """A kernel of a learner's, driven as JupyterLab drives it: by way of the hub's proxy."""

    def __init__(self, url: str, how: dict, account: str, token: str) -> None:
        self.account, self._trust = account, how["verify"]
        base, self._headers = f"{url}/user/{account}/api", {"Authorization": f"token {token}"}
        self.http = httpx2.Client(base_url=base, headers=self._headers, timeout=60, **how)
        made = self.http.post("/kernels").raise_for_status().json()
        self._channels = f"{base.replace('http', 'ws', 1)}/kernels/{made['id']}/channels"

    def run(self, code: str) -> list[tuple[float, str]]:
        """What a cell prints, and when; raises `AssertionError` with its traceback."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
        header |= {"session": "s", "username": ""}
        asked = {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell"}
        # Each time anew: who reads nothing for a while is cut off.
        how = {"header": self._headers, "timeout": 300, "sslopt": {"context": self._trust}}
        socket = websocket.create_connection(self._channels, **how)
        with closing(socket):
            socket.send(json.dumps(asked | {"content": {"code": code}}))
            return [*self._printed(socket, header["msg_id"])]

    def _printed(self, socket: websocket.WebSocket, asked: str) -> Iterator[tuple[float, str]]:
        while True:
            message = json.loads(socket.recv())
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != asked:
                continue
            assert kind != "error", "\n".join(content["traceback"])
            if kind == "stream":
                yield time.monotonic(), content["text"]
            if kind == "status" and content["execution_state"] == "idle":
                return


@contextmanager
def hub(
    scratch: Path,
    *arguments: str,
    needed: tuple[Path, ...] = (),
    disk: int | None = None,
    trusted: str | None = None,
) -> Iterator[Computer]:
    """`qwen-lab class --hub` with these arguments, until the test has ended.

    With `disk`, on the computer whose that is. Its learners trust a certificate of their own.
    """
    script = ["set -e", OWN.format(scratch=scratch), *_opened(scratch, *needed)]
    script = "\n".join([*([] if disk else script), 'exec "$@"'])
    # However the tests end, all of it ends with them.
    own = "setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc"
    command = [*_on(disk), *own.split(), "sh", "-c", script, "sh", *_said(arguments)]
    around = os.environ | {"QWEN_LAB_HOME": HOME}
    with subprocess.Popen(
        command,
        env=around,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        pass_fds=[disk] if disk else [],
    ) as process:
        try:
            yield (computer := Computer(process, trusted))
            for each in computer.clients:
                each.close()
        finally:
            process.kill()


def command(disk: int, *arguments: str) -> str:
    """What `qwen-lab class --hub` with these arguments says on a computer, and then ends."""
    around = os.environ | {"QWEN_LAB_HOME": HOME}
    command = [*_on(disk), *_said(arguments)]
    return subprocess.check_output(command, env=around, pass_fds=[disk], encoding="utf-8")


def _on(disk: int | None) -> list[str]:
    return ["nsenter", f"--mount=/proc/self/fd/{disk}"] if disk else []


def _said(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-c", RUN, *arguments]


def _opened(scratch: Path, *needed: Path) -> Iterator[str]:
    """Lines that let everybody come to what they need, wherever it lies."""
    closed = {}
    for path in {ROOT, Path(sys.prefix), Path(sys.base_prefix), *needed}:
        if shut := [each for each in path.parents if not each.stat().st_mode & 1]:
            closed.setdefault(shut[-1], []).append(path)
    for number, (folder, paths) in enumerate(closed.items()):
        for at, path in enumerate(paths):
            stash = f"{scratch}/{number}-{at}"
            yield f"mkdir -p {stash}; mount --bind {path} {stash}"
        yield f"mount -t tmpfs -o mode=755 none {folder}"
        for at, path in enumerate(paths):
            yield f"mkdir -p {path}; mount --bind {scratch}/{number}-{at} {path}"
