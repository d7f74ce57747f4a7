"""The command `doctor`: look at everything that may stand in a learner's way, and change nothing.

It runs before set-up too, on the standard library; what needs a package says so.
"""

import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .. import dotfile, keys, network, settings
from ..settings import Settings
from ..words import LabError, reason, say
from . import access, cloud, finding, local_qwen, machine, private, software, table
from .finding import BROKEN, Finding

Checks = dict[str, Callable[[], Finding]]
Rows = list[tuple[str, str, list[str]]]
# Columns of the narrowest table that can be read, and of the report's.
NARROWEST, WIDTH = 50, 100


def run(*, ask_cloud: bool = False, report: str | None = None) -> int:
    """Print the table, and write it to the file `report` too; 1 if something is broken, else 0."""
    before, given = dict(os.environ), _given()
    given.share()
    network.prepare()
    rows = _shown(_checks(before, given, ask_cloud))
    broken = [sign for sign, _, _ in rows].count(BROKEN)
    sum_ = say("doctor.broken", count=broken) if broken else say("doctor.nothing_broken")
    print(_printable("\n" + sum_))
    if report:
        _write(Path(report), rows, keys.secrets(before, given.file))
    return 1 if broken else 0


def status() -> None:
    """Print what of it says which Python this is, where the weights are and what runs."""
    checks: Checks = {"python": machine.python, "place": software.place}
    _shown({**checks, "weights": local_qwen.weights, "server": local_qwen.server})


def _shown(checks: Checks) -> Rows:
    """Make the checks, and print what they found."""
    rows = [_row(name, finding.of(check)) for name, check in checks.items()]
    print(_printable("\n".join(table.lines(rows, _columns()))))
    return rows


def _columns() -> int:
    # Some terminals break a line that fills the last column, too.
    return max(NARROWEST, shutil.get_terminal_size().columns - 1)


def _given() -> Settings:
    try:
        return settings.read()
    except ImportError:
        # Before set-up nothing can read a file; the row about it says so.
        return Settings(dict(os.environ), {}, dotfile.find())


def _checks(before: dict[str, str], given: Settings, ask_cloud: bool) -> Checks:
    checks: Checks = {
        "python": machine.python,
        "processor": machine.processor,
        "memory": partial(local_qwen.memory, given),
        "folders": machine.folders,
        "disk": machine.disk,
        "language": machine.language,
        # Who begins with the first row that is broken needs these before set-up.
        "proxies": partial(access.proxies, before),
        "certificates": partial(access.certificates, before),
        "place": software.place,
        "packages": software.locked,
        "jupyter": software.jupyter,
        "dotenv": partial(access.dotenv, given),
        "key": partial(access.key, given),
        "endpoint": partial(access.endpoint, given),
        "weights": local_qwen.weights,
        "server": local_qwen.server,
    }
    return {**checks, "cloud": partial(cloud.cloud, given)} if ask_cloud else checks


def _row(name: str, found: Finding) -> tuple[str, str, list[str]]:
    paragraphs = [found.seen, f"→ {found.todo}"] if found.todo else [found.seen]
    return found.sign, say(f"doctor.name_{name}"), paragraphs


def _printable(text: str) -> str:
    """With other signs where the terminal has none of these."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeError, LookupError):
        return text.translate({ord("✓"): "+", ord("✗"): "x", ord("→"): ">"})
    return text


def _write(path: Path, rows: Rows, secrets: set[str]) -> None:
    # Before it is wrapped, for a name that is broken over two lines would not be found.
    own = [
        (sign, name, [private.without(each, secrets) for each in told]) for sign, name, told in rows
    ]
    try:
        path.write_text("\n".join(table.lines(own, WIDTH)) + "\n", encoding="utf-8")
    except OSError as error:
        raise LabError("doctor.unwritable", path=path, reason=reason(error)) from error
    print(*table.wrapped(say("doctor.written", path=path), _columns()), sep="\n")
