"""Checks of a request: the parameters that a call is to send, held against the table of them."""

import reprlib
from itertools import chain
from textwrap import shorten

from ..parameters import PAIRS, PARAMETERS, SAMPLING, Parameter
from ..words import joined
from .outcome import Outcome, check, near, need, passed, shown, wrong


@check
def accepted(request: object, *names: str) -> Outcome:
    """Judge that a request's values are all in their ranges, and that it has these parameters.

    `request` is a dict as the SDK's `create` takes it as keywords: what is not OpenAI's own goes
    into "extra_body". `names` are the parameters that must be there.

    >>> checks.request.accepted({"temperature": 1.9, "extra_body": {"top_k": 20}}, "temperature")
    passed: All values are in their ranges: temperature=1.9, top_k=20.
    """
    sent = need_legal(request)
    for name in names:
        need(name in sent, "checks_request.missing", name=name, expected=joined(names))
    return passed("checks_request.accepted_passed", seen=_listed(sent))


@check
def bolder(options: object) -> Outcome:
    """Judge options for a bolder text with less repetition: one parameter of each pair is raised.

    The pairs are temperature and top_p, presence_penalty and frequency_penalty; `options` is a dict
    as the SDK's `create` takes it as keywords, without any other parameter of the draw.

    >>> checks.request.bolder({"temperature": 1.2, "top_p": 0.5})
    wrong: Both temperature and top_p are in your dict; expected one of them...
    """
    sent = need_legal(options, *({*SAMPLING} - {*chain(*PAIRS), "max_tokens"}))
    for pair in PAIRS:
        there = [name for name in pair if name in sent]
        values = {"one": pair[0], "other": pair[1]}
        need(there, "checks_request.pair_missing", **values)
        need(len(there) == 1, "checks_request.pair_both", **values)
        [name] = there
        usual = PARAMETERS[name].default
        need(sent[name] > usual, "checks_request.pair_lower", sent[name], name=name, default=usual)
    return passed("checks_request.pair_passed", seen=_listed(sent))


def need_legal(request: object, *unwanted: str) -> dict:
    """The parameters of a request as they stand in its JSON: `extra_body` melts into the rest.

    What DashScope, or the SDK, would not take is wrong, and so are the `unwanted` parameters; the
    first such thing is told.
    """
    need(isinstance(request, dict), "checks_request.not_dict", request)
    extra = request.get("extra_body", {})
    need(isinstance(extra, dict), "checks_request.extra_not_dict", extra)
    sent = {name: value for name, value in request.items() if name != "extra_body"} | extra
    for name, value in sent.items():
        # A request has these beside its parameters.
        if name not in ("model", "messages"):
            _need_known(name)
            need(name not in unwanted, "checks_request.pair_third", name=name)
            keyword = name not in request or PARAMETERS[name].keyword
            need(keyword, "checks_request.not_keyword", name=name)
            _need_fit(PARAMETERS[name], value)
    return {name: value for name, value in sent.items() if name in PARAMETERS}


def _need_known(name: object) -> None:
    if name not in PARAMETERS:
        meant = near(name, PARAMETERS)
        need(not meant, "checks_request.misspelt", seen=reprlib.repr(name), name=meant)
        raise wrong("checks_request.unknown", name)


def _need_fit(row: Parameter, value: object) -> None:
    # A null that says more than "not given" is a value, too.
    if row.takes(value) or (value is None and row.null is not None):
        return
    values = {"name": row.name, "seen": shown(value), "range": row.range}
    need(row.kind is not int, "checks_request.value_whole", **values)
    need(row.kind is float, "checks_request.value_kind", kind=row.kind.__name__, **values)
    need(row.fits(value), "checks_request.value_number", **values)
    raise wrong("checks_request.value_outside", **values)


def _listed(sent: dict) -> str:
    rows = (f"{name}={reprlib.repr(value)}" for name, value in sent.items())
    return shorten(", ".join(rows), 100, placeholder=" …")
