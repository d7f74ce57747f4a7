"""`python3 -m qwen_lab …` and `qwen-lab …`: make the environment right, then run the command.

Standard library only. Up to the check of Python's version nothing is imported that a Python
older than the lab's cannot read, so that the learner sees a sentence and not a traceback.
"""

import sys
from contextlib import suppress

OLDEST = (3, 11)
# They show what holds on every machine, whatever its owner set.
NO_SETTINGS = ("test", "bench", "record")
# They look at what is there, and put nothing right.
LOOKS = ("doctor", "status")

# Not in the words files: reading those takes `tomllib`, which the Pythons meant here lack.
TOO_OLD = (
    "Qwen Lab needs Python 3.11 or newer, and this is Python {0}.{1}. "
    "Install a newer Python, then run the same command with it.\n"
    "Qwen Lab 需要 Python 3.11 或更新的版本，当前是 Python {0}.{1}。"
    "请安装新版 Python，再用它运行同一条命令。"
)


def main():
    """Run the command in `sys.argv`; return the exit code.

    What the lab cannot do ends in one message on stderr and code 1, Ctrl-C in code 130.
    """
    if sys.version_info < OLDEST:
        sys.exit(TOO_OLD.format(*sys.version_info))
    from .words import LabError

    try:
        return _run(sys.argv[1:])
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130


def _run(arguments):
    from . import network
    from .setup import commands, environment
    from .setup.arguments import read

    _survive_any_character()
    options = read(arguments)
    if options.command in LOOKS:
        environment.use_own()
    if options.command == "doctor":
        return commands.doctor(options)
    if changed := network.prepare():
        print(changed, file=sys.stderr)
    if options.command not in LOOKS:
        hub = "-class" if getattr(options, "hub", False) else ""
        environment.ensure("-test" if options.command in ("test", "record") else hub)
    if options.command not in NO_SETTINGS:
        from . import settings

        # Before set-up there may be nothing yet to read `.env` with.
        with suppress(ImportError):
            settings.read().share()
    return getattr(commands, options.function)(options) or 0


def _survive_any_character():
    # A terminal that cannot show 通义千问 should show question marks, not a traceback.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
