"""Checks of schemas, and of pydantic classes that validate an answer."""

import json
from collections.abc import Mapping, Sequence
from reprlib import repr as brief
from textwrap import shorten

from pydantic import BaseModel, ValidationError

from .outcome import Outcome, check, not_yet, passed, shown, wrong

# What a request puts around a schema.
WRAPPERS = ("json_schema", "schema")
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
    if found := fault(schema, fields, closed=True):
        return found
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
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        return wrong("checks_schema.not_model", seen=shown(model))
    if not model.model_fields:
        return not_yet("checks_schema.no_fields")
    if problem := _problem(model, good):
        return wrong("checks_schema.refuses_good", example=_short(good), problem=problem)
    if lost := [name for name in good if name not in model.model_fields]:
        fields = ", ".join(model.model_fields)
        return wrong("checks_schema.field_lost", name=lost[0], seen=shorten(fields, 60))
    for example in bad:
        if not _problem(model, example):
            return wrong("checks_schema.accepts_bad", example=_short(example))
    return passed("checks_schema.accepts_passed", count=len(bad))


def fault(schema: object, fields: Fields, *, closed: bool) -> Outcome | None:
    """What keeps a schema from demanding these fields, the first thing only.

    `closed` means that it must forbid all others.
    """
    if not isinstance(schema, dict):
        return wrong("checks_schema.not_dict", seen=shown(schema))
    for name in WRAPPERS:
        if isinstance(schema.get(name), dict):
            return wrong("checks_schema.wrapped", name=name)
    if schema.get("type") != "object":
        return wrong("checks_schema.type_not_object", seen=shown(schema.get("type")))
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return wrong("checks_schema.no_properties", seen=shown(properties))
    return (
        _names_fault(properties, fields)
        or _fields_fault(properties, fields)
        or _required_fault(schema.get("required"), fields)
        or (_open_fault(schema) if closed else None)
    )


def _names_fault(properties: dict, fields: Fields) -> Outcome | None:
    expected = ", ".join(fields)
    if missing := [name for name in fields if name not in properties]:
        seen = brief(list(properties))
        return wrong("checks_schema.missing", name=missing[0], seen=seen, expected=expected)
    if others := [name for name in properties if name not in fields]:
        return wrong("checks_schema.unasked", name=brief(others[0]), expected=expected)
    return None


def _fields_fault(properties: dict, fields: Fields) -> Outcome | None:
    for name, expected in fields.items():
        part = properties[name]
        if not isinstance(part, dict):
            return wrong("checks_schema.part_not_dict", name=name, seen=shown(part))
        if isinstance(expected, str):
            found = _type_fault(name, part, expected)
        else:
            found = _values_fault(name, part, list(expected))
        if found:
            return found
    return None


def _type_fault(name: str, part: dict, expected: str) -> Outcome | None:
    seen = part.get("type")
    if _types(part) == set(expected.split(" | ")):
        return None
    shows = brief(seen) if type(seen) is list else shown(seen)
    return wrong("checks_schema.type_other", name=name, seen=shows, expected=_wanted(expected))


def _types(part: dict) -> set:
    """The types that a schema allows, as written in either of the two usual ways."""
    either = part.get("anyOf")
    if isinstance(either, list):
        return {item.get("type") for item in either}
    seen = part.get("type")
    return set(seen) if isinstance(seen, list) else {seen}


def _wanted(expected: str) -> str:
    types = expected.split(" | ")
    return json.dumps(types if len(types) > 1 else types[0])


def _values_fault(name: str, part: dict, expected: list) -> Outcome | None:
    values = {"name": name, "expected": json.dumps(expected, ensure_ascii=False)}
    if part.get("type", "string") != "string":
        return wrong("checks_schema.values_type", seen=shown(part["type"]), **values)
    seen = part.get("enum")
    if not isinstance(seen, list):
        return wrong("checks_schema.values_missing", seen=shown(seen), **values)
    if sorted(map(repr, seen)) != sorted(map(repr, expected)):
        return wrong("checks_schema.values_other", seen=brief(seen), **values)
    return None


def _required_fault(required: object, fields: Fields) -> Outcome | None:
    expected = json.dumps(list(fields))
    if not isinstance(required, list):
        return wrong("checks_schema.required_missing", seen=shown(required), expected=expected)
    if sorted(map(repr, required)) != sorted(map(repr, fields)):
        return wrong("checks_schema.required_other", seen=brief(required), expected=expected)
    return None


def _open_fault(schema: dict) -> Outcome | None:
    seen = schema.get("additionalProperties")
    return None if seen is False else wrong("checks_schema.open", seen=shown(seen))


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
