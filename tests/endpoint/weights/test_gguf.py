"""A whole model file is told from a damaged one without reading the model."""

import struct
import tracemalloc
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qwen_lab.endpoint.weights import gguf, weights
from tests.strange import fuzz


def text(content):
    return struct.pack("<Q", len(content.encode())) + content.encode()


# A number, a text, lists of both, and two tensors: the second begins at byte 64 of the data.
VALUES = [
    text("general.alignment") + struct.pack("<II", 4, 32),
    text("general.name") + struct.pack("<I", 8) + text("千问"),
    text("tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b"),
    text("scores") + struct.pack("<IIQff", 9, 6, 2, 0.5, 1),
]
TENSORS = [
    text("one") + struct.pack("<IQQIQ", 2, 4, 4, 0, 0),
    text("two") + struct.pack("<IQIQ", 1, 4, 0, 64),
]
HEAD = struct.pack("<4sIQQ", b"GGUF", 3, len(TENSORS), len(VALUES))
LIST = HEAD + b"".join(VALUES) + b"".join(TENSORS)


@pytest.fixture
def is_whole(tmp_path):
    def of(content):
        (tmp_path / "model.gguf").write_bytes(content)
        return gguf.is_whole(tmp_path / "model.gguf")

    return of


def test_a_whole_file_is_whole(is_whole):
    assert is_whole(LIST + bytes(80))


@pytest.mark.parametrize("length", [4, 23, 40, len(LIST) - 1, len(LIST), len(LIST) + 64])
def test_one_that_is_cut_short_is_not(length, is_whole):
    assert not is_whole((LIST + bytes(80))[:length])


# Lists in lists; a list of more texts than there can be; a number where a kind should stand.
NESTED = text("n") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 2_000
ENDLESS = text("n") + struct.pack("<IIQ", 9, 8, 2**63)
strange = st.sampled_from([NESTED, ENDLESS, text("n") + struct.pack("<I", 99), b"\xff" * 12])
numbers = st.integers(0, 2**64 - 1) | st.sampled_from([2**63, 2**31, 9, 8])


puts = st.binary(max_size=5) | numbers.map(struct.Struct("<Q").pack) | strange
places = st.integers(4, 60) | st.integers(4, 2**23)
changes = st.lists(st.tuples(places, puts, st.booleans()), min_size=1, max_size=4)


def damaged(right, changes):
    """The bytes with others put in here and there, in the place of some or between them."""
    content = bytearray(right)
    for at, put, over in changes:
        at %= len(content)
        content[at : at + len(put) * over] = put
    return bytes(content)


@fuzz(400)
@given(
    st.binary(max_size=99).map(b"GGUF".__add__) | changes.map(partial(damaged, LIST + bytes(80)))
)
@example(HEAD[:16] + struct.pack("<Q", 9) + NESTED)
@example(HEAD[:16] + struct.pack("<Q", 9) + ENDLESS + bytes(9_999))
def test_any_file_is_whole_or_not(is_whole, content):
    assert is_whole(content) in (True, False)


@pytest.mark.model
@fuzz(40)
@given(changes)
def test_the_damaged_head_of_a_real_model_is_read_in_little_memory(tmp_path, head, changes):
    path = tmp_path / "model.gguf"
    with path.open("wb") as file:
        file.write(damaged(head, changes))
        # As long as the whole, and empty behind the head.
        file.truncate(weights.SIZE)
    tracemalloc.start()
    assert gguf.is_whole(path) in (True, False)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


@pytest.fixture(scope="module")
def head():
    with weights.fetch().open("rb") as file:
        return file.read(6_000_000)
