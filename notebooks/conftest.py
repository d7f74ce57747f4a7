"""`pytest --nbval notebooks`: each lesson runs on its tape, all that its cells show is compared.

It needs no key, no model and no variable; those of the shell do not reach the lessons.
"""

import contextlib
import copy
import os
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HOMES = pytest.StashKey[tempfile.TemporaryDirectory]()
SECONDS_A_CELL = 60


def pytest_configure(config):
    """Give nbval the options that the command line does not give."""
    if not (config.getoption("nbval", False) or config.getoption("nbval_lax", False)):
        return
    option = config.option
    # The kernel of this Python, not one of the same name that the user once installed.
    option.nbval_current_env = not option.nbval_kernel_name
    option.nbval_sanitize_with = option.nbval_sanitize_with or str(HERE / "sanitize.cfg")
    option.nbval_cell_timeout = min(option.nbval_cell_timeout, SECONDS_A_CELL)
    config.stash[HOMES] = tempfile.TemporaryDirectory()


def pytest_sessionfinish(session):
    if homes := session.config.stash.get(HOMES, None):
        homes.cleanup()


def pytest_itemcollected(item):
    """Let no warning of a kernel fail a lesson, though one of this project's own tests fails."""
    item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Start a lesson's kernel with its tape, and with an empty home for what it notes down."""
    language, lesson = item.path.parent.name, item.path.stem
    with pytest.MonkeyPatch.context() as shell:
        for name in list(os.environ):
            if name.startswith(("DASHSCOPE_", "OPENAI_", "QWEN_LAB_")) or "_proxy" in name.lower():
                shell.delenv(name)
        shell.setenv("QWEN_LAB_ENDPOINT", "replay")
        shell.setenv("QWEN_LAB_TAPE", str(HERE / "tape" / language / f"{lesson}.jsonl"))
        shell.setenv("QWEN_LAB_HOME", os.path.join(item.config.stash[HOMES].name, language, lesson))
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Prove with each cell that it would fail if any of its stored outputs were changed."""
    if not item.config.option.nbval:
        return (yield)
    compare, proved = item.compare_outputs, []

    def prove_and_compare(shown, stored):
        proved.append(not any(compare(shown, other) for other in changed(item, stored)))
        return compare(shown, stored)

    item.compare_outputs = prove_and_compare
    with contextlib.suppress(pytest.skip.Exception):
        yield
    if proved != [True]:
        item.raise_cell_error("nbval does not compare all that this cell shows")


def changed(item, stored):
    """The stored outputs, once for each text in them, with a sign more in that one."""
    for at, output in enumerate(stored):
        for kind, text in output.get("data", output).items():
            if isinstance(text, str) and kind not in item.parent.skip_compare:
                others = copy.deepcopy(stored)
                others[at].get("data", others[at])[kind] += "?"
                yield others
