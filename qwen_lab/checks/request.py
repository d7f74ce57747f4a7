"""Checks of a request: the parameters that a call is to send, held against the table of them."""

import reprlib
from difflib import get_close_matches

from ..parameters import PAIRS, PARAMETERS, Parameter
from ..words import say
from .outcome import Outcome, check, passed, shown, wrong

# What a request has beside its parameters.
OTHERS = ("model", "messages")
# Two names for the same job: of each pair only one is to move.


@check
def accepted(request: object, *names: str) -> Outcome:
    """Judge that a request's values are all in their ranges, and that it has these parameters.

    `request` is a dict as the SDK's `create` takes it as keywords: what is not OpenAI's own goes
    into "extra_body". `names` are the parameters that must be there.

    >>> checks.request.accepted({"temperature": 1.9, "extra_body": {"top_k": 20}}, "temperature")
    passed: All values are in their ranges: temperature=1.9, top_k=20.
    """
    if fault := _fault(request):
        return fault
    sent = _sent(request)
    if missing := [name for name in names if name not in sent]:
        return wrong("checks_request.missing", name=missing[0], expected=", ".join(names))
    return passed("checks_request.accepted_passed", seen=_listed(sent))


@check
def one_of_each_pair(options: object) -> Outcome:
    """Judge options that move only one of each pair of parameters away from its default.

    The pairs are temperature and top_p, presence_penalty and frequency_penalty; `options` is a dict
    as the SDK's `create` takes it as keywords.

    >>> checks.request.one_of_each_pair({"temperature": 1.2, "top_p": 0.5})
    wrong: Both temperature and top_p have moved; expected one of them...
    """
    if fault := _fault(options):
        return fault
    sent = _sent(options)
    for pair in PAIRS:
        moved = [name for name in pair if name in sent and sent[name] != PARAMETERS[name].default]
        values = {"one": pair[0], "other": pair[1]}
        if not moved:
            return wrong("checks_request.pair_unmoved", default=_defaults(pair), **values)
        if len(moved) > 1:
            return wrong("checks_request.pair_both", **values)
    return passed("checks_request.pair_passed", seen=_listed(sent))


def _fault(request: object) -> Outcome | None:
    """The first thing that DashScope, or the SDK, would not take."""
    if not isinstance(request, dict):
        return wrong("checks_request.not_dict", seen=shown(request))
    extra = request.get("extra_body", {})
    if not isinstance(extra, dict):
        return wrong("checks_request.extra_not_dict", seen=shown(extra))
    plain = {name: value for name, value in request.items() if name != "extra_body"}
    for name, value in [*plain.items(), *extra.items()]:
        if name in OTHERS:
            continue
        if name not in PARAMETERS:
            return _unknown(name)
        if name in plain and not PARAMETERS[name].keyword:
            return wrong("checks_request.not_keyword", name=name)
        if fault := _value_fault(PARAMETERS[name], value):
            return fault
    return None


def _unknown(name: object) -> Outcome:
    near = get_close_matches(name.lower(), PARAMETERS, n=1) if isinstance(name, str) else []
    if near:
        return wrong("checks_request.misspelt", seen=reprlib.repr(name), name=near[0])
    return wrong("checks_request.unknown", seen=shown(name))


def _value_fault(row: Parameter, value: object) -> Outcome | None:
    if row.takes(value):
        return None
    values = {"name": row.name, "seen": shown(value), "range": row.range}
    if row.kind is int:
        return wrong("checks_request.value_whole", **values)
    if row.kind is not float:
        return wrong("checks_request.value_kind", kind=row.kind.__name__, **values)
    if not row.fits(value):
        return wrong("checks_request.value_number", **values)
    # Where an end is open, the end itself is the usual slip.
    at_end = (row.open_low and value == row.low) or (row.open_high and value == row.high)
    name = "checks_request.value_at_end" if at_end else "checks_request.value_outside"
    return wrong(name, **values)


def _sent(request: dict) -> dict:
    """The parameters as they stand in the JSON that is sent: `extra_body` melts into the rest."""
    whole = {**request, **request.get("extra_body", {})}
    return {name: value for name, value in whole.items() if name in PARAMETERS}


def _listed(sent: dict) -> str:
    rows = [f"{name}={reprlib.repr(value)}" for name, value in sent.items()]
    more = say("checks_request.more", count=len(rows) - 6) if len(rows) > 6 else ""
    return ", ".join(rows[:6]) + more


def _defaults(pair: tuple[str, str]) -> str:
    return ", ".join(f"{name}={PARAMETERS[name].default}" for name in pair)
