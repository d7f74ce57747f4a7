"""A text without what is the learner's own: keys, passwords, names, the workspace, home."""

import getpass
import os
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .. import keys

# A workspace's ID, which is its host's first part; that of the plans is everyone's.
WORKSPACE = re.compile(r"(?<![\w-])(?!token-plan\.)[\w-]+(?=\.[\w-]+\.maas\.aliyuncs\.com)", re.I)
LOGIN = re.compile(r"//[^/\s@]*@|(?<![\w.])[\w.%+-]+:[^\s/@]+@")


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with all of that left out; `secrets` are further strings that must not be in it."""
    text = keys.without(text, secrets)
    text = WORKSPACE.sub("…", text)
    text = LOGIN.sub(lambda found: "//" if found[0].startswith("//") else "", text)
    for home in sorted(_homes(), key=len, reverse=True):
        text = re.sub(re.escape(home) + r"(?![\w-])", "~", text, flags=re.I)
    for name in sorted(_names(), key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "…", text, flags=re.I)
    return text


def _homes() -> set[str]:
    named = {os.environ.get("HOME"), os.environ.get("USERPROFILE"), os.path.expanduser("~")}
    homes = {str(path) for home in named if home for path in (Path(home), Path(home).resolve())}
    # "/" is the home of some services, and of every path the beginning.
    return {home for home in homes | {Path(home).as_posix() for home in homes} if len(home) > 3}


def _names() -> set[str]:
    found = {os.environ.get(name) for name in ("USER", "LOGNAME", "USERNAME", "COMPUTERNAME")}
    with suppress(OSError, KeyError, ImportError):
        found.add(getpass.getuser())
    host = socket.gethostname()
    return {name for name in (*found, host, host.partition(".")[0], Path.home().name) if name}
