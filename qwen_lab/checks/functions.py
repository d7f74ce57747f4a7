"""Call a function that the learner wrote, and tell what it raised or that it gave nothing."""

import inspect

from .outcome import need, not_yet, told, wrong


def result_of(function: object, *arguments: object, raised: str, **values: object) -> object:
    """What the learner's function gives. If it raises, the answer is `wrong(raised, ...)`.

    A starter's `...` is not yet an answer.
    """
    need_function(function)
    try:
        made = function(*arguments)
    except Exception as error:
        # Without the learner's traceback: the words are enough.
        raise wrong(raised, error=told(error, 80), **values) from None
    if made is ...:
        raise not_yet()
    return made


def need_function(function: object) -> None:
    """The answer must be something that can be called, and gives its result at once."""
    need(callable(function), "checks.not_function", function)
    need(not inspect.iscoroutinefunction(function), "checks.is_async")


def need_return(value: object) -> None:
    """A starter gives `...`, a function without its `return` gives None: not yet."""
    if value is ... or value is None:
        raise not_yet("checks.returns_none" if value is None else "checks.untouched")
