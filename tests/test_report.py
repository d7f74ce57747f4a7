"""In a class the checks tell how an answer was judged, and no check fails or waits for that."""

import subprocess
import sys
import threading
from types import SimpleNamespace

import httpx2
import pytest
from starlette.responses import JSONResponse
from starlette.routing import Route

import qwen_lab
from qwen_lab import checks, report
from qwen_lab.endpoint.app import create_app
from qwen_lab.endpoint.learner import Learner
from qwen_lab.endpoint.server_file import BASE

RIGHT, WRONG = [{"role": "user", "content": "My secret answer"}], [{"role": "system"}]


@pytest.fixture
def told():
    """What the class was told, in full, and an event for each time."""
    return SimpleNamespace(bodies=[], status=200, news=threading.Semaphore(0))


@pytest.fixture
def app(engine, told):
    async def identify(token):
        return Learner("Ada") if token == "code" else None

    async def take(request):
        told.bodies.append(await request.json())
        told.news.release()
        return JSONResponse({}, told.status)

    return create_app(
        engine, identify, more=[Route(f"{BASE}/lab/progress", take, methods=["POST"])]
    )


@pytest.fixture(autouse=True)
def nobody_told():
    yield
    report.to(qwen_lab.Lab("", "m", "custom", "k"))


def judge(answer, number="01.1"):
    return checks.messages.roles(answer, "user", exercise=number).status


def test_the_class_is_told_the_exercise_and_the_verdict_and_nothing_else(served, told, capsys):
    qwen_lab.connect(served, code="code")
    assert "which exercises you tried and passed" in capsys.readouterr().out
    assert (judge(WRONG), judge(...), judge(RIGHT)) == ("wrong", "not yet", "passed")
    for _ in range(2):
        assert told.news.acquire(timeout=60)
    assert told.bodies == [
        {"exercise": "01.1", "status": "wrong"},
        {"exercise": "01.1", "status": "passed"},
    ]
    assert "class is told" in str(qwen_lab.progress().html)


def test_who_is_in_no_class_tells_nobody(served, told, monkeypatch):
    monkeypatch.setattr(report.threading, "Thread", None)
    assert judge(RIGHT) == "passed"
    qwen_lab.connect(served, code="code")
    # The learner goes on with another server.
    monkeypatch.setenv("QWEN_LAB_MODEL", "m")
    qwen_lab.connect(served, code="code")
    assert judge(RIGHT) == "passed" and not told.bodies
    assert "sent nowhere" in str(qwen_lab.progress().html)


def test_a_class_out_of_reach_costs_no_verdict_and_is_told_the_next_time(served, told, monkeypatch):
    qwen_lab.connect(served, code="code")
    reached, hangs, over = httpx2.post, threading.Event(), threading.Semaphore(0)
    waited = []

    def silent(*_, **__):
        waited.append(hangs.wait(60))
        over.release()
        raise httpx2.ConnectTimeout("")

    monkeypatch.setattr(httpx2, "post", silent)
    # Nobody answers, and the check has its verdict.
    assert judge(WRONG) == "wrong"
    hangs.set()
    assert over.acquire(timeout=60) and waited == [True]
    monkeypatch.setattr(httpx2, "post", reached)
    assert judge(RIGHT, "01.3") == "passed"
    for _ in range(2):
        assert told.news.acquire(timeout=60)
    assert [each["exercise"] for each in told.bodies] == ["01.1", "01.3"]


def test_a_program_that_ends_at_once_has_told_the_class(served, told):
    code = (
        "import sys, qwen_lab; qwen_lab.connect(sys.argv[1], code='code')\n"
        "said = [{'role': 'user', 'content': 'Hi'}]\n"
        "qwen_lab.checks.messages.roles(said, 'user', exercise='01.3')"
    )
    subprocess.run([sys.executable, "-c", code, served], check=True)
    assert told.bodies == [{"exercise": "01.3", "status": "passed"}]


def test_what_a_class_refuses_does_not_stand_in_the_way(served, told):
    qwen_lab.connect(served, code="code")
    told.status = 400
    for number in ("01.1", "01.2"):
        judge(RIGHT, number)
        assert told.news.acquire(timeout=60)
    assert [each["exercise"] for each in told.bodies] == ["01.1", "01.2"]
