"""Checks of schemas, and of pydantic classes that validate an answer."""

import json
from collections.abc import Iterable, Mapping, Sequence
from reprlib import repr as brief
from textwrap import shorten

from pydantic import BaseModel, ValidationError

from .outcome import Outcome, check, need, not_yet, passed, shown, wrong

Fields = Mapping[str, str | Sequence[str]]


@check
def requires(schema: object, fields: Fields) -> Outcome:
    """Judge that a JSON schema demands an object with exactly these fields, and no others.

    `fields` maps each name to its type ("integer", "integer | null"), or to the list of its values.

    >>> form = {"type": "string", "enum": ["novel", "poem"]}
    >>> book = {"type": "object", "properties": {"form": form}, "required": ["form"]}
    >>> checks.schema.requires(book | {"additionalProperties": False}, {"form": ["novel", "poem"]})
    passed: ...
    >>> checks.schema.requires(book, {"form": ["novel", "poem"]})
    wrong: "additionalProperties" is None; expected False...
    """
    need_fields(schema, fields, closed=True)
    return passed("checks_schema.requires_passed", fields=", ".join(fields))


@check
def accepts(model: object, good: Mapping, *bad: Mapping) -> Outcome:
    """Judge that a pydantic class takes `good` whole, and refuses each of `bad`.

    `model` is the class itself; the examples are dicts, and reach it as JSON.

    >>> from pydantic import BaseModel
    >>> class Order(BaseModel):
    ...     dish: str
    ...     cups: int
    >>> checks.schema.accepts(Order, {"dish": "tea", "cups": 2}, {"dish": "tea"})
    passed: ...
    """
    need(isinstance(model, type) and issubclass(model, BaseModel), "checks_schema.not_model", model)
    if not model.model_fields:
        raise not_yet("checks_schema.no_fields")
    if problem := _problem(model, good):
        raise wrong("checks_schema.refuses_good", example=_short(good), problem=problem)
    fields = shorten(", ".join(model.model_fields), 60)
    for name in good:
        need(name in model.model_fields, "checks_schema.field_lost", name=name, seen=fields)
    for example in bad:
        need(_problem(model, example), "checks_schema.accepts_bad", example=_short(example))
    return passed("checks_schema.accepts_passed", count=len(bad))


def need_fields(schema: object, fields: Fields, *, closed: bool) -> None:
    """The schema must demand these fields; a `closed` one must forbid all others too."""
    need(isinstance(schema, dict), "checks_schema.not_dict", schema)
    # What a request puts around a schema.
    for name in ("json_schema", "schema"):
        need(not isinstance(schema.get(name), dict), "checks_schema.wrapped", name=name)
    kind = schema.get("type")
    need(kind == "object", "checks_schema.type_not_object", kind)
    properties = schema.get("properties")
    need(isinstance(properties, dict), "checks_schema.no_properties", properties)
    _need_names(properties, fields)
    for name, expected in fields.items():
        _need_part(name, properties[name], expected)
    _need_required(schema.get("required"), fields)
    if closed:
        others = schema.get("additionalProperties")
        need(others is False, "checks_schema.open", others)


def _need_names(properties: dict, fields: Fields) -> None:
    """All these fields must be there, and no others."""
    expected = ", ".join(fields)
    if missing := [name for name in fields if name not in properties]:
        seen = brief(list(properties))
        raise wrong("checks_schema.missing", name=missing[0], seen=seen, expected=expected)
    for name in properties:
        need(name in fields, "checks_schema.unasked", name=brief(name), expected=expected)


def _need_part(name: str, part: object, expected: str | Sequence[str]) -> None:
    need(isinstance(part, dict), "checks_schema.part_not_dict", part, name=name)
    if isinstance(expected, str):
        _need_type(name, part, expected.split(" | "))
    else:
        _need_values(name, part, list(expected))


def _need_type(name: str, part: dict, expected: list[str]) -> None:
    if _types(part) == set(expected):
        return
    seen = part.get("type")
    shows = brief(seen) if type(seen) is list else shown(seen)
    wanted = json.dumps(expected if len(expected) > 1 else expected[0])
    raise wrong("checks_schema.type_other", name=name, seen=shows, expected=wanted)


def _types(part: dict) -> set:
    """The types that a schema allows, as written in either of the two usual ways."""
    either = part.get("anyOf")
    if isinstance(either, list):
        return {item.get("type") for item in either}
    seen = part.get("type")
    return set(seen) if isinstance(seen, list) else {seen}


def _need_values(name: str, part: dict, expected: list) -> None:
    words = {"name": name, "expected": json.dumps(expected, ensure_ascii=False)}
    kind = part.get("type", "string")
    need(kind == "string", "checks_schema.values_type", kind, **words)
    seen = part.get("enum")
    need(isinstance(seen, list), "checks_schema.values_missing", seen, **words)
    need(_same(seen, expected), "checks_schema.values_other", seen=brief(seen), **words)


def _need_required(seen: object, fields: Fields) -> None:
    words = {"expected": json.dumps(list(fields))}
    need(isinstance(seen, list), "checks_schema.required_missing", seen, **words)
    need(_same(seen, fields), "checks_schema.required_other", seen=brief(seen), **words)


def _same(seen: list, expected: Iterable) -> bool:
    """Whether they have the same items, in whatever order."""
    return sorted(map(repr, seen)) == sorted(map(repr, expected))


def _problem(model: type, example: Mapping) -> str:
    """Why the class refuses an example; "" where it takes it."""
    try:
        model.model_validate_json(json.dumps(example))
    except ValidationError as error:
        first = error.errors()[0]
        return shorten(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 90)
    return ""


def _short(example: Mapping) -> str:
    return shorten(json.dumps(example, ensure_ascii=False), 90)
