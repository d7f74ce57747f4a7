"""JSON schemas that an answer must obey: what the engine enforces of them, and can bear.

llama.cpp turns a schema into a grammar. Some would take it minutes or all memory (a range whose
ends are crossed, alternatives that begin alike and nest), so they are refused here. Keywords that
it does not enforce everywhere (`pattern`, `not`, `minProperties` and the like) have no effect.
"""

import json
from collections.abc import Sequence
from urllib.parse import unquote

from .refusal import invalid

PLAIN = ("type", "required", "enum", "const", "format")
# Keywords whose value is a schema or a list of schemas.
NESTED = ("items", "additionalProperties", "prefixItems", "anyOf", "oneOf", "allOf")
# What makes a schema one that references within it may be looked up in.
HOLDERS = ("$defs", "definitions")
RANGE = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
LENGTHS = (("minLength", "maxLength"), ("minItems", "maxItems"))
MAX_PARTS, MAX_TEXT = 1_000, 50_000
# No answer has more characters or items; and so many at least the engine can demand.
MAX_LENGTH, MAX_LEAST = 10_000, 2_000
# Longer numbers make a grammar that the engine cannot read.
MAX_INTEGER = 10**15 - 1
# How many readings of a half-written answer the engine keeps, after that many steps into the
# schema (from a list to its item, from alternatives to one of them, along a reference).
MAX_READINGS, STEPS = 1_000, 30


def checked(schema: dict, documents: Sequence[object] = ()) -> dict:
    """The schema as the engine gets it, its definitions at the top; raises `Refusal`.

    A `$ref` is looked up in the whole schema ("#" is that itself) or, around it, in the part that
    has an `$id` or is one of the `documents`, as the parameters of a tool are; else in the
    definitions nearest around it.
    """
    if len(json.dumps(schema)) > MAX_TEXT:
        raise invalid(f"the JSON schema is longer than {MAX_TEXT} characters")
    cleaner = _Cleaner(documents)
    clean = cleaner.clean(schema, [schema])
    cleaner.define()
    if sum(map(_parts, cleaner.schemas)) > MAX_PARTS:
        raise invalid(f"the JSON schema has more than {MAX_PARTS} parts")
    if _readings(cleaner.schemas, cleaner.definitions) > MAX_READINGS:
        raise invalid("the JSON schema has too many alternatives that begin alike")
    return clean | ({"$defs": cleaner.definitions} if cleaner.definitions else {})


class _Cleaner:
    """Copies a schema with what is enforced, and gathers its parts and what it refers to."""

    def __init__(self, documents: Sequence[object]) -> None:
        self.documents = {id(document) for document in documents}
        self.schemas: list[dict] = []
        self.definitions: dict[str, dict] = {}
        self._names: dict[int, str] = {}
        self._waiting: list[tuple[dict, list[dict]]] = []

    def clean(self, schema: object, around: list[dict]) -> object:
        """The copy; references are looked up in the schemas `around`, one after the other."""
        if isinstance(schema, list):
            return [self.clean(item, around) for item in schema]
        if not isinstance(schema, dict):
            # The engine knows where a boolean may stand, and refuses all else.
            return schema
        if "$id" in schema or id(schema) in self.documents:
            around = [schema]
        elif any(word in schema for word in HOLDERS):
            around = [around[0], schema, *around[1:]]
        if "$ref" in schema:
            clean = {"$ref": self._refer(schema["$ref"], around)}
        else:
            clean = {word: schema[word] for word in PLAIN if word in schema}
            clean |= _lengths(schema) | _range(schema)
            clean |= {word: self.clean(schema[word], around) for word in NESTED if word in schema}
            if "properties" in schema:
                clean["properties"] = self._named(schema["properties"], around)
        self.schemas.append(clean)
        return clean

    def _named(self, properties: object, around: list[dict]) -> object:
        if not isinstance(properties, dict):
            return properties
        return {name: self.clean(value, around) for name, value in properties.items()}

    def define(self) -> None:
        """Copy what was referred to, one after the other: a chain of them may be long."""
        while self._waiting:
            target, around = self._waiting.pop()
            self.definitions[self._names[id(target)]] = self.clean(target, around)

    def _refer(self, reference: object, around: list[dict]) -> str:
        for index, document in enumerate(around):
            if (target := _at(document, reference)) is not None:
                return self._name(target, around[:1] + (around[index:] if index else []))
        text = json.dumps(reference, ensure_ascii=False)
        raise invalid(
            f"'$ref' must name one of the schema's '$defs', or another part of it: {text}"
        )

    def _name(self, target: dict, around: list[dict]) -> str:
        if id(target) not in self._names:
            self._names[id(target)] = f"d{len(self._names)}"
            self._waiting.append((target, around))
        return f"#/$defs/{self._names[id(target)]}"


def _at(document: object, reference: object) -> dict | None:
    """The schema to which a reference leads in a document: "#" to all of it; None if nowhere."""
    start, *steps = reference.split("/") if isinstance(reference, str) else [""]
    for step in steps:
        inside = enumerate(document) if isinstance(document, list) else ()
        inside = document if isinstance(document, dict) else {str(at): part for at, part in inside}
        document = inside.get(unquote(step).replace("~1", "/").replace("~0", "~"))
    return document if start == "#" and isinstance(document, dict) else None


def _lengths(schema: dict) -> dict:
    found = {}
    for low, high in LENGTHS:
        given = {word: _length(word, schema[word]) for word in (low, high) if word in schema}
        if len(given) == 2 and given[low] > given[high]:
            raise invalid(f"'{low}' must not be greater than '{high}'")
        if given.get(low, 0) > MAX_LEAST:
            raise invalid(f"'{low}' must not be greater than {MAX_LEAST}")
        found |= given
    return found


def _length(word: str, value: object) -> int:
    if type(value) is not int or value < 0:
        raise invalid(f"'{word}' must be a non-negative Integer")
    return min(value, MAX_LENGTH)


def _range(schema: dict) -> dict:
    """The bounds of an integer; those of other numbers are not enforced."""
    if "integer" not in _list(schema.get("type")):
        return {}
    given = {word: schema[word] for word in RANGE if word in schema}
    for word, value in given.items():
        if type(value) not in (int, float) or abs(value) > MAX_INTEGER:
            raise invalid(f"'{word}' must be a number of up to 15 digits")
    return given


def _list(value: object) -> list:
    return value if isinstance(value, list) else [value]


def _parts(schema: dict) -> int:
    lists = (schema.get(word) for word in ("enum", "required"))
    return 1 + sum(len(value) for value in lists if isinstance(value, list))


def _readings(schemas: list[dict], definitions: dict[str, dict]) -> int:
    """The most readings that a half-written answer can have, `STEPS` steps into the schema."""
    # A part that the engine will refuse (a number for a schema) counts as one.
    ways: dict[int, int] = {}

    def of(schema: object) -> int:
        return ways.get(id(schema), 1)

    def count(schema: dict) -> int:
        if "$ref" in schema:
            return of(definitions[schema["$ref"].rsplit("/", 1)[-1]])
        either = [of(child) for word in ("anyOf", "oneOf") for child in _list(schema.get(word))]
        nested = [of(child) for word in NESTED for child in _list(schema.get(word))]
        if isinstance(schema.get("properties"), dict):
            nested += map(of, schema["properties"].values())
        return max(sum(either), max(nested) * len(_list(schema.get("type"))))

    for _ in range(STEPS):
        ways |= {id(schema): count(schema) for schema in schemas}
    return max(ways.values(), default=1)
