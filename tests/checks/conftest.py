"""What the tests of the checks share: that what is said in English is said in Chinese too.

The tests of a file judge every answer in English. One test in each file then goes through the
same answers in Chinese and holds that each gets the words of the same key.
"""

import re
import string
from functools import cache

import pytest

from qwen_lab import words

CHINESE = re.compile("[一-鿿]")


@pytest.fixture
def in_chinese(monkeypatch):
    """Give a function that judges once in each language and holds the two against each other."""

    def held(judge, *answer, **options):
        english = judge(*answer, **options)
        with monkeypatch.context() as chosen:
            chosen.setenv("QWEN_LAB_LANG", "zh")
            chinese = judge(*answer, **options)
        assert chinese.status == english.status and len(chinese.message) < 300
        assert CHINESE.search(chinese.message) and not re.search(r"\{\w+\}", chinese.message)
        assert english.status != "wrong" or "应该" in chinese.message or "出了错" in chinese.message
        assert keys("zh", chinese.message) & keys("en", english.message), chinese.message

    return held


def keys(language, message):
    """The keys whose sentence, with anything for its placeholders, is this message.

    Of several sentences those that say most themselves: two topics may have the same one.
    """
    fitting = {
        key: said for key, (said, form) in forms(language).items() if form.fullmatch(message)
    }
    return {key for key, said in fitting.items() if said == max(fitting.values())}


@cache
def forms(language):
    """Of each sentence on an outcome: how many letters it says itself, and what it looks like."""
    topics = [path.stem for path in (words.WORDS / language).glob("checks*.toml")]
    return {
        f"{topic}.{name}": form(sentence)
        for topic in topics
        for name, sentence in words._topic(language, topic).items()
    }


def form(sentence):
    parts = list(string.Formatter().parse(sentence))
    pattern = "".join(re.escape(text) + (".*" if field else "") for text, field, *_ in parts)
    return sum(len(text) for text, *_ in parts), re.compile(pattern, re.DOTALL)
