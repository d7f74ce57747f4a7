"""`python -m qwen_lab test`: all the tests, in parts that run side by side.

`--live` and `--pictures FOLDER` are handed on to them. With anything else, a folder or an option
of pytest, it is pytest alone, with all that is given.
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
# The real model and the browser keep one core busy, all else the other. What the first part says is
# seen at once; what the others say, when they have ended.
PARTS = {
    "model": ["tests", "-m", "model or browser"],
    "others": ["tests", "-m", "not model and not browser"],
    "lessons": ["--nbval", "notebooks"],
}
SLOWEST = 10


def main(arguments: list[str]) -> int:
    """Run all the parts, or pytest with these arguments; return the exit code."""
    options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument("--live", action="store_true")
    options.add_argument("--pictures")
    if options.parse_known_args(arguments)[1]:
        return ended(pytest(*arguments))
    with tempfile.TemporaryDirectory() as folder:
        return run(PARTS | {"model": [*PARTS["model"], *arguments]}, Path(folder))


def run(parts: dict[str, list[str]], folder: Path) -> int:
    """Run the parts side by side, say what came of each; return the worst of their exit codes."""
    running = {}
    for name, arguments in parts.items():
        print(f"Running {name}: pytest {shlex.join(arguments)}", flush=True)
        report = f"--junit-xml={folder / name}.xml"
        with open(folder / f"{name}.txt", "wb") as words:
            running[name] = pytest(report, *arguments, output=words if running else None)
    codes = {}
    for name, process in running.items():
        codes[name] = ended(process)
        print((folder / f"{name}.txt").read_text(encoding="utf-8", errors="replace"), flush=True)
    summary({name: folder / f"{name}.xml" for name in parts}, codes)
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


def summary(reports: dict[str, Path], codes: dict[str, int]) -> None:
    """Print how each part ended, how long it took, and which tests took longest."""
    slowest = []
    for name, report in reports.items():
        if not report.exists():
            print(f"{name}: no report, exit code {codes[name]}")
            continue
        [suite] = ElementTree.parse(report).iter("testsuite")
        count, seconds = suite.get("tests"), float(suite.get("time"))
        outcome = f"failed (exit code {codes[name]})" if codes[name] else "passed"
        print(f"{name} {outcome}: {count} in {seconds:.0f} s")
        slowest += [
            (float(case.get("time")), f"{case.get('classname')}::{case.get('name')}")
            for case in suite.iter("testcase")
        ]
    print(f"The slowest {SLOWEST}:")
    for seconds, test in sorted(slowest, reverse=True)[:SLOWEST]:
        print(f"{seconds:8.1f} s  {test}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
