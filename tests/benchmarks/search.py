"""What a search is worth: how many of 40 questions the model answers rightly without and with it.

The questions are in `questions.toml`, 20 in Chinese and 20 in English, with what a right answer
says; each is asked with a seed, at the defaults of the endpoint. Goals: without ≤ 8, with ≥ 36.
With `-v` as an argument, each wrong answer is shown.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from server import ask, own
from table import Row, show

QUESTIONS = tomllib.loads(Path(__file__).with_name("questions.toml").read_text(encoding="utf-8"))


def is_right(question: dict, answer: str) -> bool:
    wanted = question["right"]
    patterns = [wanted] if isinstance(wanted, str) else wanted
    return all(re.search(pattern, answer) for pattern in patterns)


def answer(server, question: str, search: bool) -> str:
    fields = {"seed": 1234, "max_tokens": 160, "enable_search": search}
    return ask(server, question, **fields)["choices"][0]["message"]["content"]


def right(server, language: str, search: bool, verbose: bool) -> int:
    """How many of a language's questions are answered rightly."""
    count = 0
    for question in QUESTIONS[language]:
        said = answer(server, question["question"], search)
        if is_right(question, said):
            count += 1
        elif verbose:
            print(f"{question['question']}\n  {said!r}", file=sys.stderr)
    return count


def rows(verbose: bool = False) -> Iterator[Row]:
    with own() as server:
        for what, search, goal in (("without", False, "≤ 8"), ("with", True, "≥ 36")):
            counts = [right(server, language, search, verbose) for language in ("zh", "en")]
            yield Row(f"right answers {what} search", [sum(counts)], "of 40", goal)
            for language, count in zip(("zh", "en"), counts, strict=True):
                yield Row(f"right answers {what} search, {language}", [count], "of 20")


if __name__ == "__main__":
    show(rows("-v" in sys.argv))
