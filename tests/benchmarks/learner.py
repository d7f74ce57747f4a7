"""A learner's calls, and what a lesson shows by them. Not a benchmark itself.

Each `lesson_NN.py` beside this file lists what its lesson shows; `demonstrations.py` counts.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from server import ask


class Learner:
    """Asks as a lesson does, in one language; `words` are the lesson's texts in it, by name."""

    def __init__(self, server: object, words: Mapping[str, str]) -> None:
        self.server, self.words = server, words

    def choice(self, prompt: str, **fields: object) -> dict:
        """The first choice of the answer to the text `words[prompt]`."""
        return self.answer(prompt, **fields)["choices"][0]

    def text(self, prompt: str, **fields: object) -> str:
        return self.choice(prompt, **fields)["message"]["content"]

    def answer(self, prompt: str, **fields: object) -> dict:
        """The whole response, as a dict; `messages` may replace the one question."""
        return ask(self.server, self.words[prompt], **fields)

    def surprise(self, prompt: str, **fields: object) -> float:
        """Bits a token, on average."""
        looking = {"logprobs": True, "max_tokens": 40}
        tokens = self.choice(prompt, **looking, **fields)["logprobs"]["content"]
        return -sum(token["logprob"] for token in tokens) / len(tokens) / math.log(2)


class Demonstration(NamedTuple):
    """What a lesson shows; `holds` tells whether it shows with a seed."""

    point: str
    holds: Callable[[Learner, int], bool]
