"""An answer is read by the SDK's types, whatever stands in the place of a field."""

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from qwen_lab.watch import typed
from qwen_lab.words import LabError

from ..views.recorded import ANSWER, CHUNKS, THOUGHT, tool_chunks

ROW = {"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": []}


@pytest.mark.parametrize("answer", [ANSWER, THOUGHT])
def test_a_right_answer_stays_as_it_is(answer):
    made = ChatCompletion.construct(**answer)
    assert typed.completion(made) == made == typed.completion(answer)


@pytest.mark.parametrize("chunk", [*CHUNKS, *tool_chunks()])
def test_a_right_chunk_stays_as_it_is(chunk):
    made = ChatCompletionChunk.construct(**chunk)
    assert typed.chunk(made) == made == typed.chunk(chunk)


def test_what_is_missing_is_empty():
    found = typed.completion({"choices": [{}, None, "x"]})
    [choice] = found.choices
    assert (choice.index, choice.message.content, choice.finish_reason) == (0, None, None)
    assert typed.completion({}).choices == [] and typed.chunk({}).usage is None


@pytest.mark.parametrize("seen", ["<html>", None, 5, []])
def test_what_is_no_answer_at_all_is_said_with_its_beginning(seen):
    with pytest.raises(LabError, match="not with a chat completion"):
        typed.completion(seen)
    assert typed.chunk(seen) is None


@pytest.mark.parametrize("count", ["5", None, 1.5, True, 10**400, {}])
def test_a_usage_that_does_not_count_is_none(count):
    used = {"prompt_tokens": 3, "completion_tokens": count, "total_tokens": 8}
    assert typed.usage(used) is None is typed.chunk({"usage": used}).usage


def test_a_usage_without_its_total_is_one():
    assert typed.usage({"prompt_tokens": 3, "completion_tokens": 5}).completion_tokens == 5


@pytest.mark.parametrize(
    "odd", [{"token": 5}, {"logprob": None}, {"logprob": 1e308}, {"logprob": float("nan")}]
)
def test_a_token_without_text_or_probability_is_left_out(odd):
    choice = {"logprobs": {"content": [ROW, ROW | odd, ROW]}}
    assert len(typed.completion({"choices": [choice]}).choices[0].logprobs.content) == 2


def test_a_thought_is_kept_where_it_is_a_text():
    said = {"choices": [{"delta": {"reasoning_content": "想", "other": {}}}]}
    assert typed.chunk(said).choices[0].delta.model_extra == {"reasoning_content": "想"}
