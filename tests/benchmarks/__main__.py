"""`python -m qwen_lab bench [name …]`: the benchmarks, each in a process of its own, in turn.

`class` names all those whose names begin with `class_`; what follows `pictures` is for it alone.

Every other file in this folder is a benchmark, but for those that the benchmarks share. Each says
first what it measures and what its goal is, and runs by itself too.
"""

import os
import platform
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import psutil
import table

from qwen_lab import __version__
from qwen_lab.words import say

HERE = Path(__file__).parent
SHARED = {"__main__", "browser", "learner", "lesson_calls", "load", "room", "server", "table"}
# Those that take many minutes, or need a browser or root.
ONLY_WHEN_NAMED = {"demonstrations", "lane", "search", "slider", "soak", "spinning", "stalls"}
ONLY_WHEN_NAMED |= {path.stem for path in HERE.glob("class_*.py")} | {
    "seats300",
    "hub",
    "page",
    "page_qwen",
    "pictures",
}
# Draws, and does not measure: it takes arguments, and has no table.
PICTURES = "pictures"


def names() -> list[str]:
    return sorted({path.stem for path in HERE.glob("*.py")} - SHARED)


def main(chosen: list[str]) -> int:
    """Run the chosen benchmarks, or all that are not long; 1 if one of them breaks, else 0."""
    if chosen[:1] == [PICTURES]:
        return run(*chosen)
    chosen = [name for each in named(chosen) for name in meant(each)]
    if unknown := [name for name in chosen if name not in names()]:
        known = ", ".join(names())
        print(say("commands.no_benchmark", name=unknown[0], known=known), file=sys.stderr)
        return 2
    print(machine(), end="\n\n", flush=True)
    table.head()
    broken = [name for name in chosen or usual() if run(name)]
    if broken:
        print(say("commands.benchmarks_broken", names=", ".join(broken)), file=sys.stderr)
    return 1 if broken else 0


def named(arguments: list[str]) -> list[str]:
    """The names among what stands after `bench`, which may be the language too, already chosen."""
    parser = ArgumentParser("bench", allow_abbrev=False)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--lang")
    return parser.parse_args(arguments).names


def usual() -> list[str]:
    return [name for name in names() if name not in ONLY_WHEN_NAMED]


def meant(name: str) -> list[str]:
    """The benchmark of this name; else those that begin with the word."""
    begun = [each for each in names() if each.startswith(f"{name}_")]
    return begun if begun and name not in names() else [name]


def machine() -> str:
    """What the figures depend on; other programs at work make them worse than they are."""
    busy = psutil.cpu_percent(0.5)
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return f"Qwen Lab {__version__}, {python}, {os.cpu_count()} cores, {busy:.0f} % busy before"


def run(name: str, *arguments: str) -> int:
    command = [sys.executable, str(HERE / f"{name}.py"), *arguments]
    benchmark = subprocess.Popen(command, env=os.environ | {table.HEADED: "1"})
    try:
        return benchmark.wait()
    except KeyboardInterrupt:
        # It hears Ctrl-C as well, and ends the server that it started.
        benchmark.wait()
        raise


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
