"""An answer as the SDK's types have it, whatever a server sent in the place of a field.

The SDK takes what comes: a field may be missing or of any type. Everything that reads an answer
reads it through here, once; only `anatomy` shows it as it came.
"""

import inspect
import typing
from collections.abc import Mapping
from functools import cache

from openai import BaseModel
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from ..words import LabError

# Without these, what should have them says nothing.
NEEDED = {"prompt_tokens", "completion_tokens", "token", "logprob"}
# No count reaches this, and no number that can be reckoned with.
MOST = {int: 2**53, float: 1e300}
SHOWN = 200


def completion(answer: object) -> ChatCompletion:
    """The answer to a call; `LabError` if it is none at all, such as a page of HTML."""
    if found := _model(ChatCompletion, answer):
        return found
    raise no_completion(answer)


def chunk(part: object) -> ChatCompletionChunk | None:
    """A part of a stream; None if it is none at all."""
    return _model(ChatCompletionChunk, part)


def usage(used: object) -> CompletionUsage | None:
    """What a call used; None where that does not say how many tokens."""
    return _model(CompletionUsage, used)


def no_completion(answer: object) -> LabError:
    """The error that says that a server answered, and what, in the place of a completion."""
    return LabError("connection.no_completion", seen=repr(answer)[:SHOWN])


def _fields(model: object) -> dict | None:
    """What an object of the SDK or a dict holds, by name; None for anything else."""
    if isinstance(model, BaseModel):
        return {**model.__dict__, **(model.model_extra or {})}
    return dict(model) if isinstance(model, Mapping) else None


def _model(kind: type, value: object) -> BaseModel | None:
    if (given := _fields(value)) is None:
        return None
    found = {name: _read(one, given.get(name)) for name, one, _ in _declared(kind)}
    for name, one, required in _declared(kind):
        if required and found[name] is None:
            if name in NEEDED:
                return None
            found[name] = _empty(name, one)
    # What the SDK does not know, such as a model's thoughts: texts alone.
    others = {n: text for n, text in given.items() if n not in found and isinstance(text, str)}
    return kind.construct(**found, **others)


@cache
def _declared(kind: type) -> list[tuple[str, object, bool]]:
    return [(name, f.annotation, f.is_required()) for name, f in kind.model_fields.items()]


def _read(kind: object, value: object) -> object:
    """The value where it is of this kind, as far as it is; else None."""
    if value is None:
        return None
    origin, arms = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _read(arms[0], value)
    if origin is typing.Union:
        found = (_read(arm, value) for arm in arms if arm is not type(None))
        return next((each for each in found if each is not None), None)
    if origin is list:
        items = value if isinstance(value, list | tuple) else ()
        return [found for item in items if (found := _read(arms[0], item)) is not None] or None
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return _model(kind, value)
    if kind in MOST:
        number = type(value) is int or type(value) is kind
        return value if number and abs(value) < MOST[kind] else None
    simple = kind if kind in (str, bool) else str if origin is typing.Literal else ()
    return value if isinstance(value, simple) else None


def _empty(name: str, kind: object) -> object:
    if typing.get_origin(kind) is list:
        return []
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return _model(kind, {})
    return 0 if name == "index" else None
