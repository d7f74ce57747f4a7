"""How a command line is read: commands, their options, and the help in both languages.

Standard library only: it is read before anything is installed.
"""

import argparse
import shlex
from collections.abc import Callable

from .. import words
from ..words import say

Option = tuple[str, dict]

# Each command, its function's name and the options that it takes, in the order of the help.
_COMMANDS: dict[str, tuple[str, tuple[Option, ...]]] = {}


def option(name: str, **settings: object) -> Option:
    """An option of a command, or without dashes something to be given; settings are argparse's."""
    return name, settings


def takes(*options: Option) -> Callable:
    """Make a function the command of its name, with these options."""

    def register(command: Callable) -> Callable:
        # A word that Python keeps for itself ends in "_" there.
        _COMMANDS[command.__name__.rstrip("_")] = command.__name__, options
        return command

    return register


# Once on the whole line and once on `start`: the default must not undo what came first.
NO_BROWSER = option("--no-browser", action="store_true", default=argparse.SUPPRESS)


def read(arguments: list[str]) -> argparse.Namespace:
    """Read a command line and choose its language; `command` is "start" when none
    is named, `function` what it is called in `commands`.

    A line that makes no sense ends the process with usage, one sentence and exit code 2.
    """
    _choose_language(arguments)
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    options.command = options.command or "start"
    if rest and options.command != "test":
        parser.error(say("commands.unknown_arguments", arguments=shlex.join(rest)))
    options.rest, options.function = rest, _COMMANDS[options.command][0]
    return options


class _Parser(argparse.ArgumentParser):
    """An argument parser that speaks the lab's words."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings, add_help=False, allow_abbrev=False, formatter_class=_Help)
        general = self.add_argument_group(say("commands.options"))
        general.add_argument("-h", "--help", action="help", help=say("commands.help_help"))
        self._given, self._general = self.add_argument_group(say("commands.arguments")), general
        self.take(option("--lang", choices=words.LANGUAGES, default=argparse.SUPPRESS))

    def take(self, *options: Option) -> None:
        for name, settings in options:
            group = self._general if name.startswith("-") else self._given
            key = name.lstrip("-").replace("-", "_")
            group.add_argument(name, **settings, help=say(f"commands.option_{key}"))

    def error(self, message: str) -> None:
        self.print_usage()
        self.exit(2, say("commands.not_understood", reason=message) + "\n")


class _Help(argparse.HelpFormatter):
    def add_usage(self, usage, actions, groups, prefix=None) -> None:
        super().add_usage(usage, actions, groups, say("commands.usage") if prefix is None else "")


def _choose_language(arguments: list[str]) -> None:
    # First of all, for the help and the complaints are already in it.
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    early.add_argument("--lang", nargs="?")
    chosen = early.parse_known_args(arguments)[0].lang
    if chosen in words.LANGUAGES:
        words.use(chosen)


def _parser() -> _Parser:
    parser = _Parser(prog="python3 -m qwen_lab", description=say("commands.about"))
    parser.take(NO_BROWSER)
    commands = parser.add_subparsers(
        dest="command", metavar=say("commands.command"), title=say("commands.commands")
    )
    for name, (_, options) in _COMMANDS.items():
        help = say(f"commands.help_{name}")
        commands.add_parser(name, help=help, description=help).take(*options)
    return parser
