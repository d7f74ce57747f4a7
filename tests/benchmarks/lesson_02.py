"""What lesson 02 shows. Not a benchmark itself."""

import re

from learner import Demonstration, Learner

PROMPTS = {
    "zh": {
        "poem": "写一首关于秋天的短诗",
        "count": "从1数到10，用逗号分开。",
        "colours": "写出五种颜色，每行一种。",
        "foreign": "[A-Za-z\u0400-\u04ff]",
        "words": "[一-龥]",
    },
    "en": {
        "poem": "Write a short poem about autumn",
        "count": "Count from 1 to 10, separated by commas.",
        "colours": "List five colours, one a line.",
        "foreign": "[\u0370-\u1fff\u3040-\uffff]",
        "words": "[A-Za-z']+",
    },
}
CORNERS = [(0.7, 0.1), (0.7, 1), (1.9, 0.1), (1.9, 1)]


def texts(x: Learner, start: int, **fields: object) -> set[str]:
    """The different beginnings of a poem for three seeds in a row."""
    seeds = range(3 * start, 3 * start + 3)
    return {x.text("poem", seed=seed, max_tokens=12, **fields) for seed in seeds}


def hidden(x: Learner, start: int) -> bool:
    """Whether the beginnings vary with top_p 1, whatever the temperature, and never with 0.1."""
    found = [len(texts(x, start, temperature=heat, top_p=part)) for heat, part in CORNERS]
    return [number == 1 for number in found] == [True, False, True, False]


def foreign(x: Learner, seed: int, **cuts: float) -> bool:
    """Whether hot text has letters of another script."""
    text = x.text("poem", seed=seed, temperature=1.9, max_tokens=24, **cuts)
    return re.search(x.words["foreign"], text) is not None


def drawn_by(x: Learner, seed: int) -> bool:
    """Whether a seed gives its text again, and the next one another."""
    one, again, other = (
        x.text("poem", seed=seed, temperature=1.5, max_tokens=12) for seed in (seed, seed, seed + 1)
    )
    return one == again != other


def first_line(x: Learner, prompt: str, seed: int) -> bool:
    """Whether stop leaves one line with something in it, not cut by the limit."""
    choice = x.choice(prompt, seed=seed, stop="\n", max_tokens=60)
    return choice["finish_reason"] == "stop" and choice["message"]["content"].strip() != ""


def variety(x: Learner, start: int, penalty: float) -> float:
    """The share of different words in the poems of two seeds."""
    seeds = (2 * start, 2 * start + 1)
    poems = [x.text("poem", seed=s, max_tokens=50, presence_penalty=penalty) for s in seeds]
    words = re.findall(x.words["words"], " ".join(poems).lower())
    return len(set(words)) / len(words)


def counts(x: Learner, seed: int, penalty: float) -> bool:
    """Whether it gets to 10, a comma after each number."""
    text = x.text("count", seed=seed, max_tokens=40, frequency_penalty=penalty)
    return "8,9,10" in text.replace(" ", "")


def three(x: Learner, seed: int) -> int:
    """How many of three choices are different."""
    answer = x.answer("poem", seed=seed, n=3, max_tokens=12, temperature=1.3)
    return len({choice["message"]["content"] for choice in answer["choices"]})


DEMONSTRATIONS = [
    Demonstration(
        "temperature 0: three seeds, one text", lambda x, s: len(texts(x, s, temperature=0)) == 1
    ),
    Demonstration("top_p 0.1 hides the temperature", hidden),
    Demonstration(
        "1.9 without cuts: foreign letters", lambda x, s: foreign(x, s, top_k=101, top_p=1)
    ),
    Demonstration(
        "1.9 with top_p 0.8 alone: too", lambda x, s: foreign(x, s, top_k=101, top_p=0.8)
    ),
    Demonstration("1.9 with top_k 20: none", lambda x, s: not foreign(x, s, top_k=20, top_p=1)),
    Demonstration("a seed gives its text, the next another", drawn_by),
    Demonstration(
        "stop at a new line leaves a poem's first", lambda x, s: first_line(x, "poem", s)
    ),
    Demonstration("stop leaves one colour", lambda x, s: first_line(x, "colours", s)),
    Demonstration(
        "presence_penalty 2: more varied than -2",
        lambda x, s: variety(x, s, 2) > variety(x, s, -2),
    ),
    Demonstration("it counts from 1 to 10", lambda x, s: counts(x, s, 0)),
    Demonstration("frequency_penalty 2 breaks the count", lambda x, s: not counts(x, s, 2)),
    Demonstration("n 3: not all the same", lambda x, s: three(x, s) > 1),
]
