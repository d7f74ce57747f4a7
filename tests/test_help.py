"""Help where a learner looks for it: Shift+Tab, `?`, `??` and `help()`, for every public name."""

import ast
import asyncio
import contextlib
import doctest
import inspect
import io
import pydoc
import re
from dataclasses import is_dataclass
from types import ModuleType, SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from openai import AsyncOpenAI, OpenAI
from traitlets.config import Config

import qwen_lab
from qwen_lab import checks
from qwen_lab.endpoint import server
from qwen_lab.endpoint.engine import End, Piece, Prompt

NAMES = {
    f"qwen_lab.{name}": getattr(qwen_lab, name) for name in qwen_lab.__all__ if name != "checks"
}
CHECKS = {
    f"qwen_lab.checks.{topic}.{name}": judge
    for topic, module in vars(checks).items()
    if isinstance(module, ModuleType)
    for name, judge in vars(module).items()
    if hasattr(judge, "__wrapped__") and judge.__module__ == module.__name__
}
PUBLIC = NAMES | CHECKS | {"qwen_lab.checks.Outcome": checks.Outcome}
# A module has no signature.
EXPLAINED = PUBLIC | {"qwen_lab.checks": checks}
STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def every(named=PUBLIC):
    return pytest.mark.parametrize("name", named)


def own_methods(kind):
    """The public methods that a class of the lab defines itself."""
    found = vars(kind).items() if isinstance(kind, type) else ()
    return {
        name: method
        for name, method in found
        if inspect.isfunction(method) and not name.startswith("_")
    }


def doc(subject):
    return inspect.getdoc(subject) or ""


def documented(subject):
    return [(method, doc(method)) for method in own_methods(subject).values()]


def source_of(member):
    """The code that a call of it runs first; a dataclass writes its own."""
    if not isinstance(member, type):
        return inspect.getsource(member)
    plain = "__init__" in vars(member) and not is_dataclass(member)
    return inspect.getsource(member.__init__) if plain else ""


def examples(subject):
    """The examples in the docstring of a name and of its methods."""
    parser = doctest.DocTestParser()
    texts = [doc(subject), *(words for _, words in documented(subject))]
    return [parser.get_examples(text) for text in texts]


@every()
def test_the_signature_tells_every_option_its_type_and_default(name):
    given = inspect.signature(PUBLIC[name]).parameters
    for option in given.values():
        assert option.annotation is not option.empty, option
        # What takes any names or any number says what they are.
        assert option.kind not in STARRED or f"`{option.name}`" in doc(PUBLIC[name]), option


@every(CHECKS)
def test_a_check_shows_that_it_takes_the_exercises_number(name):
    assert inspect.signature(CHECKS[name]).parameters["exercise"].default is None
    assert "`exercise`" in doc(CHECKS[name])


@every(EXPLAINED)
def test_the_docstring_is_more_than_a_line_and_has_an_example(name):
    assert len(doc(EXPLAINED[name]).split("\n\n")) > 1 and examples(EXPLAINED[name])[0]
    for method in own_methods(EXPLAINED[name]).values():
        assert doc(method), method


@every(NAMES)
def test_what_it_raises_is_said(name):
    subject = NAMES[name]
    for member, words in [(subject, doc(subject)), *documented(subject)]:
        raised = re.findall(r"raise (\w+)\(", source_of(member))
        # A `WrongTypeError` is caught, and so documented, as a `TypeError`.
        assert all(error.removeprefix("Wrong") in words for error in raised), member


@every()
def test_shift_tab_and_a_question_mark_show_the_signature_and_the_words(name, shell):
    shown = seen(shell, name)
    option = next(iter(inspect.signature(PUBLIC[name]).parameters), "")
    assert option in shown and doc(PUBLIC[name]).splitlines()[0] in shown
    assert "<no docstring>" not in shown.lower()


@every()
def test_two_question_marks_show_the_source(name, shell):
    subject = inspect.unwrap(PUBLIC[name])
    kind = "class" if isinstance(subject, type) else "def"
    assert f"{kind} {subject.__name__}" in seen(shell, name, detail_level=1)


@every()
def test_help_shows_the_signature_and_the_words(name):
    page = pydoc.plain(pydoc.render_doc(PUBLIC[name]))
    words = [line.strip() for line in page.splitlines()]
    assert doc(PUBLIC[name]).splitlines()[0] in " ".join(words)
    for option in inspect.signature(PUBLIC[name]).parameters:
        assert option in page


@every(EXPLAINED)
def test_the_examples_run_as_they_stand(name, learner, engine, monkeypatch, lab):
    # The local Qwen that `connect()` starts is the app over the fake engine.
    running = SimpleNamespace(base_url=lab.base_url, model=lab.model, token=lab.api_key)
    monkeypatch.setattr(server, "start", lambda: running)
    for cells in examples(EXPLAINED[name]):
        source = "".join(cell.source for cell in cells)
        if "logprobs=True" in source:
            engine.replies.append(with_logprobs())
        if "forced_search" in source:
            # What a search finds is added to the prompt.
            engine.replies.extend(answered(prompt) for prompt in (37, 260))
        with asyncio.Runner() as loop:
            for cell in cells:
                shown, flags = run(cell.source, learner, loop), doctest.ELLIPSIS
                same = doctest.OutputChecker().check_output(cell.want, shown, flags)
                assert same, f"{cell.source}shows\n{shown}"
            loop.run(closed(learner))


def run(source, names, loop):
    """What a cell with this source shows in a notebook, where `await` needs no function."""
    code = compile(source, "<example>", "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        loop.run(awaited(code, names))
    return shown.getvalue()


async def awaited(code, names):
    result = eval(code, names)
    if inspect.iscoroutine(result):
        await result


async def closed(names):
    for client in names.values():
        if isinstance(client, AsyncOpenAI):
            await client.close()
        elif isinstance(client, OpenAI):
            client.close()


def seen(shell, name, detail_level=0):
    """What the kernel answers to Shift+Tab, `?` (0) and `??` (1), without colours."""
    shown = shell.object_inspect_mime(name, detail_level=detail_level)["text/plain"]
    return re.sub(r"\x1b\[[\d;]*m", "", shown)


def answered(prompt):
    return [Prompt(prompt), Piece("40"), End("stop", prompt, 1, 0)]


def with_logprobs():
    """The answer of an engine that was asked how probable its tokens were."""
    tokens = [("Leaves", -0.2), (" fall", -0.1), (".", -0.05)]
    rows = [
        {"token": text, "logprob": logprob, "bytes": list(text.encode()), "top_logprobs": []}
        for text, logprob in tokens
    ]
    pieces = [Piece(row["token"], [row]) for row in rows]
    return [Prompt(5), *pieces, End("stop", 5, len(pieces), 0)]


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """The part of a kernel that answers to Shift+Tab; it keeps no history."""
    silent = Config({"HistoryManager": {"enabled": False}})
    shell = InteractiveShell(config=silent, ipython_dir=str(tmp_path_factory.mktemp("ipython")))
    shell.user_ns["qwen_lab"] = qwen_lab
    return shell


@pytest.fixture
def learner(lab):
    """What the examples may take as given: a lesson's first cells have it."""
    where = {"base_url": lab.base_url, "api_key": lab.api_key}
    return {
        "qwen_lab": qwen_lab,
        "checks": checks,
        "lab": lab,
        "client": OpenAI(**where),
        "async_client": AsyncOpenAI(**where),
        "messages": [{"role": "user", "content": "Write a line about autumn"}],
    }
