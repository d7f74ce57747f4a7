"""A tape that somebody changed: whatever stands there, it plays or is no tape."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from qwen_lab.endpoint.app import BASE, create_app
from qwen_lab.endpoint.engine import End, Piece, Prompt, Thought
from qwen_lab.endpoint.learner import alone
from qwen_lab.endpoint.refusal import invalid
from qwen_lab.endpoint.tape import Player, Recorder
from qwen_lab.watch import next_token
from qwen_lab.words import LabError
from tests.strange import fuzz

LOGPROBS = [{"token": "好", "logprob": -0.1, "bytes": [229], "top_logprobs": []}]
HELLO = [{"role": "user", "content": "你好"}]
NEXT = {"messages": HELLO, "prefix": "好", "tail": True}
THINKING = {"seed": 1, "enable_thinking": True, "logprobs": True}
numbers = st.integers() | st.floats() | st.sampled_from([-1, 2**31, 2**63, 10**400, float("nan")])
texts = st.text(max_size=5) | st.sampled_from(["\ud800", "stop", "\u2028"])
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def played(engine):
    """The statuses of the same requests to whatever answers."""
    headers = {"authorization": "Bearer t"}
    http = TestClient(create_app(engine, alone("t")), base_url="http://127.0.0.1", headers=headers)
    chat = {"model": "qwen-plus", "messages": HELLO}
    asked = [chat | THINKING | {"stream": True}, chat | {"seed": 2}]
    answers = [http.post(f"{BASE}/chat/completions", json=body) for body in asked]
    answers.append(http.post("/compatible-mode/v1/lab/next_token", json=NEXT))
    if answers[-1].status_code == 200:
        assert next_token.load(answers[-1].content).logprobs.dtype == "float32"
    return ["broken" if '"internal_error"' in each.text else each.status_code for each in answers]


@pytest.fixture
def tape(engine, tmp_path):
    """A tape with all that a tape can have, and its lines."""
    engine.thinks, file = True, tmp_path / "tape.jsonl"
    said = [Thought("想"), Piece("你"), Piece("好", LOGPROBS)]
    engine.replies.append([Prompt(5), *said, End("stop", 5, 3, 0)])
    engine.replies.append([invalid("too long")])
    assert played(Recorder(engine, file)) == [200, 400, 200]
    return file, [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def places(value, at=()):
    """The way to everything in a value."""
    yield at
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(min(len(value), 5)):
            yield from places(value[key], (*at, key))


def changed(lines, at, value):
    """The lines with something else in one place."""
    lines = copy.deepcopy(lines)
    inner = lines
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return lines


@fuzz(150)
@given(number=st.integers(0, 10**6), value=anything)
def test_whatever_stands_on_a_tape_it_plays_or_is_no_tape(tape, number, value):
    _, lines = tape
    ways = [way for way in places(lines) if way]
    plays_or_is_none(tape, ways[number % len(ways)], value)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ((0, "model"), "\x1b[31m"),
        ((1, "pieces", 0, 1), -1),
        ((1, "logprobs", 1), [1]),
        ((1, "end"), ["stop", 1]),
        ((1, "thinking", "pieces", 0), [0]),
        ((3, "next", 0, 2), 10**400),
        ((3, "next", 0, 1), [256]),
        ((3, "context"), [2**31]),
        ((3, "tail"), [[0]]),
    ],
)
def test_what_no_recorder_wrote_is_no_tape(tape, at, value):
    assert plays_or_is_none(tape, at, value) is None


def plays_or_is_none(tape, at, value):
    """The player of a tape with something else in one place, which then answers; else None."""
    file, lines = tape
    lines = changed(lines, at, value)
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    try:
        player = Player(file)
    except LabError as error:
        assert error.key == "tape.unreadable"
        return None
    assert set(played(player)) <= {200, 400, 404}
    return player
