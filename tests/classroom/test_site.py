"""The lessons' page at a class's address: a code opens it, and no other page can use the code."""

import pytest
from starlette.testclient import TestClient

from qwen_lab.classroom.seats import Seats
from qwen_lab.classroom.site import SETTINGS, STAND_IN, ByCookie, Site
from qwen_lab.endpoint.app import create_app
from qwen_lab.endpoint.server_file import BASE
from qwen_lab.page import site
from qwen_lab.words import say

HOST = "http://127.0.0.1:8123"
FILES = {
    "lab/index.html": b"<p>lab",
    "a.wasm": b"\0asm" * 500,
    "b.mjs": b"1",
    "c.whl": bytes(range(256)),
}
ASK = {"model": "fake-qwen", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def seats(monkeypatch, tmp_path):
    monkeypatch.setattr("qwen_lab.classroom.seats.WRONG", 0)
    seats = Seats(tmp_path / "seats.csv")
    seats.add(["Ada <b>"])
    return seats


@pytest.fixture
def browser(engine, seats, monkeypatch):
    told = []
    monkeypatch.setattr(site, "files", lambda settings: told.append(settings) or FILES)
    app = create_app(engine, seats.identify, more=Site().routes(seats.identify))
    app.add_middleware(ByCookie)
    with TestClient(app, base_url=HOST, follow_redirects=False) as browser:
        yield browser
    assert told == [SETTINGS]


def enter(browser, code):
    return browser.post("/", data={"code": code}, headers={"origin": HOST})


def ask(browser, *, origin=HOST, key=STAND_IN, **headers):
    headers = {"origin": origin, "authorization": f"Bearer {key}"} | headers
    return browser.post(f"{BASE}/chat/completions", json=ASK, headers=headers).status_code


def test_a_learner_enters_the_code_once_as_it_was_typed_and_the_page_knows_the_name(browser, seats):
    assert say("page.class_code") in browser.get("/").text
    came = enter(browser, f" {seats.seats[0].code.upper().replace('-', ' ')} ")
    assert (came.status_code, came.headers["location"]) == (303, "/")
    kept = came.headers["set-cookie"].lower()
    assert "httponly" in kept and "samesite=lax" in kept and "secure" not in kept
    page = browser.get("/")
    assert "Ada &lt;b&gt;" in page.text and page.headers["cache-control"] == "no-store"
    assert 'id="jupyter-config-data"' in browser.get("/index.html").text


def test_what_the_pages_kernel_asks_is_that_learners(browser, seats):
    assert ask(browser) == 401
    enter(browser, seats.seats[0].code)
    assert ask(browser) == 200
    about = browser.get(f"{BASE}/lab", headers={"authorization": f"Bearer {STAND_IN}"}).json()
    assert about["learner"] == "Ada <b>"


def test_a_wrong_code_is_told_and_kept_nowhere(browser):
    for code in ("aaaa-bbbb-cccc-dddd", "", "小明\r\n"):
        came = enter(browser, code)
        assert came.status_code == 401 and say("page.class_wrong") in came.text
        assert came.text.count('qwen-failed" role="alert">') == 2 and ".qwen-failed{" in came.text
        assert "set-cookie" not in came.headers


def test_no_page_of_another_address_can_use_the_code(browser, seats):
    enter(browser, seats.seats[0].code)
    assert ask(browser, origin="http://127.0.0.1:9999") == 401
    assert ask(browser, origin="null") == 403
    assert ask(browser, origin="https://evil.example") == 403
    assert ask(browser, **{"sec-fetch-site": "same-site"}) == 401
    # A form can carry the cookie, and no key.
    assert ask(browser, key="") == 401
    assert browser.post("/", data={"code": "x"}, headers={"origin": "null"}).status_code == 403


def test_a_code_that_is_given_counts_before_the_cookie(browser, seats):
    enter(browser, seats.seats[0].code)
    assert ask(browser, key="aaaa-bbbb-cccc-dddd") == 401
    browser.cookies.clear()
    assert ask(browser, key=seats.seats[0].code) == 200


def test_a_file_is_sent_small_and_only_when_it_is_another(browser):
    found = browser.get("/a.wasm")
    assert found.content == FILES["a.wasm"] and found.headers["content-type"] == "application/wasm"
    assert (
        found.headers["content-encoding"] == "gzip" and int(found.headers["content-length"]) < 100
    )
    assert browser.get("/a.wasm", headers={"accept-encoding": ""}).content == FILES["a.wasm"]
    again = browser.get("/a.wasm", headers={"if-none-match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert browser.get("/c.whl").content == FILES["c.whl"]
    assert "javascript" in browser.get("/b.mjs").headers["content-type"]
    assert browser.get("/lab/?path=en/00_tour.ipynb").text == "<p>lab"
    for path in ("/../../etc/passwd", "/nothing.js", "/lab"):
        assert browser.get(path).status_code == 404
