"""JupyterLab, opened on the learner's copy of the first lesson with nothing in front of it.

It listens on loopback only. Its token travels in the environment, which other users cannot read,
and not on the command line, which they can.
"""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

from ..course import lessons
from ..words import LabError, language, say

# What is the same for everyone: loopback, quiet log, no news pop-up, no question on Ctrl-C.
CONFIG = Path(__file__).parent / "jupyter_config"


def run(folder: Path, *, browser: bool = True) -> None:
    """Run JupyterLab on the copies in `folder` until the learner ends it with Ctrl-C.

    Prints the address once it answers. `LabError` if there is no JupyterLab, or if it ends before
    that.
    """
    if not find_spec("jupyterlab"):
        raise LabError("commands.no_jupyterlab", path=folder, python=sys.executable)
    page = f"lab/tree/{language()}/{lessons.first(language())}"
    asked = command(folder, page, browser=browser)
    # Nothing is ever written to it: when it ends, with this process at the latest, JupyterLab does.
    with subprocess.Popen(asked, env=environment(), stdin=subprocess.PIPE) as server:
        # Who ends this process (a container, a classroom's script) means JupyterLab with it.
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        try:
            words = "commands.lessons_open" if browser else "commands.lessons_ready"
            print(say(words, address=_address(server, page)), flush=True)
            server.wait()
        except KeyboardInterrupt:
            # The terminal sends Ctrl-C to JupyterLab too, which then shuts its kernels down.
            print()


def main() -> None:
    """Be JupyterLab, until it is told to end or its input does: however its starter may end."""
    # Without a terminal to ask in, it would leave at once, and its kernels to themselves.
    signal.signal(signal.SIGINT, lambda *_: signal.raise_signal(signal.SIGTERM))
    threading.Thread(target=_end_with_input, daemon=True).start()
    from jupyterlab.labapp import main

    sys.exit(main())


def _end_with_input() -> None:
    # Not by `sys.stdin`, whose lock would be in the way of an orderly end.
    os.read(0, 1)
    signal.raise_signal(signal.SIGTERM)


def command(folder: Path, page: str, *, browser: bool) -> list[str]:
    """The command line that starts JupyterLab at `page`, with `folder` as all that it shows."""
    # Layouts of other projects would come back here, and ask for files that are not here.
    layouts = folder / ".jupyter" / "workspaces"
    options = [
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/{page}",
        f"--LabApp.workspaces_dir={layouts}",
    ]
    if not browser:
        options.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    lab = "from qwen_lab.setup import jupyter; jupyter.main()"
    return [sys.executable, "-c", lab, *options]


def environment() -> dict[str, str]:
    """The variables that JupyterLab and its kernels start with."""
    others = os.environ.get("JUPYTER_CONFIG_PATH")
    return {
        **os.environ,
        "JUPYTER_CONFIG_PATH": os.pathsep.join([str(CONFIG), *([others] if others else [])]),
        # This Python's own kernel, not one of that name that the user once installed.
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_TOKEN": secrets.token_urlsafe(24),
        "QWEN_LAB_LANG": language(),
    }


def _address(server: subprocess.Popen, page: str) -> str:
    """Wait until the server has a port, which is the next free one if its usual one is taken."""
    from jupyter_server.serverapp import list_running_servers

    while server.poll() is None:
        for running in list_running_servers():
            if running["pid"] in _family(server):
                return f"{running['url']}{page}?token={running['token']}"
        time.sleep(0.1)
    raise LabError("commands.jupyter_ended", code=server.returncode)


def _family(server: subprocess.Popen) -> set[int]:
    import psutil

    # On Windows a venv's python.exe is a launcher, and the server its child.
    children = psutil.Process(server.pid).children(recursive=True)
    return {server.pid, *(child.pid for child in children)}
