"""The commands that run once the environment is right, one function each.

Each takes the options of `qwen_lab.setup.arguments` and returns the exit code, or nothing for 0.
"""

import os
import subprocess
import sys
import time
import unicodedata
from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

from .. import paths, words
from ..course import lessons
from ..words import LabError, say

# What could make a test spend money or talk to another endpoint than the local one.
_KEYS = ("DASHSCOPE_", "OPENAI_")


def start(options: Namespace) -> None:
    """Fetch the weights, let the local Qwen answer one question, and open the lessons."""
    from ..connection import connect
    from ..endpoint.weights import weights
    from . import jupyter

    weights.fetch()
    lab = connect("local")
    question = say("commands.first_question")
    print(say("commands.asking", question=question))
    # The likeliest answer: a first one that is wrong about who speaks would be a poor welcome.
    _ask(lab, _messages(question), temperature=0)
    jupyter.run(_copied(), browser=not getattr(options, "no_browser", False))


def setup(options: Namespace) -> None:
    """Fetch the weights and copy the lessons."""
    from ..endpoint.weights import weights

    weights.fetch()
    print(say("commands.ready", path=_copied()))


def fetch(options: Namespace) -> None:
    """Fetch the weights."""
    from ..endpoint.weights import weights

    print(say("commands.weights_here", path=weights.fetch()))


def ask(options: Namespace) -> None:
    """Ask whichever Qwen `connect()` chooses, and show the answer as it arrives."""
    from ..connection import connect

    given = {name: getattr(options, name) for name in ("temperature", "seed", "max_tokens")}
    chosen = {name: value for name, value in given.items() if value is not None}
    _ask(connect(), _messages(options.question, options.system), **chosen)


def serve(options: Namespace) -> None:
    """Run the local Qwen's server in the foreground."""
    from ..endpoint import server

    server.serve(port=options.port, idle=options.idle, record=options.record)


def stop(options: Namespace) -> None:
    """Stop the local Qwen's server."""
    from ..endpoint import server

    print(say("commands.stopped" if server.stop() else "commands.nothing_to_stop"))


def status(options: Namespace) -> None:
    """Show what runs, where the weights are, and which Python this is."""
    for line in (*_server_status(), _weights_status()):
        print(line)
    version = "{}.{}.{}".format(*sys.version_info)
    print(say("commands.status_python", path=sys.prefix, version=version))


def reset(options: Namespace) -> None:
    """Restore one lesson, in the language in use or in both."""
    for language in words.LANGUAGES if options.both else (words.language(),):
        lesson, backup = lessons.reset(options.number, language)
        key = "commands.lesson_reset" if backup else "commands.lesson_new"
        print(say(key, lesson=lesson, backup=backup and backup.name))


def test(options: Namespace) -> int:
    """Run the tests in the checkout, or a part of them, without any key; return the exit code."""
    if not paths.is_checkout():
        raise LabError("commands.no_tests")
    return _run_without_keys(paths.ROOT / "tests", options.rest)


def bench(options: Namespace) -> int:
    """Run the benchmarks in the checkout, or those named, without any key; return the exit code."""
    if not paths.is_checkout():
        raise LabError("commands.no_benchmarks")
    return _run_without_keys(paths.ROOT / "tests" / "benchmarks", options.names)


def record(options: Namespace) -> None:
    """Record the lessons' tapes and outputs, in both languages, with the real local Qwen."""
    from ..course import record

    for language in words.LANGUAGES:
        words.use(language)
        for name in lessons.names(language):
            if not options.numbers or int(name[:2]) in options.numbers:
                lesson = paths.originals() / language / name
                record.record(lesson)
                print(say("commands.recorded", lesson=f"{language}/{name}"), flush=True)
                print(record.needs(lesson), flush=True)


def _copied() -> Path:
    """Bring the learner's lessons up to date; name those that only the learner may replace."""
    folder = lessons.copy()
    for copy in lessons.outdated():
        language, number = copy.parent.name, copy.name[:2]
        print(say("lessons.outdated", copy=copy, language=language, number=number))
    return folder


def _run_without_keys(folder: Path, arguments: list[str]) -> int:
    """Run a folder of the checkout as a program that sees no key, and return its exit code."""
    child = subprocess.Popen([sys.executable, str(folder), *arguments], env=_without_keys())
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            # The child hears Ctrl-C itself, and has a server to end first.
            continue


def _without_keys() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_KEYS) and name != "QWEN_LAB_ENDPOINT"
    }


def _messages(question: str, system: str | None = None) -> list[dict[str, str]]:
    asked = [{"role": "user", "content": question}]
    return [{"role": "system", "content": system}, *asked] if system else asked


def _ask(lab: object, messages: list[dict[str, str]], **options: object) -> None:
    """Stream an answer to the terminal; an API error becomes a `LabError` of two lines."""
    import openai

    try:
        with openai.OpenAI(base_url=lab.base_url, api_key=lab.api_key) as client:
            _show(_stream(client, lab.model, messages, options))
    except openai.APIStatusError as error:
        status, message = error.status_code, _printable(_message(error))
        raise LabError(
            "commands.refused", status=status, code=error.code, message=message
        ) from error
    except openai.APIConnectionError as error:
        reason = error.__cause__ or error
        raise LabError("commands.no_answer", address=lab.base_url, reason=reason) from error
    except openai.APIError as error:
        message = _printable(_message(error))
        raise LabError("commands.cut_short", code=error.code, message=message) from error


def _stream(client, model, messages, options) -> Iterator[tuple[str, SimpleNamespace | None]]:
    chunks = client.chat.completions.create(
        model=model,
        messages=messages,
        stream=True,
        stream_options={"include_usage": True},
        **options,
    )
    for chunk in chunks:
        delta = chunk.choices[0].delta.content if chunk.choices else None
        yield delta or "", chunk.usage


def _show(stream: Iterator[tuple[str, SimpleNamespace | None]]) -> None:
    began, first, usage = time.monotonic(), None, None
    for piece, counted in stream:
        first = first or (time.monotonic() if piece else None)
        usage = counted or usage
        print(_printable(piece), end="", flush=True)
    ended = time.monotonic()
    print(_speed(usage, (first or ended) - began, ended - (first or ended)))


def _speed(usage: SimpleNamespace | None, wait: float, rest: float) -> str:
    if not usage:
        return say("commands.counted_none", wait=wait + rest)
    tokens = usage.completion_tokens
    # The first token's time is the prompt's; only the others show how fast the model writes.
    speed = (tokens - 1) / rest if rest and tokens > 1 else 0
    return say("commands.speed", tokens=tokens, wait=wait, rest=rest, speed=speed)


def _message(error) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or error.message)


def _printable(words: str) -> str:
    # Control characters from a model or a server could steer the terminal.
    return "".join(c for c in words if c in "\n\t" or unicodedata.category(c) != "Cc")


def _server_status() -> list[str]:
    import psutil

    from ..endpoint import server

    state = server.status()
    if state is None:
        return [say("commands.status_idle")]
    memory = psutil.Process(state.pid).memory_info().rss / 1e6
    since = f"{datetime.fromtimestamp(state.created):%Y-%m-%d %H:%M}"
    values = {"model": state.model, "since": since, "memory": memory, "pid": state.pid}
    address = say("commands.status_address", address=state.base_url)
    return [say("commands.status_qwen", **values), address]


def _weights_status() -> str:
    from ..endpoint.weights import weights

    path = weights.find()
    if path is None:
        return say("commands.status_no_weights")
    own = os.environ.get("QWEN_LAB_GGUF")
    return say("commands.status_own_weights" if own else "commands.status_weights", path=path)
