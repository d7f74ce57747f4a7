"""Every combination of some parameters, asked one by one, and figures of what came back."""

import asyncio
import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import mean

import openai

from .. import models
from ..lab import Lab
from ..parameters import PARAMETERS, arguments, named
from ..words import reason
from . import typed

SEEDS = (1, 2, 3)
# How many calls are under way at once, where they need not come one after the other.
AT_ONCE = 8
# More calls or CNY than these are not spent without a word.
FREE_CALLS, FREE_CNY = 20, 0.10
# An error may be a whole page.
LONGEST_ERROR = 600
# Han, kana and hangul have no spaces between words: each sign counts.
UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
UNIT = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")


@dataclass
class Answer:
    """One call of a sweep: what was set, and what came back."""

    parameters: dict
    text: str = ""
    finish_reason: str | None = None
    completion_tokens: int | None = None
    seconds: float = 0
    error: str | None = None
    # The error itself.
    cause: Exception | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict:
        """Flat, for a table."""
        others = ("parameters", "cause")
        rest = {name: value for name, value in vars(self).items() if name not in others}
        return {**self.parameters, **rest, "characters": len(self.text)}


@dataclass
class Figures:
    """What the answers to one setting have in common, over its seeds.

    `distinct_1` and `distinct_2`: of all words, or pairs of words, the share that is no
    repetition (distinct-n: Li et al. 2016). `overlap`: of all pairs of words in two answers, the
    share that both have (the Jaccard index), on average over the answers two by two.
    """

    setting: dict
    answers: list[Answer]
    distinct: int = 0
    length: float = 0
    distinct_1: float = 0
    distinct_2: float = 0
    overlap: float = 0
    reasons: Counter = field(default_factory=Counter)


def combinations(parameters: Mapping[str, object]) -> list[dict]:
    """Every combination of the values, the seeds innermost; `ValueError` for what cannot be set.

    A single value counts as a list of one. Without a seed there are three, the same ones for
    every setting, so that differences come from the setting.
    """
    lists = {name: _values(value) for name, value in parameters.items()}
    for name, values in lists.items():
        [row] = named(name)
        for value in values:
            row.check(value)
    seeds = lists.pop("seed", list(SEEDS))
    found = itertools.product(*lists.values(), seeds)
    return [dict(zip([*lists, "seed"], values, strict=True)) for values in found]


def _values(value: object) -> list:
    return list(value) if isinstance(value, list | tuple | range | set) else [value]


def price(lab: Lab, messages: list[dict], settings: list[dict]) -> float | None:
    """About how many CNY the calls cost at most; 0 on one's own machine, None where unknown."""
    # A character is seldom more than one token.
    asked = sum(len(str(message["content"])) for message in messages) * len(settings)
    usual = PARAMETERS["max_tokens"].default
    written = sum(setting.get("max_tokens", usual) for setting in settings)
    return models.cost(lab, lab.model, (asked, written))


def is_dear(lab: Lab, calls: int, cny: float | None) -> bool:
    """Whether so many calls want a second word before they are made."""
    return lab.kind == "dashscope" and (calls > FREE_CALLS or cny is None or cny > FREE_CNY)


async def ask_all(
    lab: Lab, messages: list[dict], settings: list[dict], answered: Callable[[Answer], None]
) -> None:
    """Ask with every setting, saying `answered` at each answer; an error is an answer too.

    One after the other on the local Qwen, where only so a seed gives its text again; elsewhere
    some at once.
    """
    limit = asyncio.Semaphore(1 if lab.is_local else AT_ONCE)
    async with openai.AsyncOpenAI(base_url=lab.base_url, api_key=lab.api_key) as client:

        async def ask(setting: dict) -> None:
            async with limit:
                answered(await _ask(client, lab.model, messages, setting))

        async with asyncio.TaskGroup() as group:
            for setting in settings:
                group.create_task(ask(setting))


async def _ask(
    client: openai.AsyncOpenAI, model: str, messages: list[dict], setting: dict
) -> Answer:
    began = time.perf_counter()
    try:
        answer = await client.chat.completions.create(
            model=model, messages=messages, **arguments(setting)
        )
        completion = typed.completion(answer)
    # Any error: the sweep goes on, whatever a server answers.
    except Exception as error:
        code = getattr(error, "code", None) or type(error).__name__
        said = reason(error) if isinstance(error, openai.APIConnectionError) else error
        words = f"{code}: {said}"[:LONGEST_ERROR]
        return Answer(setting, error=words, cause=error, seconds=time.perf_counter() - began)
    choice = next(iter(completion.choices), None)
    return Answer(
        setting,
        choice and choice.message.content or "",
        choice and choice.finish_reason,
        completion.usage.completion_tokens if completion.usage else None,
        time.perf_counter() - began,
    )


def figures(answers: Iterable[Answer], settings: Iterable[dict] = ()) -> list[Figures]:
    """The figures of every setting, in the order in which the settings were first asked.

    `answers` are those of a `sweep`; those with the same parameters but for the seed make one
    setting. The figures are counts and tokens, how varied the texts are (distinct n-grams, Li et
    al. 2016), and how alike two of them are. `settings` that wait for their answers are among them.

    >>> box = qwen_lab.sweep(lab, "Write a line about autumn", temperature=[0, 1], seed=[1, 2])
    >>> answers = await box.run()
    >>> [found.setting for found in qwen_lab.figures(answers)]
    [{'temperature': 0}, {'temperature': 1}]
    """
    groups: dict[str, Figures] = {}

    def group(parameters: dict) -> Figures:
        setting = {name: value for name, value in parameters.items() if name != "seed"}
        return groups.setdefault(repr(setting), Figures(setting, []))

    for setting in settings:
        group(setting)
    for answer in answers:
        group(answer.parameters).answers.append(answer)
    for found in groups.values():
        _measure(found, [answer.text for answer in found.answers if answer.error is None])
    return list(groups.values())


def _measure(group: Figures, texts: list[str]) -> None:
    group.reasons = Counter(answer.finish_reason or "error" for answer in group.answers)
    if not texts:
        return
    words = [UNIT.findall(text.lower()) for text in texts]
    pairs = [list(itertools.pairwise(found)) for found in words]
    group.distinct, group.length = len(set(texts)), mean(map(len, texts))
    group.distinct_1, group.distinct_2 = _distinct(words), _distinct(pairs)
    shares = [_share(set(a), set(b)) for a, b in itertools.combinations(pairs, 2)]
    group.overlap = mean(shares) if shares else 0.0


def _distinct(found: list[list]) -> float:
    together = list(itertools.chain(*found))
    return len(set(together)) / len(together) if together else 0.0


def _share(a: set, b: set) -> float:
    # Two texts too short to have a pair are alike, if anything.
    return len(a & b) / len(a | b) if a | b else 1.0
