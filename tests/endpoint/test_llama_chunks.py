"""llama.cpp's chunks, as its server of this version sends them, read as events."""

import pytest

from qwen_lab.endpoint.engine import End, Piece, Prompt, Thought
from qwen_lab.endpoint.llama_chunks import Reader, refused
from qwen_lab.endpoint.refusal import Refusal

USAGE = {
    "prompt_tokens": 30,
    "completion_tokens": 4,
    "prompt_tokens_details": {"cached_tokens": 20},
}


def chunk(reason=None, logprobs=None, **delta):
    return {"choices": [{"delta": delta, "finish_reason": reason, "logprobs": logprobs}]}


def token(text, logprob=-0.5, **more):
    row = {"id": 7, "token": text, "logprob": logprob, "bytes": list(text.encode())}
    return row | more


@pytest.fixture
def events():
    return []


@pytest.fixture
def reader(events):
    return Reader(events.append, top_logprobs=2)


def test_thinking_and_answer_come_apart_and_the_end_has_the_counts(reader, events):
    chunks = [
        {"prompt_progress": {"total": 30, "processed": 20}},
        chunk(role="assistant", content=None),
        chunk(reasoning_content="9 + 9"),
        chunk(content="18"),
        chunk("length"),
        {"choices": [], "usage": USAGE},
    ]
    assert not any(map(reader.take, chunks))
    said = [Prompt(30), Piece(""), Thought("9 + 9"), Piece("18"), Piece("")]
    assert events == [*said, End("length", 30, 4, 20)]


def test_of_the_alternatives_those_asked_for_are_kept_without_the_engines_own_fields(
    reader, events
):
    tops = [token("a"), token("b", -1.5), token("c", -2.5)]
    reader.take(chunk(content="a", logprobs={"content": [token("a", top_logprobs=tops)]}))
    kept = [
        {"token": top["token"], "logprob": top["logprob"], "bytes": top["bytes"]} for top in tops
    ]
    assert events == [Piece("a", [kept[0] | {"top_logprobs": kept[:2]}])]


def test_who_has_enough_stops_the_engine():
    reader = Reader(lambda event: True, top_logprobs=0)
    assert reader.take(chunk(content="a")) and reader.error is None


def test_what_goes_wrong_stops_the_engine_and_is_kept(reader):
    assert reader.take({"choices": [{}]})
    assert isinstance(reader.error, KeyError)


def test_a_prompt_beyond_the_limit_is_refused_before_it_is_read(reader, events):
    assert reader.take({"prompt_progress": {"total": 3_073, "processed": 0}})
    assert str(reader.error).endswith(": Range of input length should be [1, 3072]")
    assert not events


def test_an_error_in_the_stream_is_the_models_refusal(reader):
    message = "parse: failed: unknown type"
    assert reader.take({"error": {"code": 400, "message": message}})
    assert isinstance(reader.error, Refusal) and str(reader.error).endswith(
        "InvalidParameter: unknown type"
    )


def test_an_error_that_is_not_the_requests_fault_is_no_refusal():
    assert isinstance(refused({"code": 500, "message": "out of memory"}), RuntimeError)
    too_long = refused({"code": 400, "type": "exceed_context_size_error", "message": ""})
    assert "input length" in str(too_long)
