"""A server's process, by small programs in the place of a server."""

import os
import subprocess
import sys

import psutil
import pytest

from qwen_lab.endpoint import server_process

# Says a lot by Python, and by the system's own way as the engine does; looks at its log between.
TALK = """
import logging, os, pathlib, sys
from qwen_lab.endpoint import server_process
server_process.LONGEST_LOG = 1000
for number in range(50):
    logging.warning("line %d " + "x" * 90, number)
    os.write(1, b"engine\\n")
    server_process.turn_log(pathlib.Path.cwd())
"""


def test_a_log_stays_short_and_what_it_said_last_is_kept(tmp_path):
    assert server_process.spawn(tmp_path, TALK).wait(60) == 0
    now, before = ((tmp_path / name).read_text() for name in ("server.log", "server.1.log"))
    assert len(now) < 1200 and len(before) < 1200 and "\0" not in now
    said = [line for line in (before + now).splitlines() if "line" in line]
    assert [line.split()[1] for line in said] == [
        str(50 - len(said) + at) for at in range(len(said))
    ]
    assert "engine" in now


def test_the_log_of_another_process_is_left_alone(tmp_path):
    (tmp_path / "server.log").write_text("x" * 5_000_000)
    server_process.turn_log(tmp_path)
    assert os.listdir(tmp_path) == ["server.log"]


def test_a_log_that_is_gone_or_cannot_be_kept_stops_nobody(tmp_path):
    gone = "import os; os.remove('server.log')\n"
    (tmp_path / "server.1.log").mkdir()
    for code in (gone + TALK, TALK):
        assert server_process.spawn(tmp_path, code).wait(60) == 0


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_process_that_will_not_end_is_ended_and_one_that_is_gone_is_none(monkeypatch):
    deaf = "import signal as s; s.signal(s.SIGTERM, s.SIG_IGN); print(1, flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", deaf], **pipes) as child:
        child.stdout.readline()
        wait = psutil.Process.wait
        monkeypatch.setattr(psutil.Process, "wait", lambda process, _: wait(process, 0.2))
        server_process.end(child.pid)
        assert child.wait(30) == -9
    server_process.end(child.pid)
