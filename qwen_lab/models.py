"""DashScope's chat models, their prices and habits: the dated table of `models.toml` here."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import addresses, paths

if TYPE_CHECKING:
    from .lab import Lab

# The model that the cloud is asked for, unless another one is named.
DEFAULT_MODEL = "qwen-plus"
# As an answer names the local Qwen.
LOCAL_MODEL = "qwen2.5-coder-0.5b-instruct"
_TABLE = paths.table(__file__)
_DATE = _TABLE.pop("date")


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


def names() -> frozenset[str]:
    """DashScope's chat names; the local endpoint answers to them as aliases."""
    return frozenset(_TABLE)


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
    row = _TABLE.get(model, {})
    return Price(row["input"], row["output"], _DATE, model) if "input" in row else None


def thinking(model: str) -> str:
    """When a model of DashScope thinks: "on", "open" or "always" as in the table; else ""."""
    return _TABLE.get(model, {}).get("thinking", "")


def cost(lab: "Lab", model: str, tokens: tuple[int, int] | None) -> float | None:
    """CNY for a call with so many tokens in and out; 0 on one's own machine, None where unknown."""
    if lab.is_local:
        return 0.0
    cloud = lab.kind == "dashscope" and addresses.has_list_price(lab.base_url)
    found = price(model) if cloud else None
    return found.of(*tokens) if found and tokens else None
