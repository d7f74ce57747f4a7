"""The commands, each beside its options; a command returns the exit code, or nothing for 0.

Standard library only at import, for the command line is read before anything is installed: a
command imports what it needs when it runs.
"""

import os
from argparse import REMAINDER, Namespace
from dataclasses import fields
from pathlib import Path

from .. import paths, settings, words
from ..course import lessons
from ..words import LabError, say
from .arguments import NO_BROWSER, option, takes
from .environment import run_without_keys

# Another server behind the endpoint.
_BEHIND = (
    option("--upstream", nargs=2, metavar=("URL", "MODEL")),
    option("--relay", nargs="+", metavar=("URL", "MODEL")),
)


@takes(NO_BROWSER)
def start(options: Namespace) -> None:
    """Let the local Qwen answer one question, and open the lessons."""
    from ..connection import connect
    from . import jupyter
    from .terminal import show_answer

    # The first connection fetches the weights, unless it is to a class.
    lab = connect(None if _elsewhere() else "local")
    question = say("commands.first_question")
    print(say("commands.asking", question=question))
    # The likeliest answer: a first one that is wrong about who speaks would be a poor welcome.
    show_answer(lab, question, temperature=0)
    jupyter.run(_copied(), browser=not getattr(options, "no_browser", False))


@takes()
def setup(options: Namespace) -> None:
    """Fetch the weights, unless a class's Qwen answers, and copy the lessons."""
    from ..endpoint.weights import weights

    if not _elsewhere():
        weights.fetch()
    print(say("commands.ready", path=_copied()))


@takes()
def fetch(options: Namespace) -> None:
    """Fetch the weights."""
    from ..endpoint.weights import weights

    print(say("commands.weights_here", path=weights.fetch()))


@takes(
    option("question", type=settings.text),
    option("--system", type=settings.text),
    option("--temperature", type=float),
    option("--seed", type=int),
    option("--max-tokens", type=int),
)
def ask(options: Namespace) -> None:
    """Ask whichever Qwen `connect()` chooses, and show the answer as it arrives."""
    from ..connection import connect
    from .terminal import show_answer

    given = {name: getattr(options, name) for name in ("temperature", "seed", "max_tokens")}
    chosen = {name: value for name, value in given.items() if value is not None}
    show_answer(connect(), options.question, options.system, **chosen)


@takes(
    option("--port", type=int),
    option("--idle", type=float, default=1800),
    option("--record", metavar="FILE"),
    *_BEHIND,
)
def serve(options: Namespace) -> None:
    """Run the local Qwen's server in the foreground, or one before another server."""
    told = {name: getattr(options, name) for name in ("port", "idle", "record")}
    if options.upstream or options.relay:
        from ..classroom import behind, own

        return own.serve(behind.engine(options.upstream, options.relay), **told)
    from ..endpoint import server

    server.serve(**told)


@takes(
    option("learners", nargs="*", type=settings.text),
    option("--seats", metavar="FILE"),
    option("--address"),
    option("--port", type=int),
    # A hub has a folder of its own.
    option("--certificate", metavar="FILE", type=os.path.abspath),
    option("--key", metavar="FILE", type=os.path.abspath),
    option("--tokens", type=int),
    option("--per-minute", type=int),
    option("--cny", type=float),
    option("--class-cny", type=float),
    *_BEHIND,
    option("--page", action="store_true"),
    option("--hub", action="store_true"),
    option("--make-users", action="store_true"),
    option("--remove", metavar="NAME", type=settings.text),
    option("--forget", action="store_true"),
)
def class_(options: Namespace) -> None:
    """Be the endpoint of a class, with a seat for each learner, until it is ended."""
    from ..classroom import door, folder, hub_door, seats
    from ..classroom.allowance import Limits
    from ..classroom.config import Config

    if options.hub and options.page:
        raise LabError("classroom.page_or_hub")
    if options.hub:
        os.environ.setdefault("QWEN_LAB_HOME", hub_door.HOME)
    if options.remove:
        return folder.remove(options.remove, hub=options.hub)
    if options.forget:
        return folder.forget()
    listed = seats.listed(Path(options.seats)) if options.seats else []
    limits = Limits(options.per_minute, options.tokens, options.cny, options.class_cny)
    # The other options have its names.
    told = {each.name: getattr(options, each.name) for each in fields(Config)[1:]}
    hold = hub_door.hold if options.hub else door.hold
    hold([*options.learners, *listed], Config(limits, **told))


@takes(
    option("folder", nargs="?", default="site", type=settings.text),
    option("--qwen", nargs="?", const="", metavar="URL"),
    option("--serve", action="store_true"),
    option("--port", type=int),
)
def site(options: Namespace) -> None:
    """Build the course as a static site for any web host; with `--serve`, show it here."""
    from ..page import site

    folder = paths.given(options.folder)
    size = site.build(folder, options.qwen) / 1e6
    print(say("site.built", folder=folder, size=size), flush=True)
    if options.serve:
        site.serve(folder, options.port or 0)


@takes()
def stop(options: Namespace) -> None:
    """Stop the local Qwen's server."""
    from ..endpoint import server

    print(say("commands.stopped" if server.stop() else "commands.nothing_to_stop"))


@takes()
def status(options: Namespace) -> None:
    """Show what runs, where the weights are, and which Python this is."""
    from .doctor import status

    status()


@takes(option("--cloud", action="store_true"), option("--report", metavar="FILE"))
def doctor(options: Namespace) -> int:
    """Look at all that may stand in the way; return 1 if something is broken."""
    from .doctor import run

    return run(ask_cloud=options.cloud, report=options.report)


@takes(option("number", type=int), option("--both", action="store_true"))
def reset(options: Namespace) -> None:
    """Restore one lesson, in the language in use or in both."""
    for language in words.LANGUAGES if options.both else (words.language(),):
        lesson, backup = lessons.reset(options.number, language)
        key = "commands.lesson_reset" if backup else "commands.lesson_new"
        print(say(key, lesson=lesson, backup=backup and backup.name))


@takes()
def test(options: Namespace) -> int:
    """Run the tests in the checkout, or a part of them, without any key; return the exit code."""
    return run_without_keys("tests", options.rest, "commands.no_tests")


@takes(option("names", nargs=REMAINDER))
def bench(options: Namespace) -> int:
    """Run the benchmarks in the checkout, or those named, without any key; return the exit code."""
    return run_without_keys("tests/benchmarks", options.names, "commands.no_benchmarks")


@takes(
    option("numbers", type=int, nargs="*"),
    option("--renew", action="store_true"),
    option("--restyle", action="store_true"),
)
def record(options: Namespace) -> None:
    """Record the lessons' tapes and outputs, in both languages, with the real local Qwen.

    With `--renew` no model is asked: what views show in another way is made anew from the tapes.
    With `--restyle` nothing is run: only their colours and sizes are renewed.
    """
    from ..course import record

    make = record.renew if options.renew else record.record
    make = record.restyle if options.restyle else make
    for language in words.LANGUAGES:
        words.use(language)
        for name in lessons.names(language):
            if not options.numbers or int(name[:2]) in options.numbers:
                lesson = paths.originals() / language / name
                make(lesson)
                print(say("commands.recorded", lesson=f"{language}/{name}"), flush=True)
                print(record.needs(lesson), flush=True)


@takes(
    option("numbers", type=int, nargs="*"),
    option("--to", metavar="FOLDER", default="source"),
)
def nbgrader(options: Namespace) -> None:
    """Write lessons as assignments for nbgrader, in the language in use."""
    from ..course import assignment

    for path in assignment.write(options.numbers, Path(options.to)):
        print(say("commands.assigned", path=path))


def _elsewhere() -> bool:
    """Whether the address of a class, or of another server, is set."""
    return "://" in (settings.read().get("QWEN_LAB_ENDPOINT") or "")


def _copied() -> Path:
    """Bring the learner's lessons up to date, and say what became of those of an older edition."""
    earlier = lessons.outdated()
    folder = lessons.copy()
    kept = lessons.outdated()
    for copy in earlier:
        key = "lessons.outdated" if copy in kept else "lessons.followed"
        print(say(key, copy=copy, language=copy.parent.name, number=copy.name[:2]))
    return folder
