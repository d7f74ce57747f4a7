"""JupyterLab as a learner meets it: on loopback, on the lesson, and nothing in front of it."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import psutil
import pytest
from traitlets.config.loader import PyFileConfigLoader

from qwen_lab.setup import jupyter
from qwen_lab.words import LabError

LESSON = {
    "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# 第一课"}],
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}
# A widget as JupyterLab keeps it: what it is in a page with scripts, and without.
WIDGET = "application/vnd.jupyter.widget-view+json"
SHOWN = {WIDGET: {"model_id": "m"}, "text/html": "<p>a picture</p>", "text/plain": "Sampler()"}
OUTPUT = {"output_type": "display_data", "metadata": {}, "data": SHOWN}
CELL = {"cell_type": "code", "id": "b", "metadata": {}, "source": "", "execution_count": 1}
KEPT = {"application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2}}
START = """
import signal
import sys
from pathlib import Path
from qwen_lab.course import lessons
from qwen_lab.setup import jupyter

# As a terminal has it; under nohup it would be ignored.
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
lessons.names = lambda language: ["01_basic_call.ipynb"]
jupyter.run(Path(sys.argv[1]), browser=False)
"""


@contextmanager
def running(folder):
    """A real JupyterLab on one lesson; gives its process and the address it printed."""
    (folder / "zh").mkdir(parents=True)
    (folder / "zh" / "01_basic_call.ipynb").write_text(json.dumps(LESSON), encoding="utf-8")
    settings = {**os.environ, "QWEN_LAB_LANG": "zh", "PYTHONUTF8": "1"}
    settings |= {"JUPYTER_RUNTIME_DIR": str(folder / "r"), "JUPYTER_CONFIG_DIR": str(folder / "c")}
    command = [sys.executable, "-c", START, str(folder)]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    with subprocess.Popen(command, env=settings, **output) as process:
        family = [psutil.Process(process.pid)]
        try:
            lines = []
            while not (found := re.search(r"http://\S+", lines[-1] if lines else "")):
                lines.append(process.stdout.readline() or pytest.fail("".join(lines)))
            family += family[0].children(recursive=True)
            yield process, found[0]
        finally:
            for each in family:
                if each.is_running():
                    each.kill()


def fetch(address, path, body=None):
    """What the server answers at `path` to someone who has the token; a POST with a body."""
    root, token = address.split("lab/tree")[0], address.split("token=")[1]
    request = Request(root + path, body, headers={"Authorization": f"token {token}"})
    with build_opener(ProxyHandler({})).open(request, timeout=60) as answer:
        text = answer.read().decode()
        return json.loads(text) if "json" in answer.headers["Content-Type"] else text


def test_the_printed_address_leads_to_the_lesson_and_asks_for_no_news(tmp_path):
    with running(tmp_path / "my_lessons") as (process, address):
        assert re.match(
            r"http://127\.0\.0\.1:\d+/lab/tree/zh/01_basic_call\.ipynb\?token=", address
        )
        assert fetch(address, "api/contents/zh")["content"][0]["name"] == "01_basic_call.ipynb"
        settings = fetch(address, "lab/api/settings/@jupyterlab/apputils-extension:notification")
        assert settings["schema"]["properties"]["fetchNews"]["default"] == "false"
        for server in psutil.Process(process.pid).children(recursive=True):
            assert address.split("token=")[1] not in " ".join(server.cmdline())


def test_a_lesson_with_kept_widgets_is_exported_with_their_pictures_and_asks_no_cdn(tmp_path):
    lesson = LESSON | {"cells": [CELL | {"outputs": [OUTPUT]}], "metadata": {"widgets": KEPT}}
    with running(tmp_path / "my_lessons") as (_, address):
        path = tmp_path / "my_lessons" / "zh" / "kept.ipynb"
        path.write_text(json.dumps(lesson), encoding="utf-8")
        page = fetch(address, "nbconvert/html/zh/kept.ipynb")
    assert "<p>a picture</p>" in page and WIDGET not in page and "unpkg" not in page


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to pass on")
def test_whoever_ends_the_lab_ends_jupyterlab_with_it(tmp_path):
    with running(tmp_path / "my_lessons") as (process, _):
        [server] = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert not server.is_running()


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGKILL"])
def test_however_the_lab_ends_jupyterlab_and_its_kernels_end_with_it(tmp_path, name):
    with running(tmp_path / "my_lessons") as (process, address):
        fetch(address, "api/kernels", b"{}")
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) >= 2
        # Ctrl-C is heard by both.
        for each in [process, family[0]] if name == "SIGINT" else [process]:
            each.send_signal(getattr(signal, name))
        assert process.wait(120) == (0 if name == "SIGINT" else -getattr(signal, name))
        assert psutil.wait_procs(family, 30)[1] == []
        # What an end in order takes away: the kernel's file, the server's.
        assert list((tmp_path / "my_lessons" / "r").glob("*-*.json")) == []


def test_a_jupyterlab_that_ends_early_is_a_clear_error(monkeypatch, tmp_path):
    monkeypatch.setattr(jupyter.lessons, "names", lambda language: ["01_basic_call.ipynb"])
    broken = [sys.executable, "-c", "import sys; sys.exit(3)"]
    monkeypatch.setattr(jupyter, "command", lambda *a, **k: broken)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(LabError, match="exit code 3"):
        jupyter.run(tmp_path)
    signal.signal(signal.SIGTERM, before)


def test_without_jupyterlab_the_lessons_place_and_two_ways_on_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(jupyter, "find_spec", lambda name: None)
    with pytest.raises(LabError) as caught:
        jupyter.run(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert f"{sys.executable} -m pip install jupyterlab" in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no root")
@pytest.mark.parametrize(("user", "flagged"), [(0, True), (1000, False)])
def test_only_root_is_allowed_as_root(monkeypatch, tmp_path, user, flagged):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    command = jupyter.command(tmp_path, "lab/tree/x.ipynb", browser=True)
    assert ("--allow-root" in command) is flagged
    assert "--no-browser" not in command


def test_the_lab_settings_come_before_the_learners_own_and_the_kernel_knows_the_language(
    monkeypatch,
):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "mine")
    settings = jupyter.environment()
    assert settings["JUPYTER_CONFIG_PATH"].split(os.pathsep) == [str(jupyter.CONFIG), "mine"]
    assert settings["JUPYTER_PREFER_ENV_PATH"] == "1" and settings["QWEN_LAB_LANG"] == "en"
    assert Path(jupyter.CONFIG, "labconfig", "default_setting_overrides.json").is_file()


def test_jupyterlab_breaks_what_a_cell_prints_between_words():
    settings = PyFileConfigLoader("jupyter_server_config.py", str(jupyter.CONFIG)).load_config()
    [folder] = settings.ServerApp.tornado_settings["static_custom_path"]
    assert settings.LabApp.custom_css
    assert "word-break: normal" in Path(folder, "custom.css").read_text(encoding="utf-8")
