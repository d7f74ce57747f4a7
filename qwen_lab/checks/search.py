"""Checks of calls that search."""

import inspect
import reprlib
from collections.abc import Iterable
from difflib import get_close_matches

from openai import AsyncStream, Stream
from openai.resources.chat import Completions
from openai.types.chat import ChatCompletion

from ..watch.calls import Calls
from .outcome import Outcome, check, need, passed, wrong

# What the SDK's `create` takes by name.
PARAMETERS = inspect.signature(Completions.create).parameters


@check
def options(options: object) -> Outcome:
    """Judge a dict of options for `create` that make a call search, whether it needs to or not.

    What is not OpenAI's own goes into "extra_body".

    >>> body = {"enable_search": True, "search_options": {"forced_search": True}}
    >>> checks.search.options({"extra_body": body})
    passed: ...
    """
    _need_dict("options", options)
    for name in options:
        _need_known(name)
    body = _found("extra_body", options, "options")
    _need_dict("extra_body", body)
    _need_true("enable_search", body, "extra_body")
    need("forced_search" not in body, "checks_search.forced_outside")
    inner = _found("search_options", body, "extra_body")
    _need_dict("search_options", inner)
    _need_true("forced_search", inner, "search_options")
    return passed("checks_search.options_passed")


def _need_dict(name: str, value: object) -> None:
    need(isinstance(value, dict), "checks_search.not_dict", value, name=name)


def _need_known(name: object) -> None:
    """The SDK must know what stands directly in the options; else it raises `TypeError`."""
    if name not in PARAMETERS:
        _need_no_slip("extra_body", [name])
        raise wrong("checks_search.outside", name=reprlib.repr(name))


def _found(name: str, given: dict, place: str) -> object:
    """The value under this name. It must be there; perhaps it is, in another spelling."""
    if name not in given:
        _need_no_slip(name, given)
        raise wrong("checks_search.missing", place=place, seen=reprlib.repr(list(given)), name=name)
    return given[name]


def _need_no_slip(name: str, given: Iterable) -> None:
    """None of these may be this name in another spelling."""
    names = [each for each in given if isinstance(each, str)]
    if near := get_close_matches(name, names, n=1, cutoff=0.8):
        raise wrong("checks_search.misspelt", seen=reprlib.repr(near[0]), name=name)


def _need_true(name: str, given: dict, place: str) -> None:
    value = _found(name, given, place)
    need(value is True, "checks_search.not_true", value, name=name)


@check
def added(plain: object, searched: object, added: object, calls: object) -> Outcome:
    """Judge how many prompt tokens a search added: two `ChatCompletion`, and the difference.

    `plain` is the answer without a search, `searched` the one with it, `added` a whole number, and
    `calls` the `qwen_lab.Calls` of both: it shows whether one question was asked in both ways.

    >>> checks.search.added(None, None, 0, qwen_lab.Calls())
    wrong: plain is None; expected a ChatCompletion, ...
    """
    for name, completion in (("plain", plain), ("searched", searched)):
        _need_usage(name, completion)
    _need_both_ways(calls)
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


def _need_both_ways(calls: Calls) -> None:
    """One of the calls must have searched, and one have asked the same without a search."""
    need(calls.calls, "checks_search.no_calls")
    ways = {True: [], False: []}
    for call in calls.calls:
        question = {name: call.asked.get(name) for name in ("model", "messages")}
        ways[call.asked.get("enable_search") is True].append(question)
    need(ways[True], "checks_search.never_searched")
    need(ways[False], "checks_search.always_searched")
    same = any(question in ways[False] for question in ways[True])
    need(same, "checks_search.other_question")
