"""What lesson 07 shows. Not a benchmark itself."""

import json

from learner import Demonstration, Learner

WISH = {
    "zh": "从留言里找出客人的姓名、人数和日子。",
    "en": "Extract the guest's name, the number of people and the day from the note.",
}
NOTE = {
    "zh": "留言：你好，我是林小雨，想订周五晚上的桌子，一共4个人。",
    "en": "Note: Hello, this is Ada Wong. A table for 4 people on Friday evening, please.",
}
VAGUE = {
    "zh": "留言：你好，我是林小雨，想订周五晚上的桌子。",
    "en": "Note: Hello, this is Ada Wong. Could I have a table on Friday evening?",
}
PROMPTS = {
    "zh": {
        "prose": f"{WISH['zh']}\n\n{NOTE['zh']}",
        "json": f"{WISH['zh']}用 JSON 回答。\n\n{NOTE['zh']}",
        "keys": f"{WISH['zh']}用 JSON 回答，键是 name、people 和 day。\n\n{NOTE['zh']}",
        "again": "这个 JSON 不合要求：\n{faults}\n把完整的 JSON 改正后再写一遍。",
        "vague": f"{WISH['zh']}\n\n{VAGUE['zh']}",
        "tables": "周五还剩几张空桌？",
        "sunday": "周日还剩几张空桌？",
        "capital": "法国的首都是哪里？",
        "description": "查询某一天还剩几张空桌",
        "name": "林小雨",
    },
    "en": {
        "prose": f"{WISH['en']}\n\n{NOTE['en']}",
        "json": f"{WISH['en']} Answer in JSON.\n\n{NOTE['en']}",
        "keys": f"{WISH['en']} Answer in JSON with the keys name, people and day.\n\n{NOTE['en']}",
        "again": "Not right yet:\n{faults}\nCorrect it. The keys are name, people and day.",
        "vague": f"{WISH['en']}\n\n{VAGUE['en']}",
        "tables": "How many tables are still free on Friday?",
        "sunday": "How many tables are still free on Sunday?",
        "capital": "What is the capital of France?",
        "description": "How many tables are free on a day",
        "name": "Ada Wong",
    },
}
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
DAY = {"type": "string", "enum": DAYS}
# As the lesson's class `Booking` writes it.
BOOKING = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "people": {"type": "integer"}, "day": DAY},
    "required": ["name", "people", "day"],
    "additionalProperties": False,
}
ON_DAY = {"type": "object", "properties": {"day": DAY}, "required": ["day"]}
FOUR = (0, 100, 200, 300)
KEYS = {"name", "people", "day"}
JSON = {"response_format": {"type": "json_object"}}
FACT = {"temperature": 0, "max_tokens": 60}
RESULT = '{"day": "Friday", "free_tables": 3}'
# What pydantic says of a day that is none of them.
FAULTS = (
    "('day',): Input should be 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday',"
    " 'Saturday' or 'Sunday'"
)


def in_json(x: Learner, prompt: str, s: int) -> dict:
    return read(x.text(prompt, seed=s, max_tokens=80, **JSON))


def read(text: str) -> dict:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def shaped(x: Learner, prompt: str, s: int, schema: dict) -> dict:
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    return read(x.text(prompt, seed=s, max_tokens=80, response_format=form))


def tool(x: Learner) -> dict:
    function = {
        "name": "free_tables",
        "description": x.words["description"],
        "parameters": ON_DAY,
    }
    return {"type": "function", "function": function}


def called(x: Learner, prompt: str, s: int) -> list[dict]:
    """The arguments of each call of the tool that the model makes."""
    message = x.choice(prompt, seed=s, tools=[tool(x)], **FACT)["message"]
    return [read(call["function"]["arguments"]) for call in message.get("tool_calls", [])]


def told(x: Learner, s: int) -> str:
    """The answer after the tool's result."""
    call = {"name": "free_tables", "arguments": '{"day": "Friday"}'}
    calls = [{"id": "call_1", "type": "function", "function": call}]
    messages = [
        {"role": "user", "content": x.words["tables"]},
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_1", "content": RESULT},
    ]
    return x.text("tables", messages=messages, seed=s, tools=[tool(x)], **FACT)


def mended(x: Learner, s: int) -> bool:
    """Whether at first only the day does not fit, and all is right after the error is told."""
    first = x.text("keys", seed=s, max_tokens=80, **JSON)
    if not (same := read(first)).keys() == KEYS or same["people"] != 4 or same["day"] in DAYS:
        return False
    messages = [
        {"role": "user", "content": x.words["keys"]},
        {"role": "assistant", "content": first},
        {"role": "user", "content": x.words["again"].format(faults=FAULTS)},
    ]
    return read(x.text("keys", messages=messages, seed=s, max_tokens=80, **JSON)) == right(x)


def right(x: Learner) -> dict:
    return {"name": x.words["name"], "people": 4, "day": "Friday"}


DEMONSTRATIONS = [
    Demonstration(
        "prose: four seeds, more than one form",
        lambda x, s: len({x.text("prose", seed=s + k, max_tokens=80) for k in FOUR}) > 1,
    ),
    Demonstration(
        "json_object: JSON, but not the program's keys",
        lambda x, s: (found := in_json(x, "json", s)) != {} and found.keys() != KEYS,
    ),
    Demonstration(
        "json_schema: keys and types as asked, values right",
        lambda x, s: shaped(x, "prose", s, BOOKING) == right(x),
    ),
    Demonstration(
        "a number that the note does not give is made up",
        lambda x, s: type(shaped(x, "vague", s, BOOKING).get("people")) is int,
    ),
    Demonstration("the day does not fit; told the error, the model mends it", mended),
    Demonstration(
        "the tool is called for Friday",
        lambda x, s: called(x, "tables", s) == [{"day": "Friday"}],
    ),
    Demonstration("the answer after the tool's result is 3", lambda x, s: "3" in told(x, s)),
    Demonstration(
        "the tool is called for Sunday",
        lambda x, s: called(x, "sunday", s) == [{"day": "Sunday"}],
    ),
    Demonstration(
        "a question that needs no tool gets an answer",
        lambda x, s: called(x, "capital", s) == [],
    ),
]
