"""A learner's calls, and what can be told of their answers. Not a benchmark itself.

`demonstrations.py` counts by them what the lessons show.
"""

import json
import math
import re
from collections.abc import Mapping
from functools import cache

from server import ask

JSON = {"response_format": {"type": "json_object"}}
FACT = {"temperature": 0, "max_tokens": 60}
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


class Learner:
    """Asks as a lesson does, in one language; `words` are the lesson's texts in it, by name.

    A prompt is the name of such a text, or a text itself.
    """

    def __init__(self, server: object, words: Mapping) -> None:
        self.server = server
        self.words = words

    def answer(self, prompt: str, **fields: object) -> dict:
        """The whole response, as a dict; `messages` may replace the one question."""
        return ask(self.server, self.words.get(prompt, prompt), **fields)

    def choice(self, prompt: str, **fields: object) -> dict:
        return self.answer(prompt, **fields)["choices"][0]

    def text(self, prompt: str, **fields: object) -> str:
        return self.choice(prompt, **fields)["message"]["content"]

    def texts(self, prompt: str, start: int, count: int, **fields: object) -> set[str]:
        """The different texts of `count` seeds in a row; the next start has others."""
        seeds = range(count * start, count * start + count)
        return {self.text(prompt, seed=seed, **fields) for seed in seeds}

    def talk(self, *turns: tuple[str, str], **fields: object) -> str:
        """The answer to a conversation of (role, prompt)."""
        said = [{"role": role, "content": self.words.get(name, name)} for role, name in turns]
        return self.text(turns[-1][1], messages=said, **fields)

    def surprise(self, prompt: str, **fields: object) -> float:
        """Bits a token, on average."""
        looking = {"logprobs": True, "max_tokens": 40}
        tokens = self.choice(prompt, **looking, **fields)["logprobs"]["content"]
        return -sum(token["logprob"] for token in tokens) / len(tokens) / math.log(2)

    def variety(self, *texts: str) -> float:
        """The share of different words."""
        words = re.findall(self.words["words"], " ".join(texts))
        return len(set(words)) / len(words)


def demands(**properties: dict) -> dict:
    """A schema of an object that has all these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def tool(name: str, description: str, **properties: dict) -> dict:
    function = {"name": name, "description": description, "parameters": demands(**properties)}
    return {"type": "function", "function": function}


# Lesson 01
@cache
def coldly_varied(x: Learner, **penalty: float) -> float:
    """How varied a poem at temperature 0 is, which no seed changes."""
    return x.variety(x.text("poem", temperature=0, max_tokens=80, **penalty))


def stops_before_five(x: Learner, seed: int) -> bool:
    text = x.text("count", seed=seed, stop="5")
    return "4" in text and "5" not in text


# Lesson 02

CORNERS = [(0.7, 0.1), (0.7, 1), (1.9, 0.1), (1.9, 1)]


def hides_the_temperature(x: Learner, start: int) -> bool:
    """Whether the beginnings vary with top_p 1, whatever the temperature, and never with 0.1."""
    short = {"max_tokens": 12}
    found = [x.texts("poem", start, 3, temperature=t, top_p=p, **short) for t, p in CORNERS]
    return [len(texts) == 1 for texts in found] == [True, False, True, False]


def has_foreign_letters(x: Learner, seed: int, **cuts: float) -> bool:
    """Whether hot text has letters of another script."""
    text = x.text("poem", seed=seed, temperature=1.9, max_tokens=24, **cuts)
    return re.search(x.words["foreign"], text) is not None


def is_drawn_by_its_seed(x: Learner, seed: int) -> bool:
    one, again, other = (
        x.text("poem", seed=each, temperature=1.5, max_tokens=12) for each in (seed, seed, seed + 1)
    )
    return one == again != other


def leaves_one_line(x: Learner, prompt: str, seed: int) -> bool:
    """Whether stop leaves a line with something in it, not cut by the limit."""
    choice = x.choice(prompt, seed=seed, stop="\n", max_tokens=60)
    return choice["finish_reason"] == "stop" and choice["message"]["content"].strip() != ""


def leaves_the_first_colour(x: Learner, seed: int) -> bool:
    """Whether stop at a new line leaves the first line of a numbered list, and no introduction."""
    choice = x.choice("colours", seed=seed, stop="\n", max_tokens=20)
    text = choice["message"]["content"]
    return choice["finish_reason"] == "stop" and re.fullmatch(r"1\. ?\S+", text) is not None


def varied(x: Learner, start: int, penalty: float) -> float:
    """How varied the poems of two seeds are."""
    seeds = (2 * start, 2 * start + 1)
    poems = [x.text("poem", seed=s, max_tokens=50, presence_penalty=penalty) for s in seeds]
    return x.variety(*(poem.lower() for poem in poems))


def counts_to_ten(x: Learner, seed: int, penalty: float) -> bool:
    """Whether it gets to 10, a comma after each number."""
    text = x.text("count", seed=seed, max_tokens=40, frequency_penalty=penalty)
    return "8,9,10" in text.replace(" ", "")


def three_choices(x: Learner, seed: int) -> set[str]:
    answer = x.answer("poem", seed=seed, n=3, max_tokens=12, temperature=1.3)
    return {choice["message"]["content"] for choice in answer["choices"]}


# Lesson 03
@cache
def days(x: Learner, most: int) -> int:
    """How many days a week of so many tokens has, at temperature 0, which no seed changes."""
    choice = x.choice("week", temperature=0, max_tokens=most)
    whole = choice["finish_reason"] == ("length" if most < 20 else "stop")
    return choice["message"]["content"].count(x.words["day"]) if whole else 0


def billed(x: Learner, seed: int) -> int:
    return x.answer("name", seed=seed)["usage"]["total_tokens"]


def stops(x: Learner, seed: int, last: str, **fields: object) -> bool:
    """Whether the count ends by itself, or at a stop text, and with this number."""
    choice = x.choice("count", seed=seed, **fields)
    text = choice["message"]["content"].strip(" ,，.。\n")
    return choice["finish_reason"] == "stop" and text.endswith(last)


def calls_for_the_city(x: Learner, seed: int) -> bool:
    """Whether the demanded call comes, with the city of the question."""
    weather = tool("get_weather", x.words["tool"], city={"type": "string"})
    demand = {"type": "function", "function": {"name": "get_weather"}}
    choice = x.choice("weather", seed=seed, tools=[weather], tool_choice=demand)
    if choice["finish_reason"] != "tool_calls":
        return False
    return x.words["city"] in choice["message"]["tool_calls"][0]["function"]["arguments"]


# Lesson 04
def right_capitals(x: Learner, seed: int) -> int:
    asked = {city: x.words["capital"].format(land) for city, land in x.words["countries"].items()}
    return sum(city in x.text(asked[city], seed=seed, max_tokens=8) for city in asked)


# Lesson 05

SEARCH = {"enable_search": True}
ORDER = SEARCH | {"search_options": {"forced_search": True}}
COUNT = r"\d|[一二两三四五六七八九十]\s*颗"


def fact(x: Learner, prompt: str, seed: int, **fields: object) -> str:
    return x.text(prompt, seed=seed, **FACT, **fields)


def gives_a_number(x: Learner, seed: int) -> bool:
    said = fact(x, "planet", seed, **SEARCH).replace("22b", "")
    return re.search(COUNT, said) is not None


# Lesson 06
def recalls_the_name(x: Learner, seed: int) -> bool:
    """Whether the talk goes on without the turn that was refused."""
    short = {"seed": seed, "max_tokens": 20}
    reply = x.text("hello", **short)
    talk = [("user", "hello"), ("assistant", reply), ("user", "name")]
    return x.words["called"] in x.talk(*talk, **short)


# Lesson 07

DAY = {"type": "string", "enum": DAYS}
KEYS = {"name", "people", "day"}
# As the lesson's class `Booking` writes it.
BOOKING = demands(name={"type": "string"}, people={"type": "integer"}, day=DAY)
BOOKING["additionalProperties"] = False
RESULT = '{"day": "Friday", "free_tables": 3}'
# What pydantic says of a day that is none of them.
FAULTS = (
    "('day',): Input should be 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday',"
    " 'Saturday' or 'Sunday'"
)


def read(text: str) -> dict:
    """The JSON object in a text, empty where there is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def right(x: Learner) -> dict:
    return {"name": x.words["name"], "people": 4, "day": "Friday"}


def booked(x: Learner, prompt: str, seed: int) -> dict:
    """What the schema makes of the note."""
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": BOOKING}}
    return read(x.text(prompt, seed=seed, max_tokens=80, response_format=form))


def has_keys_of_its_own(x: Learner, seed: int) -> bool:
    found = read(x.text("json", seed=seed, max_tokens=80, **JSON))
    return found != {} and found.keys() != KEYS


def mends_the_day(x: Learner, seed: int) -> bool:
    """Whether at first only the day does not fit, and all is right after the error is told."""
    first = x.text("keys", seed=seed, max_tokens=80, **JSON)
    if not (same := read(first)).keys() == KEYS or same["people"] != 4 or same["day"] in DAYS:
        return False
    again = x.words["again"].format(faults=FAULTS)
    talk = [("user", "keys"), ("assistant", first), ("user", again)]
    return read(x.talk(*talk, seed=seed, max_tokens=80, **JSON)) == right(x)


def tables(x: Learner) -> dict:
    return tool("free_tables", x.words["description"], day=DAY)


def called(x: Learner, prompt: str, seed: int) -> list[dict]:
    """The arguments of each call of the tool that the model makes."""
    message = x.choice(prompt, seed=seed, tools=[tables(x)], **FACT)["message"]
    return [read(call["function"]["arguments"]) for call in message.get("tool_calls", [])]


def told_the_result(x: Learner, seed: int) -> str:
    """The answer after the tool's result."""
    call = {"name": "free_tables", "arguments": '{"day": "Friday"}'}
    calls = [{"id": "call_1", "type": "function", "function": call}]
    messages = [
        {"role": "user", "content": x.words["tables"]},
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_1", "content": RESULT},
    ]
    return x.text("tables", messages=messages, seed=seed, tools=[tables(x)], **FACT)
