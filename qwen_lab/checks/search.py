"""Checks of calls that search."""

import inspect
import reprlib

from openai.resources.chat import Completions

from ..watch.calls import Calls
from .outcome import Outcome, check, near, need, need_key, passed
from .response import need_completion

# What the SDK's `create` takes by name.
PARAMETERS = inspect.signature(Completions.create).parameters
# What makes a call search, and where it must stand.
WANTED = {"extra_body": {"enable_search": True, "search_options": {"forced_search": True}}}


@check
def options(options: object) -> Outcome:
    """Judge a dict of options for `create` that make a call search, whether it needs to or not.

    What is not OpenAI's own goes into "extra_body".

    >>> body = {"enable_search": True, "search_options": {"forced_search": True}}
    >>> checks.search.options({"extra_body": body})
    passed: ...
    """
    need(isinstance(options, dict), "checks_search.not_dict", options, name="options")
    for name in options:
        # For what it does not know the SDK raises `TypeError`.
        known = name in PARAMETERS or near("extra_body", [name])
        need(known, "checks_search.outside", name=reprlib.repr(name))
    _need_all(WANTED, options, "options")
    return passed("checks_search.options_passed")


def _need_all(wanted: dict, given: object, place: str) -> None:
    """What is wanted must stand in the dict of this name, and so in the dicts inside it."""
    need(isinstance(given, dict), "checks_search.not_dict", given, name=place)
    need(place != "extra_body" or "forced_search" not in given, "checks_search.too_high")
    for name, value in wanted.items():
        need_key(name, given, place)
        if isinstance(value, dict):
            _need_all(value, given[name], name)
        else:
            need(given[name] is value, "checks_search.not_true", given[name], name=name)


@check
def added(plain: object, searched: object, added: object, calls: object) -> Outcome:
    """Judge how many prompt tokens a search added: two `ChatCompletion`, and the difference.

    `plain` is the answer without a search, `searched` the one with it, `added` a whole number, and
    `calls` the `qwen_lab.Calls` of both: it shows whether one question was asked in both ways.

    >>> checks.search.added(None, None, 0, qwen_lab.Calls())
    wrong: plain is None; expected a ChatCompletion, ...
    """
    for name, completion in (("plain", plain), ("searched", searched)):
        need_completion(completion, name)
        need(completion.usage is not None, "checks_search.no_usage", name=name)
    _need_both_ways(calls)
    without, with_search = plain.usage.prompt_tokens, searched.usage.prompt_tokens
    counts = {"plain": without, "searched": with_search, "expected": with_search - without}
    need(with_search != without, "checks_search.same", **counts)
    need(not with_search < without, "checks_search.exchanged", **counts)
    need(type(added) is int and added == counts["expected"], "checks_search.other", added, **counts)
    return passed("checks_search.added_passed", **counts)


def _need_both_ways(calls: Calls) -> None:
    """One of the calls must have searched, and one have asked the same without a search."""
    need(calls.calls, "checks_search.no_calls")
    ways = {True: [], False: []}
    for call in calls.calls:
        question = {name: call.asked.get(name) for name in ("model", "messages")}
        ways[call.asked.get("enable_search") is True].append(question)
    need(ways[True], "checks_search.never_searched")
    need(ways[False], "checks_search.always_searched")
    need(any(each in ways[False] for each in ways[True]), "checks_search.other_question")
