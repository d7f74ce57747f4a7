"""The command line: its commands, their options, and their help in both languages.

Standard library only: it is read before anything is installed.
"""

import argparse
import shlex

from .. import words
from ..words import say


def read(arguments: list[str]) -> argparse.Namespace:
    """Read a command line and choose its language; `command` is "start" when none is named.

    A line that makes no sense ends the process with usage, one sentence and exit code 2.
    """
    _choose_language(arguments)
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    options.command = options.command or "start"
    if rest and options.command != "test":
        parser.error(say("commands.unknown_arguments", arguments=shlex.join(rest)))
    options.rest = rest
    return options


class _Parser(argparse.ArgumentParser):
    """An argument parser that speaks the lab's words."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings, add_help=False, allow_abbrev=False, formatter_class=_Help)
        general = self.add_argument_group(say("commands.options"))
        general.add_argument("-h", "--help", action="help", help=say("commands.help_help"))
        general.add_argument(
            "--lang",
            choices=words.LANGUAGES,
            default=argparse.SUPPRESS,
            help=say("commands.help_lang"),
        )
        self.option = general.add_argument

    def needs(self, name: str, **settings: object) -> None:
        self.add_argument_group(say("commands.arguments")).add_argument(name, **settings)

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
    _start(parser)
    commands = parser.add_subparsers(
        dest="command", metavar=say("commands.command"), title=say("commands.commands")
    )
    for name, add_options in _COMMANDS.items():
        words = say(f"commands.help_{name}")
        add_options(commands.add_parser(name, help=words, description=words))
    return parser


def _plain(parser: _Parser) -> None:
    pass


def _start(parser: _Parser) -> None:
    # Once on the whole line and once on `start`: the default must not undo what came first.
    parser.option(
        "--no-browser",
        action="store_true",
        default=argparse.SUPPRESS,
        help=say("commands.help_no_browser"),
    )


def _ask(parser: _Parser) -> None:
    parser.needs("question", help=say("commands.help_question"))
    parser.option("--system", help=say("commands.help_system"))
    parser.option("--temperature", type=float, help=say("commands.help_temperature"))
    parser.option("--seed", type=int, help=say("commands.help_seed"))
    parser.option("--max-tokens", type=int, help=say("commands.help_max_tokens"))


def _serve(parser: _Parser) -> None:
    parser.option("--port", type=int, help=say("commands.help_port"))
    parser.option("--idle", type=float, default=1800, help=say("commands.help_idle"))
    parser.option("--record", metavar="FILE", help=say("commands.help_tape"))


def _record(parser: _Parser) -> None:
    parser.needs("numbers", type=int, nargs="*", help=say("commands.help_numbers"))


def _bench(parser: _Parser) -> None:
    parser.needs("names", nargs="*", help=say("commands.help_names"))


def _reset(parser: _Parser) -> None:
    parser.needs("number", type=int, help=say("commands.help_number"))
    parser.option("--both", action="store_true", help=say("commands.help_both"))


_COMMANDS = {
    "start": _start,
    "setup": _plain,
    "fetch": _plain,
    "ask": _ask,
    "serve": _serve,
    "stop": _plain,
    "status": _plain,
    "reset": _reset,
    "test": _plain,
    "bench": _bench,
    "record": _record,
}
