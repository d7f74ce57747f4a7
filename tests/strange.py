"""What nobody should send and somebody will: any value, and right things spoilt in any place."""

import copy
import json

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from .views.hostile import HOSTILE

LARGE = HealthCheck.data_too_large
# Of the examples that each test is written for, so many are usual; `--thorough` sets it to 1.
SHARE = 0.25


def fuzz(count, *bear):
    """The same examples in every run. `bear` are health checks that they may fail, too."""
    bear = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, *bear]
    return settings(
        max_examples=max(1, round(count * SHARE)),
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=bear,
    )


def nested(depth, kind):
    """Lists in lists, or dicts in dicts."""
    inner = "deep"
    for _ in range(depth):
        inner = [inner] if kind is list else {"content": inner}
    return inner


words = st.text(max_size=6) | st.sampled_from(
    [*(text for text in HOSTILE[::9] if len(text) < 99), "\0", "5", "text", "\x1b[2J\u202e"]
)
odd = [0, -1, 1, 1e308, -1e308, 1e-320, float("nan"), float("inf"), 2**31, 2**63, -(2**63), 10**400]
numbers = st.integers() | st.floats() | st.sampled_from(odd)
simple = st.none() | st.booleans() | numbers | words
# Made when they are drawn: hypothesis would print them.
makers = {
    "lists in lists": lambda: nested(300, list),
    "dicts in dicts": lambda: nested(300, dict),
    "a long text": lambda: "好" * 50_000,
    "a long list": lambda: [0] * 5_000,
    "many names": lambda: {str(number): number for number in range(500)},
}
large = st.sampled_from([*makers]).map(lambda name: makers[name]())
anything = large | st.recursive(
    simple,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


def places(value, path=()):
    """The path of everything in a value of JSON."""
    yield path
    if isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, name))


@st.composite
def spoilt(draw, right):
    """The right value with one to three of its parts changed, gone, wrapped or repeated."""
    whole = [copy.deepcopy(right)]
    for _ in range(draw(st.integers(1, 3))):
        if not (there := [path for path in places(whole) if len(path) > 1]):
            break
        *path, name = draw(st.sampled_from(there))
        around = whole
        for step in path:
            around = around[step]
        match draw(st.sampled_from(["other", "other", "other", "gone", "wrapped", "often"])):
            case "gone":
                del around[name]
            case "wrapped":
                around[name] = [around[name]]
            case "often":
                around[name] = [around[name]] * draw(st.sampled_from([2, 30, 400]))
            case _:
                around[name] = draw(anything)
        if len(json.dumps(whole, default=str)) > 300_000:
            break
    return whole[0]


def written(value):
    """The value as JSON, whole numbers of any size, NaN and half characters too."""
    return json.dumps(value).encode()
