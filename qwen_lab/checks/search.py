"""Checks of calls that search."""

import reprlib
from difflib import get_close_matches

from openai import AsyncStream, Stream
from openai.types.chat import ChatCompletion

from .outcome import Outcome, check, passed, shown, wrong

NAMES = ("enable_search", "search_options")


@check
def options(options: object) -> Outcome:
    """Judge a dict of options for `create` that make a call search, whether it needs to or not.

    What is not OpenAI's own goes into "extra_body".

    >>> body = {"enable_search": True, "search_options": {"forced_search": True}}
    >>> checks.search.options({"extra_body": body})
    passed: ...
    """
    if not isinstance(options, dict):
        return wrong("checks_search.options_not_dict", seen=shown(options))
    for name in (*NAMES, "forced_search"):
        if name in options:
            return wrong("checks_search.outside", name=name)
    if "extra_body" not in options:
        return _without("extra_body", options, "checks_search.no_extra_body")
    body = options["extra_body"]
    return _body_fault(body) or _forced_fault(body) or passed("checks_search.options_passed")


def _body_fault(body: object) -> Outcome | None:
    """What keeps an `extra_body` from asking for a search."""
    if not isinstance(body, dict):
        return wrong("checks_search.body_not_dict", seen=shown(body))
    if "enable_search" not in body:
        return _without("enable_search", body, "checks_search.no_enable_search")
    return _switch_fault("enable_search", body["enable_search"])


def _forced_fault(body: dict) -> Outcome | None:
    """What keeps its `search_options` from forcing one."""
    if "forced_search" in body:
        return wrong("checks_search.forced_outside")
    if "search_options" not in body:
        return _without("search_options", body, "checks_search.no_search_options")
    inner = body["search_options"]
    if not isinstance(inner, dict):
        return wrong("checks_search.search_options_not_dict", seen=shown(inner))
    if "forced_search" not in inner:
        return _without("forced_search", inner, "checks_search.no_forced_search")
    return _switch_fault("forced_search", inner["forced_search"])


def _switch_fault(name: str, value: object) -> Outcome | None:
    return None if value is True else wrong("checks_search.not_true", name=name, seen=shown(value))


def _without(name: str, given: dict, key: str) -> Outcome:
    """The key is missing; perhaps it is there in another spelling."""
    names = [each for each in given if isinstance(each, str)]
    if near := get_close_matches(name, names, n=1, cutoff=0.8):
        return wrong("checks_search.misspelt", seen=reprlib.repr(near[0]), name=name)
    return wrong(key, seen=reprlib.repr(list(given)))


@check
def added(plain: object, searched: object, added: object) -> Outcome:
    """Judge how many prompt tokens a search added: two `ChatCompletion`, and the difference.

    `plain` is the answer without a search, `searched` the one with it, and `added` a whole number.

    >>> plain = client.chat.completions.create(model=lab.model, messages=messages)
    >>> forced = {"enable_search": True, "search_options": {"forced_search": True}}
    >>> searched = client.chat.completions.create(
    ...     model=lab.model, messages=messages, extra_body=forced
    ... )
    >>> more = searched.usage.prompt_tokens - plain.usage.prompt_tokens
    >>> checks.search.added(plain, searched, more)
    passed: ...
    """
    for name, completion in (("plain", plain), ("searched", searched)):
        if fault := _completion_fault(name, completion):
            return fault
    without, with_search = plain.usage.prompt_tokens, searched.usage.prompt_tokens
    counts = {"plain": without, "searched": with_search, "expected": with_search - without}
    if with_search == without:
        return wrong("checks_search.same", **counts)
    if with_search < without:
        return wrong("checks_search.exchanged", **counts)
    if type(added) is int and added == counts["expected"]:
        return passed("checks_search.added_passed", **counts)
    totals = searched.usage.total_tokens - plain.usage.total_tokens
    key = "checks_search.totals" if added == totals else "checks_search.other"
    return wrong(key, seen=shown(added), **counts)


def _completion_fault(name: str, answer: object) -> Outcome | None:
    """What keeps an answer from being a whole response with its usage."""
    if isinstance(answer, Stream | AsyncStream):
        return wrong("checks_search.stream", name=name)
    if not isinstance(answer, ChatCompletion):
        return wrong("checks_search.not_completion", name=name, seen=shown(answer))
    if answer.usage is None:
        return wrong("checks_search.no_usage", name=name)
    return None
