"""A key: what one looks like, and that it is not shown."""

import re
from collections.abc import Iterable, Mapping

from . import addresses, paths
from .words import LabError

WRONG = paths.table(__file__)
# What looks like a key wherever it stands, and how variables are named that hold one.
LOOKS = re.compile(r"sk-[\w-]{8,}|(?<![A-Za-z0-9])st-[\w-]{8,}")
NAMED = re.compile("KEY|TOKEN|SECRET|PASSWORD", re.I)


class Secret(str):
    """A key that a cell does not show when it is looked at; sending it sends it whole."""

    def __repr__(self) -> str:
        return "'…'"


def secrets(*places: Mapping[str, str | None]) -> set[str]:
    """What these variables hold that nothing may show."""
    every = (variable for place in places for variable in place.items())
    return {value for name, value in every if value and NAMED.search(name)}


def without(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets, and without all else that looks like a key."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return LOOKS.sub("sk-…", text)


def checked(key: str, name: str) -> Secret:
    """The key, or a `LabError` that says what is wrong with it without showing it."""
    return _unlike("any", key, name)


def for_dashscope(key: str, name: str, url: str) -> Secret:
    """A key that DashScope can take at this address; `LabError` for one that it cannot."""
    _unlike("dashscope", checked(key, name), name)
    if key.startswith("sk-sp-") != addresses.is_plan(url):
        kind = "plan" if key.startswith("sk-sp-") else "not_plan"
        raise LabError(f"connection.key_{kind}", name=name, url=addresses.PLAN)
    return Secret(key)


def _unlike(wrong: str, key: str, name: str) -> Secret:
    """The key, or a `LabError` for the first of the wrong looks in the table that it has."""
    for kind, look in WRONG[wrong].items():
        if seen := re.search(look, key):
            told = {"position": seen.start() + 1, "length": len(key)}
            raise LabError(f"connection.key_{kind}", name=name, **told)
    return Secret(key)
