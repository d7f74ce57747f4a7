"""What lesson 01 shows. Not a benchmark itself."""

import re
from functools import cache

from learner import Demonstration, Learner

PROMPTS = {
    "zh": {
        "capital": "法国的首都是哪里？",
        "rule": "只用一个词回答。",
        "name": "我的名字是什么？",
        "told": "你好，我叫小雨。",
        "greeting": "你好，小雨！很高兴认识你。",
        "mine": "小雨",
        "wish": "给一家茶馆起个名字，只写名字。",
        "poem": "写一首关于大海的诗。",
        "count": "从1数到10，用逗号分开。",
        "words": "[一-龥]",
    },
    "en": {
        "capital": "What is the capital of France?",
        "rule": "Answer with one word.",
        "name": "What is my name?",
        "told": "My name is Ada.",
        "greeting": "Nice to meet you, Ada!",
        "mine": "Ada",
        "wish": "Invent a name for a tea house. Give only the name.",
        "poem": "Write a poem about the sea.",
        "count": "Count from 1 to 10, separated by commas.",
        "words": "[A-Za-z']+",
    },
}


def ruled(x: Learner, seed: int) -> str:
    """The answer under the system message."""
    rule = {"role": "system", "content": x.words["rule"]}
    question = {"role": "user", "content": x.words["capital"]}
    return x.text("capital", messages=[rule, question], seed=seed)


def reminded(x: Learner, seed: int) -> str:
    """The answer to the question for one's name, after the conversation so far."""
    said = {"user": "told", "assistant": "greeting"}
    earlier = [{"role": role, "content": x.words[name]} for role, name in said.items()]
    question = {"role": "user", "content": x.words["name"]}
    return x.text("name", messages=[*earlier, question], seed=seed)


def names(x: Learner, start: int, **fields: float) -> int:
    """How many different names five seeds in a row give."""
    seeds = range(5 * start, 5 * start + 5)
    return len({x.text("wish", seed=seed, max_tokens=15, **fields) for seed in seeds})


def counted(x: Learner, seed: int) -> bool:
    """Whether a stop text leaves the count just before it."""
    text = x.text("count", seed=seed, stop="5")
    return "4" in text and "5" not in text


@cache
def variety(x: Learner, **penalty: float) -> float:
    """The share of different words in a poem at temperature 0, which no seed changes."""
    text = x.text("poem", temperature=0, max_tokens=80, **penalty)
    words = re.findall(x.words["words"], text)
    return len(set(words)) / len(words)


DEMONSTRATIONS = [
    Demonstration("a system message makes the answer short", lambda x, s: len(ruled(x, s)) < 6),
    Demonstration(
        "it does not know a name", lambda x, s: x.words["mine"] not in x.text("name", seed=s)
    ),
    Demonstration(
        "with the conversation so far it does", lambda x, s: x.words["mine"] in reminded(x, s)
    ),
    Demonstration(
        "temperature 0: five seeds, one name", lambda x, s: names(x, s, temperature=0) == 1
    ),
    Demonstration("temperature 1.9: more than one", lambda x, s: names(x, s, temperature=1.9) > 1),
    Demonstration("top_p 0.1: five seeds, one name", lambda x, s: names(x, s, top_p=0.1) == 1),
    Demonstration("top_p 1: more than one", lambda x, s: names(x, s, top_p=1) > 1),
    Demonstration(
        "max_tokens cuts a poem",
        lambda x, s: x.choice("poem", seed=s, max_tokens=12)["finish_reason"] == "length",
    ),
    Demonstration("stop leaves the count at 4", counted),
    Demonstration(
        "presence_penalty 2: a more varied poem",
        lambda x, s: variety(x, presence_penalty=2) > variety(x),
    ),
    Demonstration(
        "frequency_penalty 2: a more varied poem",
        lambda x, s: variety(x, frequency_penalty=2) > variety(x),
    ),
]
