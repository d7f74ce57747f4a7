"""Requests that nobody would write: whatever comes, the endpoint answers or refuses, and lives."""

import json

import httpx2
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_lab.endpoint import server
from qwen_lab.endpoint.server_file import BASE
from qwen_lab.endpoint.weather import FAULT, LATENCY
from qwen_lab.parameters import PARAMETERS
from tests.sizes import CALL, HELLO, shapes, sizes, talk_shapes
from tests.strange import fuzz, written

CHAT = f"{BASE}/chat/completions"
ROLES = ["system", "user", "assistant", "tool", "function", "developer"]
FORMATS = [{"type": "text"}, {"type": "json_object"}, {"type": "json_schema"}, {"type": "xml"}]


words = st.text(max_size=6) | st.sampled_from(["json", "\0", "<|im_end|>", "好" * 99])
finite = st.floats(allow_nan=False, allow_infinity=False)
numbers = st.integers() | finite | st.sampled_from([2**31, 2**63, -(2**63), 1e308])
anything = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
keywords = "type properties items anyOf allOf $ref $defs required enum minLength maxItems pattern"
schemas = st.recursive(
    anything | st.sampled_from([{"type": "string"}, {"$ref": "#/$defs/a"}, {"type": "integer"}]),
    lambda inner: st.dictionaries(
        st.sampled_from(keywords.split()), inner | st.lists(inner, max_size=3), max_size=4
    ),
    max_leaves=8,
)
functions = st.fixed_dictionaries({"name": st.just("f") | words}, optional={"parameters": schemas})
tools = st.lists(st.fixed_dictionaries({"type": st.just("function"), "function": functions}))
contents = words | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": words}))
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(ROLES) | anything, "content": contents | anything},
        optional={
            "tool_calls": st.just([CALL]) | anything,
            "tool_call_id": st.just("c") | anything,
            "partial": st.booleans() | anything,
        },
    ),
    max_size=4,
)
special = {
    "messages": st.just(HELLO) | messages | anything,
    "model": st.just("qwen-plus") | anything,
    "tools": tools | anything,
    "tool_choice": st.sampled_from(["auto", "none", "required"]) | anything,
    "response_format": st.sampled_from(FORMATS)
    | schemas.map(lambda schema: {"type": "json_schema", "json_schema": {"schema": schema}})
    | anything,
    "stream_options": st.just({"include_usage": True}) | anything,
}


def value(row):
    """A value of the row's range, its ends, what lies beyond them, or anything."""
    if row.kind is bool:
        return st.booleans() | anything
    ends = [end for end in (row.low, row.high, row.default) if end is not None]
    if not ends:
        return anything
    inside = st.sampled_from([end for end in ends if row.allows(end)])
    return inside | st.sampled_from([end + step for end in ends for step in (-1, 1)]) | anything


fields = {name: value(row) for name, row in PARAMETERS.items()} | special
usual = {"model": st.just("qwen-plus"), "messages": st.just(HELLO)}
# A request that is right but for one field or two, or has all at random.
names = st.sampled_from(sorted(fields))
one = names.flatmap(lambda name: st.fixed_dictionaries({name: fields[name]}))
strange = one | st.builds(dict.__or__, one, one) | st.fixed_dictionaries({}, optional=fields)
bodies = st.builds(dict.__or__, st.fixed_dictionaries(usual), strange)
NO_JSON = [
    b"NaN",
    b"-Infinity",
    b'"\\ud800"',
    b"1" * 5_000,
    b"1e999",
    b'"\xff"',
    b"{",
    b"[" * 9_999,
]


def check(response):
    """A right answer, a right stream, or a right refusal."""
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        body = response.json()
        assert body["error"].keys() == {"message", "type", "param", "code"}
        assert body["error"]["message"] and body["request_id"]
    elif response.headers["content-type"].startswith("text/event-stream"):
        events = response.text.split("\n\n")
        assert events[-2:] == ["data: [DONE]", ""]
        assert all(json.loads(event.removeprefix("data: "))["id"] for event in events[:-2])
    else:
        answer = response.json()
        assert answer["choices"] and answer["usage"]["total_tokens"]


@fuzz(1_500)
@given(bodies)
def test_any_request_is_answered_or_refused(http, body):
    check(http.post(CHAT, content=written(body)))


@fuzz(300)
@given(st.binary(max_size=60) | anything.map(written) | bodies.map(lambda body: written(body)[:-1]))
def test_any_bytes_are_refused(http, content):
    check(http.post(CHAT, content=content))


@pytest.mark.parametrize("name", ["messages", "temperature", "nobody_knows"])
@pytest.mark.parametrize("text", NO_JSON)
def test_what_is_no_json_is_refused(http, name, text):
    body = {"model": "qwen-plus", "messages": HELLO, name: "HERE"}
    response = http.post(CHAT, content=written(body).replace(b'"HERE"', text))
    check(response)
    assert response.status_code == 400


looks = {"messages": messages, "prefix": anything, "tail": anything}


@fuzz(200)
@given(anything | st.fixed_dictionaries({}, optional=looks))
def test_any_question_for_the_next_token_is_answered_or_refused(http, body):
    response = http.post("/compatible-mode/v1/lab/next_token", content=written(body))
    if response.status_code != 200:
        check(response)


@fuzz(100)
@given(st.text())
def test_any_question_can_be_searched(http, question):
    question = question.encode(errors="replace").decode()
    found = http.get("/compatible-mode/v1/lab/search", params={"question": question})
    assert "notes" in found.json()


@fuzz(60)
@given(shapes, sizes)
def test_a_request_of_any_size_is_answered_or_refused(http, shape, size):
    body = {"model": "qwen-plus", "messages": HELLO, **shape(*size)}
    check(http.post(CHAT, content=written(body)))
    assert http.get("/health").json()["status"] == "ok"


@fuzz(25)
@given(sizes, talk_shapes)
def test_a_question_of_any_size_for_the_next_token_is_answered_or_refused(http, size, shape):
    count, length = size
    for body in (shape(*size), {"messages": HELLO, "prefix": [7] * (count * length // 2)}):
        response = http.post("/compatible-mode/v1/lab/next_token", content=written(body))
        if response.status_code != 200:
            check(response)
    assert http.get("/health").json()["status"] == "ok"


JUNK = [b"", b";", b"429;times=-1", b"nonsense", b"cut;after=x", b"429;times=1e9", b"\xff\xfe"]
JUNK += [b"nan", b"inf", b"-1", b"1e999", b"0x1", b"429;429", b"500;times=" + b"9" * 5_000, b"=;="]


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("header", [FAULT, LATENCY])
def test_a_senseless_weather_header_is_refused_and_does_no_harm(http, header, junk):
    body = {"model": "qwen-plus", "messages": HELLO}
    check(http.post(CHAT, json=body, headers={header: junk}))


def deep(inner, count):
    return {"type": "array", "items": deep(inner, count - 1)} if count else inner


def lists(*alternatives):
    return {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [*alternatives, {"type": "null"}]}}}


AGAIN = {"type": "array", "items": {"$ref": "#/$defs/a"}, "minItems": 2}
# Each of these took the bare engine minutes, all memory, or made it fail.
HOSTILE = [
    {"type": "object", "properties": {f"p{number}": {} for number in range(5_000)}},
    {"type": "string", "minLength": 10, "maxLength": 2},
    {"type": "string", "minLength": 10**8},
    {"type": "string", "pattern": "^a{2,1}$"},
    {"type": "string", "pattern": "^a{99999999999999999999}$"},
    {"type": "string", "pattern": "^(a?b?c?d?e?f?g?h?){50}$"},
    {"type": "string", "pattern": "^" + "(" * 2_000 + ")" * 2_000 + "$"},
    {"type": "array", "items": [{"type": "string", "pattern": "^([a-z]?[a-y]?[a-x]?){10}$"}]},
    {"type": "integer", "minimum": 10**18},
    {"type": "integer", "minimum": 10**400},
    {"type": "integer", "minimum": 5, "maximum": 2},
    {"type": "object", "minProperties": 5},
    {"anyOf": [{"anyOf": [{"const": number}] * 9} for number in range(100)]},
    lists(AGAIN, AGAIN, AGAIN),
    lists({"anyOf": [{"$ref": "#/$defs/a"}]}),
    deep({"type": "string"}, 40),
]


@pytest.fixture
def alive(home, monkeypatch):
    """Ask the real server; it must be the same process before and after."""
    monkeypatch.setenv("QWEN_LAB_HOME", str(home))
    running = server.start()
    headers = {"authorization": f"Bearer {running.token}"}
    with httpx2.Client(base_url=running.base_url, headers=headers, timeout=300) as client:
        yield client
    assert psutil.pid_exists(running.pid) and server.start().pid == running.pid


@pytest.mark.model
def test_the_real_server_outlives_hostile_schemas(alive):
    def ask(**asked):
        body = {"model": "qwen-plus", "messages": HELLO, "max_tokens": 8, **asked}
        response = alive.post("/chat/completions", content=written(body))
        check(response)
        return response.status_code

    for schema in HOSTILE:
        form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
        status = ask(response_format=form)
        # A tool that is not refused is read with the prompt, a long one for a quarter of a minute.
        if status == 400 or len(written(schema)) < 2_000:
            tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
            ask(tools=[tool], tool_choice="required")


@pytest.mark.model
@fuzz(100)
@given(bodies, st.integers(1, 4))
def test_the_real_server_outlives_any_request(alive, body, most):
    check(alive.post("/chat/completions", content=written(body | {"max_tokens": most})))


@pytest.mark.model
@fuzz(15)
@given(shapes, sizes)
def test_the_real_server_outlives_a_request_of_any_size(alive, shape, size):
    body = {"model": "qwen-plus", "messages": HELLO, "max_tokens": 2, **shape(*size)}
    check(alive.post("/chat/completions", content=written(body)))
    assert alive.get(str(alive.base_url.join("/health"))).json()["status"] == "ok"
