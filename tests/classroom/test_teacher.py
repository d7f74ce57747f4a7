"""The teacher's page: what it is given, to whom, and what it lets the teacher do."""

import csv
import io
import re
import time

import pytest
from starlette.testclient import TestClient

from qwen_lab.classroom import door, teacher
from qwen_lab.classroom.allowance import Allowance, Limits
from qwen_lab.classroom.config import Config
from qwen_lab.classroom.ledger import Ledger
from qwen_lab.classroom.progress import Progress
from qwen_lab.classroom.teacher import Roll, create_page
from qwen_lab.paths import home

TOKEN, PORT = "teachers-token", 8123
NUMBERS = ["01.1", "01.2", "02.1"]


@pytest.fixture
def roll(tmp_path):
    progress = Progress(tmp_path / "progress", NUMBERS)
    ledger = Ledger(tmp_path / "ledger.jsonl")
    return Roll(lambda: ["Ada", "=1+1"], progress, Allowance(ledger, Limits(tokens=500)), ledger)


@pytest.fixture
def http(roll):
    page = create_page(roll, TOKEN, [f"127.0.0.1:{PORT}"])
    with TestClient(page, f"http://127.0.0.1:{PORT}") as client:
        yield client


KEY = {"authorization": f"Bearer {TOKEN}"}


def test_the_page_holds_nothing_of_anybody_and_loads_its_own_script_alone(http):
    page = http.get("/")
    assert "Ada" not in page.text and 'src="teacher.js"' in page.text
    script = http.get("/teacher.js").text
    assert not re.findall(r"https?://", page.text + script) and script.count("fetch(") == 1
    assert {*re.findall(r"\bask\((.+?)[,)]", script)} == {"path", '"overview"', '"reset"', '"csv"'}
    for answer in (page, http.get("/overview", headers=KEY), http.get("/csv", headers=KEY)):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store" and not answer.cookies


@pytest.mark.parametrize("given", [{}, {"authorization": "Bearer code-a"}, {"cookie": TOKEN}])
def test_who_has_not_its_token_sees_and_resets_nothing(http, roll, given):
    roll.ledger.reserve("Ada", 100, 0)
    for answer in (
        http.get("/overview", headers=given),
        http.get("/csv", headers=given),
        http.post("/reset", headers=given, json="Ada"),
    ):
        assert answer.status_code == 401 and "Ada" not in answer.text
    assert roll.ledger.tokens["Ada"] == 100


def test_another_origin_is_turned_away_even_of_the_same_host(http, roll):
    for origin in (f"http://127.0.0.1:{PORT + 1}", "http://127.0.0.1", "https://evil.example"):
        assert http.post("/reset", headers=KEY | {"origin": origin}, json="Ada").status_code == 403
    own = KEY | {"origin": f"http://127.0.0.1:{PORT}"}
    assert http.post("/reset", headers=own, json="Ada").status_code == 200
    assert http.get("/", headers={"host": "evil.example"}).status_code == 400


def test_it_shows_where_each_learner_is(http, roll):
    for number, status in [
        ("01.1", "passed"),
        ("01.2", "wrong"),
        ("02.1", "wrong"),
        ("02.1", "wrong"),
    ]:
        roll.progress.note("Ada", number, status)
    # Somebody without a seat, as a hub may have.
    roll.progress.note("Bo", "01.1", "passed")
    roll.progress.seen["Ada"] = 0
    call = roll.ledger.reserve("Ada", 100, 0)
    found = http.get("/overview", headers=KEY).json()
    assert found["exercises"] == NUMBERS
    ada, odd, bo = found["learners"]
    assert ada["exercises"] == {"01.1": ["passed", 1], "01.2": ["wrong", 1], "02.1": ["wrong", 2]}
    assert (ada["stuck"], ada["used"], ada["left"]) == ("02.1", 100, 400) and ada["seen"] > 10**9
    assert odd == {
        "name": "=1+1",
        "seen": None,
        "used": 0,
        "left": 500,
        "stuck": None,
        "exercises": {},
    }
    assert (bo["name"], bo["stuck"]) == ("Bo", None)
    roll.ledger.settle(call, 100, 0)
    assert http.post("/reset", headers=KEY, json="Ada").status_code == 200
    assert roll.allowance.left("Ada") == 500
    for nobody in ("Eve", None, ["Ada"], {"name": "Ada"}):
        assert http.post("/reset", headers=KEY, json=nobody).status_code == 400


def test_the_csv_is_a_row_a_learner_and_no_name_is_a_formula(http, roll):
    roll.progress.note("=1+1", "01.1", "wrong")
    roll.progress.seen["=1+1"] = int(time.time())
    answer = http.get("/csv", headers=KEY)
    ada, odd = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert ada["Learner"] == "Ada" and ada["Tokens left"] == "500"
    assert ada["Exercise 01.1"] == ada["Last seen"] == ""
    assert odd["Learner"] == "'=1+1" and odd["Stuck at (tries)"] == "Exercise 01.1 (1)"
    assert (odd["Exercise 01.1"], odd["Exercise 01.1, tries"]) == ("wrong", "1")
    assert time.strptime(odd["Last seen"], "%Y-%m-%d %H:%M") >= time.gmtime(0)
    # A bare "01.1" would be the number 1.1.
    assert not [cell for row in (ada, odd) for cell in (*row, *row.values()) if "." in cell[:3]]


def test_a_class_has_the_page_at_a_port_of_its_own_and_shows_its_token_on_no_screen(
    monkeypatch, engine, capsys
):
    opened = []

    def run(app, listeners, watch):
        opened.append((app, [each.getsockname() for each, _ in listeners]))
        for each, _ in listeners:
            each.close()

    monkeypatch.setattr(door.listener, "serve", run)
    monkeypatch.setattr(door, "_local", lambda place: lambda: engine)
    for _ in range(2):
        door.hold(["Ada"], Config())
    said = capsys.readouterr()
    assert opened[0][1] == opened[1][1]
    app, [(_, class_port), (host, port)] = opened[1]
    link = home() / "class" / teacher.LINK
    url, token = re.search(r'href="(http://127.0.0.1:\d+/)#([\w-]+)"', link.read_text()).groups()
    assert url == f"http://{host}:{port}/" and port != class_port
    assert token not in said.out + said.err and str(link) in said.out
    headers = {"authorization": f"Bearer {token}"}
    with TestClient(app, url, headers=headers) as page:
        [ada] = page.get("/overview").json()["learners"]
        assert ada["name"] == "Ada"
    # The class's own address knows neither the page nor its token.
    with TestClient(app, f"http://127.0.0.1:{class_port}", headers=headers) as http:
        assert http.get("/overview").status_code == 404
        assert http.get("/compatible-mode/v1/lab").status_code == 401


def test_both_languages_have_words_for_all_that_the_script_says():
    script = teacher.SCRIPT.read_text(encoding="utf-8")
    said = {*re.findall(r'say\("(\w+)"', script), *re.findall(r"words\.(\w+)", script)}
    assert said | {"passed", "wrong", "open"} <= {*teacher.patterns("teacher")}
