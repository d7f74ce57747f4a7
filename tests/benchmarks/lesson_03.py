"""What lesson 03 shows. Not a benchmark itself."""

from learner import Demonstration, Learner

PROMPTS = {
    "zh": {
        "count": "从 1 数到 5，用逗号分开。",
        "capital": "法国的首都是哪里？",
        "poem": "写一句关于大海的诗。",
        "weather": "杭州现在天气怎么样？",
        "city": "杭州",
        "tool": "查询一个城市现在的天气",
    },
    "en": {
        "count": "Count from 1 to 5, separated by commas.",
        "capital": "What is the capital of France?",
        "poem": "Write one line of a poem about the sea.",
        "weather": "What is the weather in Hangzhou now?",
        "city": "Hangzhou",
        "tool": "The weather in a city now",
    },
}


def calls_the_tool(learner: Learner, seed: int) -> bool:
    """Whether the demanded call comes, with the city of the question."""
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = {"name": "get_weather", "description": learner.words["tool"], "parameters": city}
    demand = {"type": "function", "function": {"name": "get_weather"}}
    tools = [{"type": "function", "function": tool}]
    choice = learner.choice("weather", seed=seed, tools=tools, tool_choice=demand)
    return (
        choice["finish_reason"] == "tool_calls"
        and learner.words["city"] in choice["message"]["tool_calls"][0]["function"]["arguments"]
    )


def stops(learner: Learner, seed: int, last: str, **fields: object) -> bool:
    """Whether the count ends by itself, or at a stop text, and with this number."""
    choice = learner.choice("count", seed=seed, **fields)
    text = choice["message"]["content"].strip(" ,，.。\n")
    return choice["finish_reason"] == "stop" and text.endswith(last)


DEMONSTRATIONS = [
    Demonstration("a count to five stops", lambda x, s: stops(x, s, "5")),
    Demonstration("stop 3 stops it after 2", lambda x, s: stops(x, s, "2", stop="3")),
    Demonstration(
        "max_tokens 3 cuts it",
        lambda x, s: x.choice("count", seed=s, max_tokens=3)["finish_reason"] == "length",
    ),
    Demonstration("a demanded call comes, with the city", calls_the_tool),
    Demonstration(
        "a fact surprises less than a poem",
        lambda x, s: x.surprise("capital", seed=s) < x.surprise("poem", seed=s),
    ),
]
