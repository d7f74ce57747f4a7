"""`python -m qwen_lab test`: all the tests, in parts that run side by side.

`--live`, `--thorough` and `--pictures FOLDER` are handed on to them. With anything else, a folder
or an option of pytest, it is pytest alone, with all that is given.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
# Those that wait most, for a clock, a hub or a page: meanwhile others work.
WAITING = ("tests/checks", "tests/classroom", "tests/page")
REST = ["-m", "not model and not browser"]
# The first part, with the real model and the browser, takes longest: the others get what it leaves
# of the processor. What it says is seen at once; what the others say, when they have ended.
PARTS = {
    "model": ["tests", "-m", "model or browser"],
    "others": ["tests", *REST, *(f"--ignore={each}" for each in WAITING)],
    "waiting": [*WAITING, *REST],
    "lessons": ["--nbval", "notebooks"],
}
KINDS = ("tests", "failures", "errors", "skipped")
SLOWEST = 10


def main(arguments: list[str]) -> int:
    """Run all the parts, or pytest with these arguments; return the exit code."""
    options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--live", "--thorough"):
        options.add_argument(name, action="store_true")
    options.add_argument("--pictures")
    if options.parse_known_args(arguments)[1]:
        return ended(pytest(*arguments))
    parts = {name: [*given, *arguments] for name, given in PARTS.items() if name != "lessons"}
    with tempfile.TemporaryDirectory() as folder:
        return run(parts | {"lessons": PARTS["lessons"]}, Path(folder))


def run(parts: dict[str, list[str]], folder: Path) -> int:
    """Run the parts side by side, say what came of each; return the worst of their exit codes."""
    began, running = time.monotonic(), {}
    for name, arguments in parts.items():
        print(f"Running {name}: pytest {shlex.join(arguments)}", flush=True)
        report = f"--junit-xml={folder / name}.xml"
        with open(folder / f"{name}.txt", "wb") as words:
            running[name] = pytest(report, *arguments, output=words if running else None)
        if len(running) > 1 and hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, running[name].pid, 10)
    codes = {}
    for name, process in running.items():
        codes[name] = ended(process)
        print((folder / f"{name}.txt").read_text(encoding="utf-8", errors="replace"), flush=True)
    reports = {name: folder / f"{name}.xml" for name in parts}
    summary(reports, codes, time.monotonic() - began)
    return max(codes.values())


def pytest(*arguments: str, output=None) -> subprocess.Popen:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)


def ended(process: subprocess.Popen) -> int:
    """The exit code of a process once it has ended; one that was killed has failed."""
    while True:
        try:
            return abs(process.wait())
        except KeyboardInterrupt:
            # It hears Ctrl-C as well, and has servers and browsers to end.
            continue


def summary(reports: dict[str, Path], codes: dict[str, int], seconds: float) -> None:
    """Print how each part ended and how long it took, the slowest tests, and all in one line."""
    suites = {name: suite(report) for name, report in reports.items()}
    for name, of in suites.items():
        outcome = f"failed (exit code {codes[name]})" if codes[name] else "passed"
        print(f"{name} {outcome}: {of.get('tests')} in {float(of.get('time')):.0f} s")
    cases = [case for of in suites.values() for case in of.iter("testcase")]
    print(f"The slowest {SLOWEST}:")
    for case in sorted(cases, key=lambda case: -float(case.get("time")))[:SLOWEST]:
        print(f"{float(case.get('time')):8.1f} s  {case.get('classname')}::{case.get('name')}")
    counts = {kind: sum(int(of.get(kind)) for of in suites.values()) for kind in KINDS}
    passed = {"passed": counts.pop("tests") - sum(counts.values())}
    ends = [f"{count} {kind}" for kind, count in (passed | counts).items() if count]
    print(f" {', '.join(ends)} in {seconds:.2f}s ".center(80, "="))


def suite(report: Path) -> ElementTree.Element:
    """What a part reported; one that did not come to that, or not to its end, is an error."""
    with suppress(OSError, ElementTree.ParseError):
        return ElementTree.parse(report).find("testsuite")
    return ElementTree.Element(
        "testsuite", tests="1", failures="0", errors="1", skipped="0", time="0"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
