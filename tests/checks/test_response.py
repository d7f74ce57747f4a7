"""`response.finish_reason`, asked for "length", of four kinds of answers."""

import httpx2
import pytest
from openai import OpenAI, Stream
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from qwen_lab.checks.response import finish_reason


def completion(reason, **changes):
    message = {"role": "assistant", "content": "Hi"}
    choices = [{"index": 0, "message": message, "finish_reason": reason}]
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "qwen"}
    # As the SDK does it: built from what the service sent, not validated.
    return ChatCompletion.construct(**{**body, "choices": choices, **changes})


def stream():
    response = httpx2.Response(200, request=httpx2.Request("GET", "http://127.0.0.1"))
    with OpenAI(api_key="none") as client:
        return Stream(cast_to=ChatCompletionChunk, response=response, client=client)


class Raising(ChatCompletion):
    @property
    def choices(self):
        raise RuntimeError("no")


UNTOUCHED = [..., [...]]
CRASHING = [
    Raising.model_construct(),
    completion("length", choices=7),
    completion("length", choices=[None]),
]
WRONG = {
    "Your answer is None; expected a ChatCompletion": None,
    "Your answer is only a text, 'Hi' (type str); expected the whole reply": "Hi",
    "Your answer is a stream": stream(),
    "Your answer is an object of type Choice; expected": completion("length").choices[0],
    "Your answer is an object of type dict; expected": completion("length").model_dump(),
    "The reply has no choices; expected one": completion("length", choices=[]),
    "The reply has no choices": ChatCompletion.construct(),
    "finish_reason is 'stop' (type str); expected \"length\". ": completion("stop"),
    'finish_reason is None; expected "length". ': completion(None),
}


@pytest.fixture(autouse=True, params=["en", "zh"])
def language(request, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", request.param)
    return request.param


@pytest.mark.parametrize("answer", UNTOUCHED)
def test_an_untouched_answer_is_not_yet(answer):
    assert finish_reason(answer, "length").status == "not yet"


@pytest.mark.parametrize(("words", "answer"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_answer_is_told_what_was_seen_and_expected(words, answer, language):
    outcome = finish_reason(answer, "length")
    assert outcome.status == "wrong"
    if language == "en":
        assert words in outcome.message and "expected" in outcome.message
    else:
        assert "应该" in outcome.message and "Python" not in outcome.message


@pytest.mark.parametrize("answer", CRASHING, ids=range(len(CRASHING)))
def test_a_crashing_answer_is_told_the_error(answer, language):
    outcome = finish_reason(answer, "length")
    assert outcome.status == "wrong" and "Error: " in outcome.message
    assert ("could not be read" if language == "en" else "读不了") in outcome.message


@pytest.mark.parametrize("reason", ["length", "stop", "tool_calls", "content_filter"])
def test_a_right_answer_passes(reason):
    outcome = finish_reason(completion(reason), reason)
    assert outcome.status == "passed" and f'"{reason}"' in outcome.message


@pytest.mark.parametrize(
    ("expected", "way"), [("length", "max_tokens"), ("stop", "max_tokens"), ("tool_calls", "tools")]
)
def test_a_wrong_reason_comes_with_the_way_to_the_right_one(expected, way):
    message = finish_reason(completion("content_filter"), expected).message
    assert way in message and f'"{expected}"' in message and "'content_filter'" in message


def test_a_reason_that_nobody_can_bring_about_comes_without_a_way(language):
    message = finish_reason(completion("stop"), "content_filter").message
    assert message.count("。" if language == "zh" else ". ") == (language == "zh")
