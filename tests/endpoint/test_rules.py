import pytest

from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.endpoint.rules import checked_request

HELLO = [{"role": "user", "content": "你好"}]
JSON = {"role": "user", "content": "Answer in JSON."}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
OTHER = {"type": "function", "function": {"name": "get_time"}}
MODEL_LAYER = "<400> InternalError.Algo.InvalidParameter: "


def call(**fields):
    return checked_request({"model": "qwen-plus", "messages": HELLO, **fields}, "local")


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


def test_null_switches_top_k_off():
    assert call(top_k=None).sampling["top_k"] > 100
    assert call().sampling["top_k"] == 20


def test_unknown_fields_are_ignored():
    assert call(user="me", logit_bias={"1": 2}, nonsense={"a": 1}) == call()


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
        ({"temperature": 10**400}, "Temperature should be in [0.0, 2.0)"),
        ({"repetition_penalty": 10**400}, "Repetition_penalty should be greater than 0.0"),
        ({"max_completion_tokens": 0}, "Range of max_completion_tokens should be [1, 2048]"),
        ({"tools": {}}, "'tools' must be Array"),
        ({"enable_search": 1}, "'enable_search' must be Boolean"),
        (
            {"thinking_budget": 0},
            "The thinking_budget parameter must be a positive integer and not greater than 2048",
        ),
        ({"max_tokens": 1.5}, "'max_tokens' must be Integer"),
        ({"stream": "yes"}, "'stream' must be Boolean"),
    ],
)
def test_what_lies_outside_is_refused_in_dashscopes_words(fields, message):
    assert refusal(**fields) == message


def test_a_request_must_name_a_model_that_exists():
    assert refusal(model=None) == "you must provide a model parameter."
    assert refusal(model="Qwen-Plus").startswith("The model `Qwen-Plus` does not exist")
    assert refusal(model=["qwen-plus"]).startswith("The model `['qwen-plus']` does not exist")


def test_a_stop_may_be_words_or_tokens():
    assert call(stop="。").stop == ["。"]
    assert call(stop=["a", "b", ""]).stop == ["a", "b"]
    assert call(stop=[]).stop == call(stop=[]).stop_tokens == []
    assert call(stop=7).stop_tokens == [[7]]
    assert call(stop=[7, 8]).stop_tokens == [[7], [8]]
    assert call(stop=[[7, 8], [9]]).stop_tokens == [[7, 8], [9]]


@pytest.mark.parametrize("stop", [["a"] * 65, [[7]] * 100_000, [7] * 65, "a" * 257, [[7] * 257]])
def test_more_stops_than_any_answer_needs_are_refused(stop):
    with pytest.raises(Refusal, match="'stop' has more than 64 entries, or one longer than 256"):
        call(stop=stop)


@pytest.mark.parametrize("stop", [{}, True, 1.5, -1, 2**31, ["a", 7], [7, [8]], [[]], [None]])
def test_a_stop_is_of_one_kind(stop):
    kinds = '"str", "list[str]", "list[int]", or "list[list[int]]"'
    assert refusal(stop=stop) == f'The "stop" parameter must be of type {kinds}'


def test_the_smaller_of_two_limits_holds():
    assert call(max_completion_tokens=9).sampling["max_tokens"] == 9
    assert call(max_tokens=7, max_completion_tokens=9).sampling["max_tokens"] == 7


def test_a_bad_seed_has_a_code_of_its_own():
    for seed in (-1, "one"):
        with pytest.raises(Refusal) as caught:
            call(seed=seed)
        assert (caught.value.code, caught.value.by_model) == ("invalid_value", False)


def test_thinking_is_refused_by_a_model_that_cannot_think():
    with pytest.raises(
        Refusal, match="The model local does not support enable_thinking."
    ) as caught:
        call(enable_thinking=True)
    assert caught.value.code == "InvalidParameter.NotSupportEnableThinking"
    assert not call(enable_thinking=False).thinking


def thinker(**fields):
    return checked_request({"model": "local", "messages": HELLO, **fields}, "local", True)


def test_a_model_that_can_think_thinks_in_a_stream_when_told_to():
    assert not thinker(stream=True).thinking
    assert thinker(stream=True, enable_thinking=True, thinking_budget=50).thinking_budget == 50


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"stream": False}, "parameter.enable_thinking only support stream call"),
        (
            {"response_format": {"type": "json_object"}, "messages": [HELLO[0], JSON]},
            "Json mode response is not supported when enable_thinking is true",
        ),
        (
            {"tools": [TOOL], "tool_choice": "required"},
            "The tool_choice parameter does not support being set to required or object"
            " in thinking mode",
        ),
    ],
)
def test_what_does_not_go_with_thinking_is_refused(fields, message):
    with pytest.raises(Refusal) as caught:
        thinker(enable_thinking=True, **{"stream": True, **fields})
    assert str(caught.value).removeprefix(MODEL_LAYER) == message


STREAM_ONLY = "parameter.enable_thinking only support stream call"
ONLY_STREAMS = (
    "This model only support stream mode, please enable the stream parameter to access the model."
)
ALWAYS = "The value of the enable_thinking parameter is restricted to True."
NO_CHOICE = (
    "The tool_choice parameter does not support being set to required or object in thinking mode"
)


@pytest.mark.parametrize("name", ["qwen3-8b", "qwen3-14b", "qwen3-32b", "qwen3-30b-a3b"])
def test_a_name_of_open_qwen3_must_stream_or_not_think(name):
    assert refusal(model=name) == refusal(model=name, enable_thinking=None) == STREAM_ONLY
    assert not call(model=name, stream=True).thinking
    assert not call(model=name, enable_thinking=False).thinking


def test_qwq_streams_and_cannot_be_told_not_to_think():
    assert refusal(model="qwq-plus") == ONLY_STREAMS
    assert refusal(model="qwq-plus", stream=True, enable_thinking=False) == ALWAYS
    assert call(model="qwq-plus", stream=True)


@pytest.mark.parametrize("name", ["qwen3.5-plus", "qwen3.7-max", "qwen3-8b"])
def test_a_name_that_thinks_by_habit_takes_no_demanded_tool_unless_it_is_told_not_to(name):
    for choice in ("required", {"type": "function", "function": {"name": "get_weather"}}):
        asked = {"model": name, "stream": True, "tools": [TOOL], "tool_choice": choice}
        assert refusal(**asked) == NO_CHOICE
        assert call(**asked, enable_thinking=False).schema
    assert call(model=name, stream=True, tools=[TOOL]).tools == [TOOL]


def test_names_that_do_not_think_by_habit_and_the_models_own_have_no_such_rule():
    for name in ("qwen-plus", "qwen-flash", "qwen3-max", "qwen3-235b-a22b-instruct-2507", "local"):
        assert call(model=name, tools=[TOOL], tool_choice="required").schema
    assert call(model="qwen3.5-plus").sampling
    own = {"model": "qwen3-8b", "messages": HELLO}
    assert checked_request(own, "qwen3-8b", True).thinking is False


def test_a_model_that_can_think_does_so_under_a_name_that_does_by_habit():
    asked = {"model": "qwen3-8b", "messages": HELLO, "stream": True}
    assert checked_request(asked, "local", True).thinking
    assert not checked_request(asked | {"enable_thinking": False}, "local", True).thinking


def test_a_json_answer_must_be_named_in_the_messages():
    form = {"type": "json_object"}
    assert call(response_format=form, messages=[*HELLO, JSON]).schema == {"type": "object"}
    assert refusal(response_format=form) == (
        "'messages' must contain the word 'json' in some form,"
        " to use 'response_format' of type 'json_object'."
    )


def test_a_schema_needs_no_such_word():
    schema = {"type": "array"}
    form = {"type": "json_schema", "json_schema": {"name": "list", "schema": schema}}
    assert call(response_format=form).schema == schema
    assert call(response_format={"type": "text"}).schema is None


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"type": "xml"}, "xml is not one of ['text', 'json_object', 'json_schema']"),
        ({"type": "json_schema"}, "'response_format.json_schema.schema' must be Object"),
        ({"type": "json_schema", "json_schema": {"schema": 7}}, "'response_format.json_schema"),
        ("json", "'response_format' must be Object"),
    ],
)
def test_an_unknown_form_is_refused(form, message):
    assert refusal(response_format=form).startswith(message)


def test_search_is_off_unless_asked_for():
    assert call().search == call(search_options={"forced_search": True}).search == ""
    assert call(enable_search=True).search == "auto"
    assert call(enable_search=True, search_options={"forced_search": True}).search == "forced"


def test_tools_are_offered_and_one_may_be_demanded():
    assert call(tools=[TOOL]).tools == [TOOL] and call(tools=[TOOL]).schema is None
    for choice in ("required", {"type": "function", "function": {"name": "get_time"}}):
        asked = call(tools=[TOOL, OTHER], tool_choice=choice)
        assert asked.schema
    assert asked.tools == [OTHER]
    assert call(tools=[TOOL], tool_choice="none").tools == []


def test_a_model_that_has_its_results_is_offered_no_tools_unless_one_is_demanded():
    made = {"id": "call_1", "function": {"name": "get_weather", "arguments": "{}"}}
    talk = [
        *HELLO,
        {"role": "assistant", "content": "", "tool_calls": [made]},
        {"role": "tool", "tool_call_id": "call_1", "content": "晴"},
    ]
    assert call(messages=talk, tools=[TOOL]).tools == []
    assert call(messages=talk, tools=[TOOL], tool_choice="required").tools == [TOOL]


def test_several_answers_do_not_go_with_tools():
    assert refusal(tools=[TOOL], n=2) == "Range of n should be [1, 1] when tools are given"


def test_a_body_nested_beyond_reason_is_refused():
    deep = []
    for _ in range(100):
        deep = [deep]
    assert refusal(metadata=deep).startswith("Required body invalid")


def test_a_body_that_is_no_object_is_refused():
    with pytest.raises(Refusal, match="Required body invalid"):
        checked_request([], "local")
