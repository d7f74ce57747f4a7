"""How `test` runs all the tests in parts, or a part of them alone."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from qwen_lab.paths import ROOT
from tests.__main__ import suite

TESTS = """
import os
import time
import pytest

def test_a_quick_one():
    assert not [name for name in os.environ if name.startswith("DASHSCOPE")]

@pytest.mark.model
@pytest.mark.parametrize("seconds", [0.5, SLOW])
def test_a_slow_one(seconds, pytestconfig):
    open("running", "w").close()
    time.sleep(seconds)
    open(pytestconfig.getoption("--pictures") or os.devnull, "w").close()
"""


WAITS = """
def test_one_that_waits(pytestconfig):
    if pytestconfig.getoption("--thorough"):
        open("thorough", "w").close()
"""
OPTIONS = """
def pytest_addoption(parser):
    parser.addoption("--pictures")
    parser.addoption("--thorough", action="store_true")
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout with tests of its own, and a lesson that prints "seen"."""
    for folder in ("checks", "classroom", "page"):
        (tmp_path / "tests" / folder).mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    for name in ("pyproject.toml", "notebooks/conftest.py", "notebooks/sanitize.cfg"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    shutil.copyfile(ROOT / "tests" / "__main__.py", tmp_path / "tests" / "__main__.py")
    (tmp_path / "tests" / "conftest.py").write_text(OPTIONS, encoding="utf-8")
    (tmp_path / "tests" / "checks" / "test_waits.py").write_text(WAITS, encoding="utf-8")
    write(tmp_path, TESTS.replace("SLOW", "1.5"), "seen\n")
    return tmp_path


def write(checkout, tests, stored):
    (checkout / "tests" / "test_all.py").write_text(tests, encoding="utf-8")
    shown = new_output("stream", text=stored)
    cell = new_code_cell("print('seen')", outputs=[shown], execution_count=1)
    nbformat.write(new_notebook(cells=[cell]), checkout / "notebooks" / "lesson.ipynb")


def run(checkout, *arguments):
    command = [sys.executable, "tests", *arguments]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True)


def test_all_the_tests_and_lessons_run_and_the_slowest_are_named(checkout):
    done = run(checkout, "--thorough", "--pictures", "kept")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed, 2 deselected" in done.stdout and "1 passed, 2 deselected" in done.stdout
    parts = re.findall(r"^(\w+ passed: \d+) in \d+ s$", done.stdout, re.M)
    told = ["model passed: 2", "others passed: 1", "waiting passed: 1", "lessons passed: 1"]
    assert parts == told
    slowest = re.findall(r"^ +([\d.]+) s  (\S+)", done.stdout, re.M)
    seconds = [float(each) for each, _ in slowest]
    assert seconds == sorted(seconds, reverse=True) and len(seconds) == 5
    assert "tests.test_all::test_a_slow_one[1.5]" in [name for _, name in slowest[:2]]
    assert re.match(r"=+ 5 passed in [\d.]+s =+$", done.stdout.splitlines()[-1])
    assert (checkout / "kept").exists() and (checkout / "thorough").exists()


ONE = """
import os
import pytest

def test_one():
    {}

@pytest.mark.model
def test_another():
    {}
"""


@pytest.mark.parametrize(
    ("one", "another", "stored", "failed"),
    [
        ("assert 0", "pass", "seen\n", {"others": 1}),
        ("pass", "os.kill(os.getpid(), 9)", "other\n", {"lessons": 1, "model": 9}),
    ],
)
def test_one_part_that_fails_is_enough(checkout, one, another, stored, failed):
    write(checkout, ONE.format(one, another), stored)
    done = run(checkout)
    assert done.returncode == max(failed.values())
    for name, code in failed.items():
        assert f"{name} failed (exit code {code}): 1 in" in done.stdout
    assert done.stdout.count(" passed: 1 in ") == 4 - len(failed)
    last = f"=+ {4 - len(failed)} passed, 1 failures(, 1 errors)? in "
    assert re.match(last, done.stdout.splitlines()[-1])


def test_a_report_that_breaks_off_is_an_error(tmp_path):
    (tmp_path / "model.xml").write_text('<testsuites><testsuite name="pyt')
    assert suite(tmp_path / "model.xml").get("errors") == "1"


def test_with_a_folder_or_an_option_it_is_pytest_alone(checkout):
    done = run(checkout, "tests", "-k", "quick")
    assert done.returncode == 0 and "1 passed, 3 deselected" in done.stdout
    assert "lesson" not in done.stdout and run(checkout, "no_such_folder").returncode == 4


@pytest.mark.skipif(os.name == "nt", reason="Windows has no group to interrupt")
def test_ctrl_c_ends_every_part(checkout):
    write(checkout, TESTS.replace("0.5, SLOW", "60"), "seen\n")
    command = [sys.executable, "tests"]
    with subprocess.Popen(
        command, cwd=checkout, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as runner:
        while not (checkout / "running").exists():
            time.sleep(0.1)
        os.killpg(runner.pid, signal.SIGINT)
        assert "KeyboardInterrupt" in runner.stdout.read()
    # pytest ends with 2; nbval, whose kernel was about to start, may say 3.
    assert runner.returncode in (2, 3)
    with pytest.raises(ProcessLookupError):
        os.killpg(runner.pid, 0)
