"""What a check of the doctor finds: a sign, what was seen, and the one thing to do."""

from collections.abc import Callable
from dataclasses import dataclass

from ..words import LabError, say

FINE, ODD, BROKEN = SIGNS = "✓!✗"


@dataclass(frozen=True)
class Finding:
    """`sign` is one of `SIGNS`; `todo` is empty where nothing is to be done."""

    sign: str
    seen: str
    todo: str = ""


def found(sign: str, key: str, **values: object) -> Finding:
    """A finding in the words for `key`, whose second line is what to do."""
    plain = {name: _line(value) for name, value in values.items()}
    seen, _, todo = say(f"doctor.{key}", **plain).partition("\n")
    return Finding(sign, seen, todo)


def of(check: Callable[[], Finding]) -> Finding:
    """What a check finds; one that cannot be made says why, and no other one misses it."""
    try:
        return check()
    except ImportError as missing:
        return found(ODD, "not_installed", package=missing.name or missing)
    except LabError as problem:
        return Finding(BROKEN, _line(problem))
    except Exception as error:
        return found(BROKEN, "unexpected", error=f"{type(error).__name__}: {error}")


def _line(value: object) -> object:
    return value if isinstance(value, int | float) else " ".join(str(value).split())
