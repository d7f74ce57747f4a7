"""Call a function that the learner wrote, and tell what it raised or that it gave nothing."""

from collections.abc import Callable

from .outcome import not_yet, told, wrong


def called(function: Callable, *arguments: object, **options: object) -> object:
    """What the learner's function gives, or the exception that it raises."""
    try:
        return function(*arguments, **options)
    except Exception as error:
        return error


def result_of(
    function: Callable, *arguments: object, raised: str, most: int = 80, **values: object
) -> object:
    """What the learner's function gives. If it raises, the answer is `wrong(raised, ...)`.

    A starter's `...` is not yet an answer.
    """
    try:
        made = function(*arguments)
    except Exception as error:
        # Without the learner's traceback: the words are enough.
        raise wrong(raised, error=told(error, most), **values) from None
    if made is ...:
        raise not_yet()
    return made


def need_no_error(value: object, key: str, most: int = 60, **values: object) -> None:
    """What `called` gave must not be an exception: the learner's function raised it."""
    if isinstance(value, Exception):
        raise wrong(key, error=told(value, most), **values)


def need_return(value: object, key: str) -> None:
    """A starter gives None or `...`, and so does a function without its `return`: not yet."""
    if value is None or value is ...:
        raise not_yet(key)
