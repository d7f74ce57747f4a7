"""What lesson 05 shows. Not a benchmark itself."""

import re

from learner import Demonstration, Learner

PROMPTS = {
    "zh": {
        "golds": "2024 年巴黎奥运会，中国队获得了多少枚金牌？",
        "capital": "法国的首都是哪里？",
        "right": "巴黎",
        "planet": "行星开普勒-22b 有几颗卫星？",
    },
    "en": {
        "golds": "How many gold medals did China win at the Paris Olympics?",
        "capital": "What is the capital of France?",
        "right": "Paris",
        "planet": "How many moons does the planet Kepler-22b have?",
    },
}
FACT = {"temperature": 0, "max_tokens": 60}
SEARCH = {"enable_search": True}
ORDER = SEARCH | {"search_options": {"forced_search": True}}
COUNT = r"\d|[一二两三四五六七八九十]\s*颗"


def told(learner: Learner, prompt: str, seed: int, **fields: object) -> str:
    """The answer's text, as the lesson asks for facts."""
    return learner.text(prompt, seed=seed, **FACT, **fields)


DEMONSTRATIONS = [
    Demonstration(
        "without search no 40 gold medals",
        lambda x, s: "40" not in told(x, "golds", s),
    ),
    Demonstration(
        "with search 40 gold medals",
        lambda x, s: "40" in told(x, "golds", s, **SEARCH),
    ),
    Demonstration(
        "a search that finds nothing: the right capital",
        lambda x, s: x.words["right"] in told(x, "capital", s, **SEARCH),
    ),
    Demonstration(
        "a forced search: another capital",
        lambda x, s: x.words["right"] not in told(x, "capital", s, **ORDER),
    ),
    Demonstration(
        "a search that finds nothing: a number all the same",
        lambda x, s: (
            re.search(COUNT, told(x, "planet", s, **SEARCH).replace("22b", "")) is not None
        ),
    ),
]
