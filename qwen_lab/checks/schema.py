"""Checks of schemas, and of pydantic classes: they are judged by what they let through."""

import json
from collections.abc import Callable, Mapping, Sequence
from textwrap import shorten

import fastjsonschema
from pydantic import BaseModel, ValidationError

from ..words import joined
from .outcome import Outcome, check, need, not_yet, passed, told, wrong

# Of each field, values that it may have or must not have.
Values = Mapping[str, Sequence]


@check
def requires(schema: object, good: Values, bad: Values) -> Outcome:
    """Judge a JSON schema by what it lets through: it must demand an object with all fields.

    `good` maps each field to values that it may have, `bad` to values that must be refused; a
    field that only `bad` has must not be there at all.

    >>> schema = {"type": "object", "properties": {"form": {"enum": ["novel", "poem"]}}}
    >>> good, bad = {"form": ["novel", "poem"]}, {"form": ["essay"], "price": [12]}
    >>> checks.schema.requires(schema | {"required": ["form"]}, good, bad)
    wrong: Your answer lets {"form": "novel", "price": 12} through, with the further field price...
    """
    return passed("checks_schema.passed", fields=need_fields(schema, good, bad))


@check
def accepts(model: object, good: Values, bad: Values) -> Outcome:
    """Judge a pydantic class by what it lets through, with `good` and `bad` as in `requires`.

    `model` is the class itself; the values reach it as JSON.

    >>> from pydantic import BaseModel
    >>> class Order(BaseModel):
    ...     dish: str
    ...     cups: int
    >>> checks.schema.accepts(Order, {"dish": ["tea"], "cups": [1, 8]}, {"cups": [2.5]})
    passed: ...
    """
    need(isinstance(model, type) and issubclass(model, BaseModel), "checks_schema.not_model")
    if not model.model_fields:
        raise not_yet("checks_schema.no_fields")
    need(model.__pydantic_complete__, "checks_schema.incomplete")
    fields = _need_judged(lambda one: model.model_validate_json(json.dumps(one)), good, bad)
    return passed("checks_schema.passed", fields=fields)


def need_fields(schema: object, good: Values, bad: Values) -> str:
    """The schema must let an object with values of `good` through, no other: names its fields."""
    need(not isinstance(schema, type), "checks_schema.schema_class")
    need(isinstance(schema, dict), "checks_schema.not_dict", schema)
    # What a request puts around a schema.
    for name in ("json_schema", "schema"):
        need(not isinstance(schema.get(name), dict), "checks_schema.wrapped", name=name)
    validate = _compiled(schema)
    need(_problem(validate, []), "checks_schema.no_object")
    return _need_judged(validate, good, bad)


def _compiled(schema: dict) -> Callable:
    try:
        # From a copy, as it writes into the schema; and as JSON, which is what a request sends.
        return fastjsonschema.compile(json.loads(json.dumps(schema)))
    except Exception as error:
        raise wrong("checks_schema.not_schema", error=told(error)) from None


def _need_judged(validate: Callable, good: Values, bad: Values) -> str:
    whole = {name: values[0] for name, values in good.items()}
    for _, example in _changed(whole, good):
        problem = _problem(validate, example)
        need(not problem, "checks_schema.refused", example=_short(example), problem=problem)
    for name in whole:
        part = {key: value for key, value in whole.items() if key != name}
        need(_problem(validate, part), "checks_schema.missing", name=name, example=_short(part))
    for name, example in _changed(whole, bad):
        key = "checks_schema.let_through" if name in whole else "checks_schema.further"
        need(_problem(validate, example), key, name=name, example=_short(example))
    return joined(good)


def _changed(whole: dict, values: Values) -> list[tuple[str, dict]]:
    """The example with each value in its turn, and whose value it is."""
    return [(name, {**whole, name: value}) for name in values for value in values[name]]


def _problem(validate: Callable, example: object) -> str:
    """Why an example is refused; "" where it is let through."""
    try:
        validate(example)
    except ValidationError as error:
        first = error.errors()[0]
        return shorten(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 90)
    except fastjsonschema.JsonSchemaValueException as error:
        return shorten(error.message, 90)
    return ""


def _short(example: Mapping) -> str:
    return shorten(json.dumps(example, ensure_ascii=False), 90)
