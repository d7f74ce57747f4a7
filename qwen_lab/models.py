"""DashScope's chat models and their dated prices, read from `models.toml` beside this file."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Price:
    """CNY for a million tokens in and out, in Beijing, on the price list of `date`."""

    input: float
    output: float
    date: str

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """CNY for so many tokens in and out, no discount counted."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6


@cache
def _table() -> dict:
    return tomllib.loads(Path(__file__).with_name("models.toml").read_text(encoding="utf-8"))


def names() -> frozenset[str]:
    """DashScope's chat names; the local endpoint answers to them as aliases."""
    return frozenset(name for name, row in _table().items() if isinstance(row, dict))


def price(model: str) -> Price | None:
    """The model's price, None where the table has none."""
    row = _table().get(model)
    return Price(**row, date=_table()["date"]) if isinstance(row, dict) and row else None
