"""A key: what one looks like, and that it is not shown."""

import re
from collections.abc import Iterable, Mapping

from . import addresses, paths
from .words import LabError

# The shortest that is taken for a whole key; DashScope's are longer.
SHORTEST = 18
UNFILLED, EXAMPLE = (re.compile(each, re.I | re.X) for each in paths.table(__file__).values())
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
    if key.strip()[:1] in tuple("\"'`") or key.strip()[-1:] in tuple("\"'`"):
        raise LabError("connection.key_quotes", name=name)
    if UNFILLED.search(key):
        raise LabError("connection.key_placeholder", name=name)
    for position, character in enumerate(key, 1):
        if not "!" <= character <= "~":
            raise LabError("connection.key_character", name=name, position=position)
    return Secret(key)


def for_dashscope(key: str, name: str, url: str) -> Secret:
    """A key that DashScope can take at this address; `LabError` for one that it cannot."""
    checked(key, name)
    if EXAMPLE.match(key) or len(set(key.removeprefix("sk-"))) < 4:
        raise LabError("connection.key_placeholder", name=name)
    if key.startswith("st-"):
        raise LabError("connection.key_temporary", name=name)
    if not key.startswith("sk-"):
        raise LabError("connection.key_prefix", name=name)
    if wrong := re.search(r"[^\w.-]", key, re.ASCII):
        raise LabError("connection.key_character", name=name, position=wrong.start() + 1)
    if len(key) < SHORTEST:
        raise LabError("connection.key_short", name=name, length=len(key))
    if key.startswith("sk-sp-") != addresses.is_plan(url):
        kind = "plan" if key.startswith("sk-sp-") else "not_plan"
        raise LabError(f"connection.key_{kind}", name=name, url=addresses.PLAN)
    return Secret(key)
