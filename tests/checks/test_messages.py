"""`messages.roles`, asked for a system message and a user message, of four kinds of answers."""

import json

import httpx2
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionMessage

from qwen_lab.checks.messages import plain, roles

SYSTEM = {"role": "system", "content": "Answer in one word."}
USER = {"role": "user", "content": "你好"}


class Raising:
    """Not even its class can be asked for."""

    def __getattribute__(self, name):
        raise RuntimeError("no")


class RaisingList(list):
    def __iter__(self):
        raise RuntimeError("no")


class RaisingDict(dict):
    def items(self):
        raise RuntimeError("no")


class RaisingName(type):
    @property
    def __name__(cls):
        raise RuntimeError("no")


# The SDK's own objects, as it makes them of what a service sends.
REPLY = ChatCompletion.construct(choices=[], id="1", created=1, model="qwen")
CALL = {"id": "call_1", "type": "function", "function": {"name": "tell", "arguments": "{}"}}
SAID = ChatCompletionMessage.construct(role="assistant", content="Hi", tool_calls=None)
CALLING = ChatCompletionMessage(role="assistant", content=None, tool_calls=[CALL])
PARTS = [{"type": "text", "text": "你"}, {"type": "text", "text": "好"}]
# Each is what the SDK takes as messages.
TAKEN = [
    [SYSTEM, USER, SAID],
    (SYSTEM, USER, SAID),
    [USER, CALLING],
    [USER, {"role": "assistant", "tool_calls": CALLING.tool_calls}],
    [{**USER, "content": PARTS}],
    [{**USER, "content": tuple(PARTS)}],
    [USER, {"role": "assistant", "content": "", "tool_calls": [CALL]}],
]
EXTRAS = [{}, {"name": "Ada"}, {3: 4}, {"content": PARTS}, {"content": tuple(PARTS)}]
UNTOUCHED = [..., [...], [SYSTEM, ...], [SYSTEM, {"role": "user", "content": ...}]]
# Made in the test: pytest itself stumbles over such objects.
CRASHING = [
    lambda: Raising(),
    lambda: [Raising()],
    lambda: RaisingList([SYSTEM, USER]),
    lambda: [RaisingDict(SYSTEM)],
    lambda: RaisingName("Nameless", (), {})(),
    lambda: [{"role": RaisingName("Nameless", (), {})(), "content": "Hi"}],
]
WRONG = {
    "messages is None; expected a list": None,
    "messages is 'Hi'; expected a list": "Hi",
    "messages is an object of type generator": (message for message in [SYSTEM, USER]),
    "messages is a single dict; expected a list": SYSTEM,
    "messages is a single dict; expected a list with a dict": SAID,
    "a single dict; expected a list with a dict for each message: [": {
        "system": "Answer in one word.",
        "user": "Hi",
    },
    "The list is empty; expected messages with the roles system → user": [],
    "Message 2 is an object of type set; expected a dict": [SYSTEM, {"role", "user"}],
    "Message 2 is 'Hi'; expected a dict": [SYSTEM, "Hi"],
    "Message 1 is a list in the list; expected the messages themselves": [[SYSTEM, USER]],
    "Message 2 is a whole reply; expected the message inside it": [SYSTEM, REPLY],
    "Message 2 has the key 'Role'; expected 'role'": [SYSTEM, {"Role": "user", "content": "Hi"}],
    "Message 1 has the key 'ROLE'; expected 'role'": [{"ROLE": "system", "content": "Hi"}],
    "Message 1 has the key ' role'; expected 'role'": [{" role": "system", "content": "Hi"}],
    "Message 1 has the key 'contents'; expected 'content'": [{"role": "user", "contents": "Hi"}],
    "Message 1 has no key 'role'. Its keys are ['user']; expected": [{"user": "Hi"}],
    "Message 1 has no key 'content'. Its keys are ['role', 2]": [{"role": "user", 2: "Hi"}],
    "The role of message 1 is 'System'; expected": [{**SYSTEM, "role": "System"}, USER],
    "The role of message 2 is 'me'; expected": [SYSTEM, {**USER, "role": "me"}],
    "The role of message 1 is an object of type list": [{**SYSTEM, "role": ["system"]}],
    "The content of message 1 is None; expected text": [{**SYSTEM, "content": None}],
    "The content of message 1 is 5; expected text": [{**SYSTEM, "content": 5}],
    "The content of message 2 is ' \\n'; expected words": [
        SYSTEM,
        {**USER, "content": " \n"},
    ],
    "The content of message 2 is '...'; expected words": [
        SYSTEM,
        {**USER, "content": "..."},
    ],
    "The content of message 1 is an object of type list; expected text": [
        {**USER, "content": [{"type": "image_url"}]}
    ],
    "The content of message 2 is an object of type list": [SYSTEM, {**USER, "content": []}],
    "the right roles in another order: user → system; expected system → user": [USER, SYSTEM],
    "Too few messages, 1, with the roles system; expected system → user": [SYSTEM],
    "Too many messages, 3, with the roles system → user → user": [SYSTEM, USER, USER],
    "The roles are user → user; expected system → user": [USER, USER],
}


@pytest.mark.parametrize("answer", UNTOUCHED)
def test_an_untouched_answer_is_not_yet(answer):
    outcome = roles(answer, "system", "user")
    assert outcome.status == "not yet"
    assert "again" in outcome.message


@pytest.mark.parametrize(("words", "answer"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_answer_is_told_what_was_seen_and_expected(words, answer):
    outcome = roles(answer, "system", "user")
    assert outcome.status == "wrong"
    assert words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize("make", CRASHING, ids=range(len(CRASHING)))
def test_a_crashing_answer_is_told_the_error(make):
    outcome = roles(make(), "system", "user")
    assert outcome.status == "wrong" and "RuntimeError: no" in outcome.message
    assert "ended in an error" in outcome.message


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_right_answer_passes(extra):
    outcome = roles([SYSTEM, {**USER, **extra}], "system", "user")
    assert outcome.status == "passed" and "system → user" in outcome.message
    assert "right roles" in outcome.message


def test_every_role_that_the_api_knows_may_be_expected():
    conversation = [SYSTEM, USER, {"role": "assistant", "content": "Hi"}]
    conversation.append({"role": "tool", "content": "{}", "tool_call_id": "1"})
    assert roles(conversation, "system", "user", "assistant", "tool").status == "passed"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("Answer only in Chinese.", "passed"),
        ("  answer only in chinese", "passed"),
        ("Answer only in Chinese!", "passed"),
        (
            [{"type": "text", "text": "Answer only "}, {"type": "text", "text": "in Chinese."}],
            "passed",
        ),
        ("Answer only in English.", "wrong"),
        ("Never answer only in Chinese.", "wrong"),
        ("You teach Chinese.", "wrong"),
        ("只用中文回答。", "wrong"),
    ],
)
def test_a_rule_stands_word_for_word_in_the_first_message(said, verdict, in_chinese):
    answer = [{**SYSTEM, "content": said}, USER]
    outcome = roles(answer, "system", "user", rule="Answer only in Chinese.")
    assert outcome.status == verdict
    assert verdict == "passed" or "expected “Answer only in Chinese.”" in outcome.message
    in_chinese(roles, answer, "system", "user", rule="只用中文回答。")


@pytest.mark.parametrize("messages", TAKEN, ids=range(len(TAKEN)))
def test_messages_are_made_plain_as_the_sdk_sends_them(messages):
    sent = []

    def service(request):
        sent.append(json.loads(request.content)["messages"])
        return httpx2.Response(200, json={})

    http = httpx2.Client(transport=httpx2.MockTransport(service))
    with OpenAI(api_key="x", base_url="http://test", http_client=http) as client:
        client.chat.completions.create(model="qwen", messages=messages)
    assert [plain(messages)] == sent


@pytest.mark.parametrize("said", [SAID, dict(SAID), SAID.model_dump()])
def test_the_own_object_of_the_sdk_is_a_message(said):
    assert roles((USER, said, USER), "user", "assistant", "user").status == "passed"


def test_an_answer_is_left_as_it_was():
    answer = [dict(SYSTEM), dict(USER)]
    roles(answer, "system", "user")
    assert answer == [SYSTEM, USER]


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    crashing = [make() for make in CRASHING]
    right = [[SYSTEM, {**USER, **extra}] for extra in EXTRAS]
    for answer in [*UNTOUCHED, *WRONG.values(), *crashing, *right]:
        in_chinese(roles, answer, "system", "user")
