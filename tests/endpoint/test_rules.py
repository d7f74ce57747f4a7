import pytest

from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.endpoint.rules import read

HELLO = [{"role": "user", "content": "你好"}]
MODEL_LAYER = "<400> InternalError.Algo.InvalidParameter: "


def call(**fields):
    return read({"model": "qwen-plus", "messages": HELLO, **fields}, "local")


def refusal(**fields):
    with pytest.raises(Refusal) as caught:
        call(**fields)
    return str(caught.value).removeprefix(MODEL_LAYER)


def test_a_silent_request_gets_the_defaults_of_qwen_plus():
    assert call().sampling == {
        "temperature": 0.7,
        "top_p": 0.8,
        "top_k": 20,
        "repetition_penalty": 1.05,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "max_tokens": 1024,
    }
    assert (call().seed, call().n, call().stream, call().stop) == (None, 1, False, [])


def test_null_means_not_given():
    assert call(temperature=None, stop=None, seed=None, stream_options=None) == call()


def test_unknown_fields_are_ignored():
    assert call(user="me", enable_thinking=False, nonsense={"a": 1}) == call()


@pytest.mark.parametrize(
    "fields",
    [{"temperature": 0}, {"temperature": 1.9999}, {"top_p": 1}, {"top_p": 0.0001}, {"top_k": 0}]
    + [{"presence_penalty": -2}, {"frequency_penalty": 2}, {"max_tokens": 2048}, {"n": 4}]
    + [{"seed": 0}, {"seed": 2**31 - 1}, {"top_logprobs": 5}, {"repetition_penalty": 0.1}],
)
def test_the_closed_ends_of_a_range_are_allowed(fields):
    call(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"temperature": 2}, "Temperature should be in [0.0, 2.0)"),
        ({"temperature": -0.1}, "Temperature should be in [0.0, 2.0)"),
        ({"temperature": float("nan")}, "Temperature should be in [0.0, 2.0)"),
        ({"top_p": 0}, "Range of top_p should be (0.0, 1.0]"),
        ({"top_p": 1.01}, "Range of top_p should be (0.0, 1.0]"),
        ({"top_k": -1}, "Parameter top_k be greater than or equal to 0"),
        ({"repetition_penalty": 0}, "Repetition_penalty should be greater than 0.0"),
        ({"repetition_penalty": float("inf")}, "Repetition_penalty should be greater than 0.0"),
        ({"presence_penalty": 2.1}, "Presence_penalty should be in [-2.0, 2.0]"),
        ({"frequency_penalty": -2.1}, "Frequency_penalty should be in [-2.0, 2.0]"),
        ({"max_tokens": 0}, "Range of max_tokens should be [1, 2048]"),
        ({"max_tokens": 2049}, "Range of max_tokens should be [1, 2048]"),
        ({"n": 5}, "Range of n should be [1, 4]"),
        ({"top_logprobs": 6}, "Range of top_logprobs should be [0, 5]"),
        ({"seed": -1}, "-1 is lesser than the minimum of 0 - 'seed'"),
        ({"seed": 2**31}, f"{2**31} is greater than the maximum of {2**31 - 1} - 'seed'"),
        ({"temperature": "hot"}, "'temperature' must be Float"),
        ({"temperature": True}, "'temperature' must be Float"),
        ({"max_tokens": 1.5}, "'max_tokens' must be Integer"),
        ({"stream": "yes"}, "'stream' must be Boolean"),
        ({"stop": 7}, 'The "stop" parameter must be of type "str" or "list[str]"'),
    ],
)
def test_what_lies_outside_is_refused_in_dashscopes_words(fields, message):
    assert refusal(**fields) == message


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "[] is too short - 'messages'"),
        (None, "'messages' must be Array"),
        (["hi"], "'messages.[0]' must be Object"),
        ([{"role": "user"}], "The content field is a required field."),
        ([{"role": "user", "content": 1}], "input content must be a string."),
        (
            [{"role": "system", "content": "hi"}],
            "The input messages do not contain elements with the role of user.",
        ),
        (
            [{"role": "developer", "content": "hi"}],
            "developer is not one of ['system', 'assistant', 'user', 'tool', 'function']"
            " - 'messages.[0].role'",
        ),
    ],
)
def test_messages_that_are_no_conversation_are_refused(messages, message):
    assert refusal(messages=messages) == message


def test_a_request_must_name_a_model_that_exists():
    assert refusal(model=None) == "you must provide a model parameter."
    assert refusal(model="Qwen-Plus").startswith("The model `Qwen-Plus` does not exist")
    assert refusal(model=["qwen-plus"]).startswith("The model `['qwen-plus']` does not exist")


def test_a_stop_word_may_be_one_or_many():
    assert call(stop="。").stop == ["。"]
    assert call(stop=["a", "b", ""]).stop == ["a", "b"]


def test_a_body_that_is_no_object_is_refused():
    with pytest.raises(Refusal, match="Required body invalid"):
        read([], "local")
