"""A hub's tokens, asked of a server that answers as JupyterHub's `/hub/api/user` does."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from qwen_lab.classroom import hub
from qwen_lab.classroom.hub import Hub
from qwen_lab.endpoint.learner import Learner
from qwen_lab.endpoint.refusal import Refusal
from tests.conftest import serving

OURS = "access:services!service=qwen"
USERS = {
    "ada": {"kind": "user", "name": "ada", "scopes": ["self", OURS]},
    "bo": {"kind": "user", "name": "小明", "scopes": ["access:services"]},
    "foreign": {"kind": "user", "name": "eve", "scopes": ["access:services!service=other"]},
    "server": {"kind": "user", "name": "eve", "scopes": ["access:servers!server=eve/"]},
    "service": {"kind": "service", "name": "qwen", "scopes": [OURS]},
    "odd": {"kind": "user"},
}


class Made:
    """The hub: who is known, how often it was asked, and how it answers."""

    def __init__(self):
        self.users, self.asked, self.says, self.waits = dict(USERS), [], None, 0

    async def user(self, request):
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        self.asked.append((kind, given))
        await asyncio.sleep(self.waits)
        if self.says:
            return self.says
        if user := self.users.get(given):
            return JSONResponse(user)
        return JSONResponse({"status": 403, "message": "Forbidden"}, 403)


@pytest.fixture
def made():
    return Made()


@pytest.fixture
def ask(made):
    """Asks for tokens one after the other; gives what came of each, refusals too."""
    app = Starlette(routes=[Route("/hub/api/user", made.user)])

    @asynccontextmanager
    async def opened(port):
        each = Hub(f"http://127.0.0.1:{port}/hub/api", "qwen")
        async with each._http:
            yield each

    async def work(port, given, between):
        async with opened(port) as each:
            found = []
            for token in given:
                try:
                    found.append(await each.identify(token))
                except Refusal as refusal:
                    found.append(refusal.status)
                between()
            return found

    with serving(app) as port:
        yield lambda *given, between=lambda: None: asyncio.run(work(port, given, between))


def test_a_users_token_with_the_right_scope_is_let_in(ask, made):
    assert ask("ada", "bo") == [Learner("ada"), Learner("小明")]
    assert made.asked == [("token", "ada"), ("token", "bo")]


@pytest.mark.parametrize("given", ["unknown", "foreign", "server", "service"])
def test_every_other_token_is_not(ask, given):
    assert ask(given) == [None]


@pytest.mark.parametrize("given", ["", "小明", "a\nb", "\udc80", "a\tb"])
def test_what_can_be_no_token_is_not_even_asked(ask, made, given):
    assert ask(given) == [None] and made.asked == []


def test_the_hub_is_asked_once_a_minute_for_each_token(ask, made, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr(hub, "monotonic", lambda: now[0])

    def revoke():
        made.users.pop("ada", None)
        now[0] += 25

    found = ask("ada", "ada", "ada", "ada", "unknown", "unknown", between=revoke)
    # A revoked token is dead within the minute.
    assert found == [Learner("ada")] * 3 + [None] * 3
    assert [given for _, given in made.asked] == ["ada", "ada", "unknown"]


def test_only_so_many_are_remembered(ask, made, monkeypatch):
    monkeypatch.setattr(hub, "REMEMBERED", 1)
    assert ask("ada", "bo", "ada") == [Learner("ada"), Learner("小明"), Learner("ada")]
    assert len(made.asked) == 3


@pytest.mark.parametrize(
    "says",
    [
        JSONResponse({}, 500),
        PlainTextResponse("<html>", 200),
        JSONResponse([], 200),
        JSONResponse({"kind": "user", "scopes": [OURS]}),
        JSONResponse({"kind": "user", "name": "a", "scopes": None}),
    ],
)
def test_a_hub_that_does_not_say_lets_nobody_in_and_is_asked_again(ask, made, says):
    made.says = says

    def mend():
        made.says = None

    assert ask("ada", "ada", between=mend) == [503, Learner("ada")]


def test_a_hub_that_takes_too_long_lets_nobody_in_and_is_asked_again(ask, made, monkeypatch):
    monkeypatch.setattr(hub, "PATIENCE", 0.5)
    made.waits = 1.5

    def mend():
        made.waits = 0

    assert ask("ada", "ada", between=mend) == [503, Learner("ada")]


def test_a_hub_that_is_not_there_lets_nobody_in():
    async def work():
        each = Hub("http://127.0.0.1:9/hub/api", "qwen")
        async with each._http:
            with pytest.raises(Refusal) as caught:
                await each.identify("ada")
        assert caught.value.status == 503 and "ada" not in str(caught.value)

    asyncio.run(work())
