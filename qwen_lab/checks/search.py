"""Checks of calls that search."""

import reprlib
from difflib import get_close_matches

from openai import AsyncStream, Stream
from openai.types.chat import ChatCompletion

from .outcome import Outcome, check, need, passed, wrong


@check
def options(options: object) -> Outcome:
    """Judge a dict of options for `create` that make a call search, whether it needs to or not.

    What is not OpenAI's own goes into "extra_body".

    >>> body = {"enable_search": True, "search_options": {"forced_search": True}}
    >>> checks.search.options({"extra_body": body})
    passed: ...
    """
    need(isinstance(options, dict), "checks_search.options_not_dict", options)
    for name in ("enable_search", "search_options", "forced_search"):
        need(name not in options, "checks_search.outside", name=name)
    body = _found("extra_body", options, "checks_search.no_extra_body")
    need(isinstance(body, dict), "checks_search.body_not_dict", body)
    _need_true("enable_search", body, "checks_search.no_enable_search")
    need("forced_search" not in body, "checks_search.forced_outside")
    inner = _found("search_options", body, "checks_search.no_search_options")
    need(isinstance(inner, dict), "checks_search.search_options_not_dict", inner)
    _need_true("forced_search", inner, "checks_search.no_forced_search")
    return passed("checks_search.options_passed")


def _found(name: str, given: dict, key: str) -> object:
    """The value under this name. It must be there; perhaps it is, in another spelling."""
    if name in given:
        return given[name]
    names = [each for each in given if isinstance(each, str)]
    if near := get_close_matches(name, names, n=1, cutoff=0.8):
        raise wrong("checks_search.misspelt", seen=reprlib.repr(near[0]), name=name)
    raise wrong(key, seen=reprlib.repr(list(given)))


def _need_true(name: str, given: dict, key: str) -> None:
    value = _found(name, given, key)
    need(value is True, "checks_search.not_true", value, name=name)


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
        _need_usage(name, completion)
    without, with_search = plain.usage.prompt_tokens, searched.usage.prompt_tokens
    counts = {"plain": without, "searched": with_search, "expected": with_search - without}
    need(with_search != without, "checks_search.same", **counts)
    need(not with_search < without, "checks_search.exchanged", **counts)
    if type(added) is int and added == counts["expected"]:
        return passed("checks_search.added_passed", **counts)
    totals = searched.usage.total_tokens - plain.usage.total_tokens
    key = "checks_search.totals" if added == totals else "checks_search.other"
    raise wrong(key, added, **counts)


def _need_usage(name: str, answer: object) -> None:
    """The answer must be a whole response with its usage."""
    need(not isinstance(answer, Stream | AsyncStream), "checks_search.stream", name=name)
    need(isinstance(answer, ChatCompletion), "checks_search.not_completion", answer, name=name)
    need(answer.usage is not None, "checks_search.no_usage", name=name)
