import pytest

from qwen_lab.endpoint.messages import checked, plain, question, text
from qwen_lab.endpoint.refusal import Refusal

MODEL_LAYER = "<400> InternalError.Algo.InvalidParameter: "
ASKED = {"role": "user", "content": "成都天气如何？"}
ANSWERED = {"role": "assistant", "content": "晴。"}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "成都"}'},
}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "小雨"}


def refusal(messages):
    with pytest.raises(Refusal) as caught:
        checked(messages)
    assert caught.value.status == 400
    return str(caught.value).removeprefix(MODEL_LAYER)


@pytest.mark.parametrize(
    "messages",
    [
        [ASKED],
        [{"role": "system", "content": "Be brief."}, ASKED],
        [ASKED, ANSWERED, ASKED],
        [{"role": "user", "content": [{"type": "text", "text": "一"}]}],
        [ASKED, CALLED, RESULT],
        [ASKED, CALLED, RESULT, ANSWERED, ASKED],
        [ASKED, ANSWERED | {"partial": True}],
        [ASKED | {"name": "ignored"}, {"role": "function", "content": "ok"}],
    ],
)
def test_a_conversation_passes(messages):
    assert checked(messages) == messages


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "[] is too short - 'messages'"),
        (None, "'messages' must be Array"),
        (["hi"], "'messages.[0]' must be Object"),
        ([{"role": "user"}], "The content field is a required field."),
        ([{"role": "user", "content": []}], "The content field is a required field."),
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
        ([ASKED, ANSWERED], "list index out of range"),
    ],
)
def test_messages_that_are_no_conversation_are_refused(messages, message):
    assert refusal(messages) == message


@pytest.mark.parametrize(
    "part", [{"type": "image_url", "image_url": {"url": "https://…"}}, "text", {"text": 7}]
)
def test_a_text_model_takes_no_pictures(part):
    assert refusal([{"role": "user", "content": [part]}]) == (
        "The provided messages input is invalid. "
        "The error info is [Unexpected item type in content.]"
    )


def call(**fields):
    return [ASKED, CALLED | {"tool_calls": [CALL | fields]}, RESULT]


@pytest.mark.parametrize("arguments", ["{", "", None, {"city": "成都"}])
def test_a_calls_arguments_are_json_text(arguments):
    message = 'The "function.arguments" parameter of the code model must be in JSON format.'
    assert refusal(call(function={"name": "get_weather", "arguments": arguments})) == message


@pytest.mark.parametrize("fields", [{"id": None}, {"id": []}, {"function": 7}, {"function": {}}])
def test_a_call_has_an_id_and_a_name(fields):
    assert refusal(call(**fields)).startswith("'tool_calls.id' and")


@pytest.mark.parametrize("calls", [[], {}, "call", [7]])
def test_calls_that_are_none_are_refused(calls):
    assert refusal([ASKED, CALLED | {"tool_calls": calls}])


def test_a_result_without_its_call_is_refused():
    message = (
        'messages with role "tool" must be a response to a preceeding message with "tool_calls".'
    )
    assert refusal([ASKED, RESULT]) == message
    assert refusal([ASKED, CALLED, RESULT, RESULT]) == message
    assert refusal([ASKED, CALLED, RESULT | {"tool_call_id": ["call_1"]}]) == message
    assert refusal([ASKED, ANSWERED, RESULT]) == message


@pytest.mark.parametrize(
    ("rest", "index"), [([], 2), ([ASKED], 2), ([ANSWERED, RESULT], 2)], ids=str
)
def test_a_call_without_its_result_is_refused(rest, index):
    assert refusal([ASKED, CALLED, *rest]).endswith(
        f"The following tool_call_ids did not have response messages: message[{index}].role"
    )


def test_a_result_is_text():
    assert refusal([ASKED, CALLED, RESULT | {"content": [{"text": "a"}]}]) == (
        "input content must be a string."
    )


def test_the_question_is_the_last_thing_the_user_said():
    parts = {"role": "user", "content": [{"text": "一"}, {"text": "二"}]}
    assert question([ASKED, ANSWERED, parts, ANSWERED]) == text(parts) == "一二"


def test_the_model_reads_a_result_before_the_question():
    told = plain([ASKED, CALLED, RESULT])
    assert told == [
        {"role": "user", "content": 'get_weather {"city": "成都"}:\n小雨\n\n成都天气如何？'}
    ]


def test_results_stay_with_the_question_they_answer():
    told = plain([ASKED, CALLED, RESULT, ANSWERED, {"role": "user", "content": "谢谢"}])
    assert [message["role"] for message in told] == ["user", "assistant", "user"]
    assert "小雨" in told[0]["content"] and told[2]["content"] == "谢谢"


def test_a_result_before_any_question_is_told_alone():
    told = plain([CALLED, RESULT, ASKED])
    assert [message["role"] for message in told] == ["user", "user"]
    assert told[0]["content"].endswith("小雨")


@pytest.mark.parametrize("calls", [[7], "calls", CALLED["tool_calls"]])
def test_calls_in_another_role_are_not_read(calls):
    asked = {"role": "user", "content": "你好", "tool_calls": calls}
    assert plain(checked([asked])) == [{"role": "user", "content": "你好"}]
