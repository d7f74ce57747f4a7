"""Characters of several tokens: their bytes come back into what a page's llama.cpp tells."""

import io

import pytest

from qwen_lab.endpoint.weights import gguf, weights
from qwen_lab.page.letters import Letters, without_parts
from qwen_lab.page.qwen import HEAD
from qwen_lab.page.vocabulary import Vocabulary

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def head():
    with weights.fetch().open("rb") as file:
        return file.read(HEAD)


@pytest.fixture(scope="module")
def vocabulary(head):
    return Vocabulary(gguf.values(io.BytesIO(head)))


def told(vocabulary, text, *, held=0, end="stop"):
    """What llama.cpp tells of a text, token by token: no parts; the last `held` signs never."""
    tokens = vocabulary.tokens(text, False)
    pieces = ["" if n in vocabulary.parts else vocabulary.text([n]) for n in tokens]
    if held:
        pieces[-1] = pieces[-1][:-held]
    for number, (token, piece) in enumerate(zip(tokens, pieces, strict=True)):
        row = {"id": token, "token": piece, "bytes": [*piece.encode()], "top_logprobs": []}
        reason = end if number == len(tokens) - 1 else None
        choice = {"text": piece, "finish_reason": reason, "logprobs": {"content": [row]}}
        yield {"choices": [choice], "__verbose": {"tokens": [token]}}


def read(vocabulary, chunks, *, rows=False):
    letters = Letters(vocabulary)
    return [letters.put_in(chunk, rows=rows)["choices"][0] for chunk in chunks]


@pytest.mark.parametrize("text", ["你好 world", "😀龘👩🏽‍🚀!", "龘", "a\u0301ไทย🫠\n"])
def test_a_text_comes_whole_whatever_its_tokens(vocabulary, text):
    choices = read(vocabulary, told(vocabulary, text))
    assert "".join(choice["text"] for choice in choices) == text
    assert all("�" not in choice["text"] for choice in choices)
    assert {choice["logprobs"] for choice in choices} == {None}


def test_a_part_has_its_bytes_where_probabilities_are_told(vocabulary):
    rows = [
        choice["logprobs"]["content"][0]
        for choice in read(vocabulary, told(vocabulary, "嗯龘"), rows=True)
    ]
    assert b"".join(bytes(row["bytes"]) for row in rows).decode() == "嗯龘"
    assert [row["token"] for row in rows][:2] == ["嗯", "\ufffd"]


def test_the_token_that_ends_an_answer_is_neither_seen_nor_told(vocabulary):
    end = {"id": 151645, "token": "", "bytes": [], "top_logprobs": []}
    choice = {"text": "", "finish_reason": "stop", "logprobs": {"content": [end]}}
    chunks = [*told(vocabulary, "好", end=None)]
    chunks.append({"choices": [choice], "__verbose": {"tokens": [end["id"]]}})
    first, last = read(vocabulary, chunks, rows=True)
    assert (first["text"], last["text"], last["logprobs"]) == ("好", "", None)


def test_what_a_stop_word_holds_back_comes_in_its_place_or_never(vocabulary):
    chunks = [*told(vocabulary, "a b😀")]
    # The blank may begin a stop word, and comes with the next sign, before the emoji.
    first, second = chunks[0]["choices"][0], chunks[1]["choices"][0]
    first["text"], second["text"] = "", first["text"] + second["text"]
    assert "".join(choice["text"] for choice in read(vocabulary, chunks)) == "a b😀"
    cut = read(vocabulary, told(vocabulary, "one two", held=2))
    assert "".join(choice["text"] for choice in cut) == "one t"


def test_what_is_read_before_an_answer_writes_nothing(vocabulary):
    progress = {"choices": [{"text": ""}], "prompt_progress": {}, "__verbose": {"tokens": [0]}}
    letters = Letters(vocabulary)
    assert letters.put_in(progress, rows=False) is progress
    [chunk] = told(vocabulary, "好")
    assert letters.put_in(chunk, rows=False)["choices"][0]["text"] == "好"


def test_the_file_has_as_many_bytes_and_the_same_tokens_but_for_the_kind_of_parts(head, vocabulary):
    changed = without_parts(head, vocabulary)
    before, after = (gguf.values(io.BytesIO(each)) for each in (head, changed))
    kinds = "tokenizer.ggml.token_type"
    others = [name for name in before if before[name] != after[name]]
    assert len(changed) == len(head) and others == [kinds]
    pairs = zip(before[kinds], after[kinds], strict=True)
    assert {n for n, (old, new) in enumerate(pairs) if old != new} == vocabulary.parts
    assert len(vocabulary.parts) > 1000
