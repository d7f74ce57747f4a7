"""A whole model file is told from a damaged one without reading the model."""

import random
import struct

import pytest

from qwen_lab.endpoint.weights import gguf


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


def test_damage_ends_in_an_answer(is_whole):
    chance = random.Random(1)
    for _ in range(300):
        damaged = bytearray(LIST + bytes(80))
        for _ in range(5):
            damaged[chance.randrange(8, len(LIST))] = chance.randrange(256)
        assert is_whole(bytes(damaged)) in (True, False)
    assert not is_whole(b"GGUF" + bytes(1000))
