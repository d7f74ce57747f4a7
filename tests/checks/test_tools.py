"""`tools.definition`, `tools.one_round` and `tools.runs`, of four kinds of answers."""

import json

import pytest
from openai.types.chat import ChatCompletionMessage
from openai.types.chat import ChatCompletionMessageFunctionToolCall as Call
from openai.types.chat.chat_completion import Choice

from qwen_lab.checks.tools import definition, one_round, runs

FIELDS = (
    {"drink": ["tea"], "size": ["small", "large"]},
    {"drink": [7], "size": ["huge", None]},
)
SIZE = {"type": "string", "enum": ["small", "large"]}
SCHEMA = {
    "type": "object",
    "properties": {"drink": {"type": "string"}, "size": SIZE},
    "required": ["drink", "size"],
}
PRICE = {"name": "get_price", "description": "What a drink costs", "parameters": SCHEMA}
RIGHT = {"type": "function", "function": PRICE}


def tool(**changes):
    return {"type": "function", "function": {**PRICE, **changes}}


def without(name):
    function = {key: value for key, value in PRICE.items() if key != name}
    return {"type": "function", "function": function}


MISDEFINED = {
    "Your tool is an object of type function; expected a dict": lambda drink: 3,
    "Your tool is an object of type list; expected a dict": [RIGHT],
    'The tool\'s "type" is None; expected "function"': PRICE,
    "The tool's \"type\" is 'tool'; expected": {**RIGHT, "type": "tool"},
    '"function" is an object of type builtin_function_or_method': {**RIGHT, "function": print},
    'The tool\'s name is None; expected "get_price"': without("name"),
    "name is 'price'; expected \"get_price\".": tool(name="price"),
    "name is 'get price'; expected \"get_price\".": tool(name="get price"),
    '"description" is None; expected a few words': without("description"),
    "\"description\" is ''; expected a few words": tool(description=""),
    "keys ['name', 'description']; expected \"parameters\" too": without("parameters"),
    "lets everything through, even a list; expected": tool(parameters=SCHEMA["properties"]),
    'lets {"drink": "tea", "size": "huge"} through; expected': tool(
        parameters={**SCHEMA, "properties": {"drink": {"type": "string"}}}
    ),
    'lets {"drink": "tea"} through, without size; expected': tool(
        parameters={**SCHEMA, "required": ["drink"]}
    ),
}

ARGUMENTS = {"drink": "tea", "size": "small"}
ASKED = {"name": "get_price", "arguments": '{"drink": "tea", "size": "small"}'}
CALL = {"id": "call_1", "type": "function", "function": ASKED}
USER = {"role": "user", "content": "What is a small tea?"}
CALLING = {"role": "assistant", "content": "", "tool_calls": [CALL]}
TOLD = {"role": "tool", "tool_call_id": "call_1", "content": "12"}
SECOND = {**CALL, "id": "call_2"}


def calling(**changes):
    return [USER, {**CALLING, "tool_calls": [{**CALL, **changes}]}, TOLD]


UNROUND = {
    "messages is an object of type dict; expected a list": USER,
    'Message 2 has no "role"; expected a dict with one': [USER, "get_price", TOLD],
    'has no "role"; expected a dict with one, or the message object': [
        USER,
        Choice.construct(finish_reason="tool_calls", message=CALLING),
        TOLD,
    ],
    "The roles are ; expected user → assistant → tool": [],
    "The roles are user → tool; expected user → assistant → tool, a system": [USER, TOLD],
    "The model's own message, with its tool_calls, goes between": [USER, TOLD, TOLD],
    "The roles are user → assistant; expected user → assistant → tool. After": [USER, CALLING],
    "The roles are user → tool → assistant; expected": [USER, TOLD, CALLING],
    'comes the tool\'s result, in a message with the role "tool"': [USER, CALLING, USER],
    "→ assistant → tool → assistant; expected user → assistant → tool, with nothing": [
        USER,
        CALLING,
        TOLD,
        {"role": "assistant"},
    ],
    '"tool_calls" of the assistant\'s message is None': [
        USER,
        {"role": "assistant", "content": "Hm"},
        TOLD,
    ],
    '"tool_calls" of the assistant\'s message is an object of type list': [
        USER,
        {**CALLING, "tool_calls": []},
        TOLD,
    ],
    '"tool_calls" of the assistant\'s message is an object of type dict': [
        USER,
        {**CALLING, "tool_calls": CALL},
        TOLD,
    ],
    "A call in \"tool_calls\" is 'get_price'": [
        USER,
        {**CALLING, "tool_calls": ["get_price"]},
        TOLD,
    ],
    'A call in "tool_calls" is an object of type dict': calling(id=None),
    "The tool's name is 'price'; expected \"get_price\"": calling(
        function={**ASKED, "name": "price"}
    ),
    'The call\'s "arguments" is an object of type dict; expected {"drink"': calling(
        function={**ASKED, "arguments": {}}
    ),
    'is \'{"day": "Friday"\'; expected {"drink"': calling(
        function={**ASKED, "arguments": '{"day": "Friday"'}
    ),
    'is \'{"drink": "t...ze": "large"}\'; expected {"drink"': calling(
        function={**ASKED, "arguments": '{"drink": "tea", "size": "large"}'}
    ),
    "\"tool_call_id\" [None]; expected ['call_1']": [
        USER,
        CALLING,
        {"role": "tool", "content": "12"},
    ],
    "\"tool_call_id\" ['get_price']; expected ['call_1']": [
        USER,
        CALLING,
        {**TOLD, "tool_call_id": "get_price"},
    ],
    "The content of the tool's message is 12; expected": [
        USER,
        CALLING,
        {**TOLD, "content": 12},
    ],
    "The content of the tool's message is ''; expected": [
        USER,
        CALLING,
        {**TOLD, "content": ""},
    ],
    "message is 'the price'; expected what the tool returned": [
        USER,
        CALLING,
        {**TOLD, "content": "the price"},
    ],
    "is '120, 612'; expected what the tool returned, as a text that holds 12: str(…)": [
        USER,
        CALLING,
        {**TOLD, "content": "120, 612"},
    ],
    "\"tool_call_id\" ['call_1', 'call_1']; expected ['call_1']": [USER, CALLING, TOLD, TOLD],
    "\"tool_call_id\" ['call_1']; expected ['call_1', 'call_2']": [
        USER,
        {**CALLING, "tool_calls": [CALL, SECOND]},
        TOLD,
    ],
}

PRICES = {"tea": {"small": 12, "large": 18}}


def starter(call): ...


def right(call):
    if call.function.name != "get_price":
        return f"There is no tool {call.function.name}."
    try:
        arguments = json.loads(call.function.arguments)
        return f"{PRICES[arguments['drink']][arguments['size']]} yuan"
    except (ValueError, LookupError, TypeError) as error:
        return f"No such drink or size: {error!r}"


def careless(call):
    arguments = json.loads(call.function.arguments)
    return str(PRICES[arguments["drink"]][arguments["size"]])


def evaluating(call):
    if call.function.name != "get_price":
        return "only get_price"
    try:
        arguments = eval(call.function.arguments)
        return str(PRICES[arguments["drink"]][arguments["size"]])
    except Exception:
        return "error"


def named(act):
    """A function that first looks at the name, as `right` does."""
    return lambda call: act(call) if call.function.name == "get_price" else "only get_price"


def guessing(call):
    try:
        arguments = json.loads(call.function.arguments)
        return str(PRICES[arguments.get("drink", "tea")][arguments.get("size", "small")])
    except (ValueError, LookupError, TypeError, AttributeError):
        return "error"


def listing(call):
    try:
        drink, size = json.loads(call.function.arguments).values()
        return str(PRICES[drink][size])
    except (ValueError, TypeError):
        return "no such drink or size"


def looking_up(call):
    try:
        arguments = json.loads(call.function.arguments)
        price = PRICES.get(arguments["drink"], {}).get(arguments["size"], 0)
        return json.dumps({"drink": arguments["drink"], "price": price})
    except (ValueError, LookupError, TypeError):
        return "no such drink or size"


def telling_one_thing(call):
    said = right(call)
    return said if said.endswith(" yuan") else "Call get_price with drink and size."


UNSAFE = {
    "Your answer is 'run'; expected a function": "run",
    "For the right arguments {": lambda call: json.loads(call.function.arguments)["cup"],
    "your function returned 12; expected a text that holds 12": lambda call: 12,
    "your function returned 'tea'; expected a text that holds 12": lambda call: "tea",
    "For the unknown tool get_price_2 your function returned '12'; expected": careless,
    "small, your function raised JSONDecodeError: ": named(careless),
    "For Python in place of JSON, dict({": evaluating,
    "For arguments that lack everything, {}, your function returned '12'": named(guessing),
    "For arguments that are a list, [": named(listing),
    '{"drink": "tea?", "size": "small"}, your function raised': named(
        lambda call: right(call) if "?" not in call.function.arguments else PRICES["?"]
    ),
    '{"drink": "tea?", "size": "small"}, your function returned': named(looking_up),
    "your function returned ' '; expected a text that tells": named(
        lambda call: right(call) if call.function.arguments != "{}" else " "
    ),
    "For the unknown tool get_price_2 your function returned 'error'; expected a text "
    "that names": lambda call: right(call) if call.function.name == "get_price" else "error",
    "For arguments that lack everything, {}, your function returned 'error'": named(
        lambda call: right(call) if call.function.arguments != "{}" else "error"
    ),
    'For a value that does not fit, {"drink": "tea?", "size": "small"}, your function returned '
    "'error'": named(lambda call: right(call) if "?" not in call.function.arguments else "error"),
    "don't get three different texts; expected a text of its own for each": telling_one_thing,
    "your function returned None; expected a text that tells the model what is wrong. Is a "
    "return missing there?": named(
        lambda call: right(call) if call.function.arguments.endswith("}") else None
    ),
}


def is_told(outcome, words):
    assert outcome.status == "wrong" and len(outcome.message) < 300
    assert words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize("answer", [..., tool(name=...), tool(parameters=...)])
def test_an_untouched_tool_is_not_yet(answer):
    assert definition(answer, "get_price", *FIELDS).status == "not yet"


@pytest.mark.parametrize(("words", "answer"), MISDEFINED.items(), ids=range(len(MISDEFINED)))
def test_a_wrong_tool_is_told_what_was_seen_and_expected(words, answer):
    is_told(definition(answer, "get_price", *FIELDS), words)


class Raising(dict):
    def items(self):
        raise RuntimeError("no")


def test_what_crashes_is_told_the_error():
    for outcome in (
        definition(Raising(), "get_price", *FIELDS),
        one_round([Raising()], "x", {}, 12),
    ):
        assert outcome.status == "wrong" and "RuntimeError: no" in outcome.message


@pytest.mark.parametrize(
    "parameters", [SCHEMA, {**SCHEMA, "additionalProperties": False}, {**SCHEMA, "title": "Price"}]
)
def test_a_right_tool_passes(parameters):
    outcome = definition(tool(parameters=parameters), "get_price", *FIELDS)
    assert outcome.status == "passed" and "drink, size" in outcome.message


@pytest.mark.parametrize(
    "answer", [..., [USER, ..., TOLD], [USER, CALLING, {**TOLD, "content": ...}]]
)
def test_an_untouched_round_is_not_yet(answer):
    assert one_round(answer, "get_price", ARGUMENTS, 12).status == "not yet"


@pytest.mark.parametrize(("words", "answer"), UNROUND.items(), ids=range(len(UNROUND)))
def test_a_wrong_round_is_told_what_was_seen_and_expected(words, answer):
    is_told(one_round(answer, "get_price", ARGUMENTS, 12), words)


@pytest.mark.parametrize(
    "answer",
    [
        [USER, CALLING, TOLD],
        [{"role": "system", "content": "Hi"}, USER, CALLING, TOLD],
        [USER, ChatCompletionMessage.construct(**CALLING), TOLD],
        [USER, {**CALLING, "tool_calls": [Call.model_validate(CALL)]}, TOLD],
        [USER, CALLING, {**TOLD, "content": '{"price": 12}'}],
        [USER, CALLING, {**TOLD, "content": [{"type": "text", "text": "一杯12元"}]}],
        [USER, ChatCompletionMessage.model_validate(CALLING), TOLD],
        [
            USER,
            {**CALLING, "tool_calls": [CALL, SECOND]},
            {**TOLD, "tool_call_id": "call_2"},
            TOLD,
        ],
    ],
)
def test_a_right_round_passes(answer):
    assert one_round(answer, "get_price", ARGUMENTS, 12).status == "passed"


@pytest.mark.parametrize("answer", [..., starter, lambda call: ...])
def test_an_untouched_function_is_not_yet(answer):
    assert runs(answer, "get_price", ARGUMENTS, 12).status == "not yet"


def test_a_function_that_returns_nothing_is_told_so():
    assert "return" in runs(starter, "get_price", ARGUMENTS, 12).message


@pytest.mark.parametrize(("words", "answer"), UNSAFE.items(), ids=range(len(UNSAFE)))
def test_an_unsafe_function_is_told_by_which_call(words, answer):
    is_told(runs(answer, "get_price", ARGUMENTS, 12), words)


def test_a_right_function_passes():
    assert runs(right, "get_price", ARGUMENTS, 12).status == "passed"


def test_a_function_that_fails_in_a_way_of_its_own_is_wrong():
    class Silent(Exception):
        def __str__(self):
            raise self

    def crash(call):
        raise Silent

    assert runs(crash, "get_price", ARGUMENTS, 12).status == "wrong"


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    for answer in [..., *MISDEFINED.values(), Raising(), RIGHT]:
        in_chinese(definition, answer, "get_price", *FIELDS)
    for answer in [..., *UNROUND.values(), [Raising()], [USER, CALLING, TOLD]]:
        in_chinese(one_round, answer, "get_price", ARGUMENTS, 12)
    for answer in [..., starter, *UNSAFE.values(), right]:
        in_chinese(runs, answer, "get_price", ARGUMENTS, 12)
