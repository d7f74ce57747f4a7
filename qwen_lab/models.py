"""DashScope's chat models, their prices and habits: the dated table of `models.toml` here."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from . import addresses

if TYPE_CHECKING:
    from .lab import Lab

# The model that the cloud is asked for, unless another one is named.
DEFAULT_MODEL = "qwen-plus"


@dataclass(frozen=True)
class Price:
    """CNY for a million tokens in and out, in Beijing, on the price list of `date`."""

    input: float
    output: float
    date: str
    model: str = ""

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """CNY for so many tokens in and out, no discount counted."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6


@cache
def _table() -> dict:
    return tomllib.loads(Path(__file__).with_name("models.toml").read_text(encoding="utf-8"))


def _row(model: str) -> dict:
    row = _table().get(model)
    return row if isinstance(row, dict) else {}


def names() -> frozenset[str]:
    """DashScope's chat names; the local endpoint answers to them as aliases."""
    return frozenset(name for name, row in _table().items() if isinstance(row, dict))


def price(model: str = DEFAULT_MODEL) -> Price | None:
    """What a model of DashScope costs: the dated list price, None where the table has none.

    Without a name, that of the model which a key asks for unless you choose another one. The
    prices are those of Beijing, for the smallest input, without thinking: Alibaba's catalogue of
    2026-05-27 and its price page of about June 2026.

    >>> qwen_lab.price()
    Price(input=0.8, output=2, date='2026-06', model='qwen-plus')
    >>> qwen_lab.price().of(1_000, 500)
    0.0018
    """
    row = _row(model)
    if "input" not in row:
        return None
    return Price(row["input"], row["output"], _table()["date"], model)


def thinking(model: str) -> str:
    """When a model of DashScope thinks: "on", "open" or "always" as in the table; else ""."""
    return _row(model).get("thinking", "")


def cost(lab: "Lab", model: str, tokens: tuple[int, int] | None) -> float | None:
    """CNY for a call with so many tokens in and out; 0 on one's own machine, None where unknown."""
    if lab.is_local:
        return 0.0
    cloud = lab.kind == "dashscope" and addresses.has_list_price(lab.base_url)
    found = price(model) if cloud else None
    return found.of(*tokens) if found and tokens else None
