"""JSON schemas that an answer must obey: what the engine enforces of them, and can bear.

llama.cpp turns a schema into a grammar. Some would take it minutes or all memory (a range whose
ends are crossed, alternatives that begin alike and nest), so they are refused here. Keywords that
it does not enforce everywhere (`pattern`, `not`, `minProperties` and the like) have no effect.
"""

import json

from .refusal import invalid

PLAIN = ("type", "required", "enum", "const", "format")
# Keywords whose value is a schema or a list of schemas.
NESTED = ("items", "additionalProperties", "prefixItems", "anyOf", "oneOf", "allOf")
DEFINITIONS = ("$defs", "definitions")
RANGE = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
LENGTHS = (("minLength", "maxLength"), ("minItems", "maxItems"))
MAX_PARTS, MAX_TEXT = 1_000, 50_000
# No answer has more characters or items.
MAX_LENGTH = 10_000
# Longer numbers make a grammar that the engine cannot read.
MAX_INTEGER = 10**15 - 1
# How many readings of a half-written answer the engine keeps, after that many steps into the
# schema (from a list to its item, from alternatives to one of them, along a reference).
MAX_READINGS, STEPS = 1_000, 30


def checked(schema: dict) -> dict:
    """The schema as the engine gets it, its definitions at the top; raises `Refusal`.

    A `$ref` is looked for in the definitions of all schemas around it, so that the parameters of
    a tool keep their own wherever they stand.
    """
    if len(json.dumps(schema)) > MAX_TEXT:
        raise invalid(f"the JSON schema is longer than {MAX_TEXT} characters")
    cleaner = _Cleaner()
    clean = cleaner.clean(schema, {})
    if sum(map(_parts, cleaner.schemas)) > MAX_PARTS:
        raise invalid(f"the JSON schema has more than {MAX_PARTS} parts")
    if _readings(cleaner.schemas, cleaner.definitions) > MAX_READINGS:
        raise invalid("the JSON schema has too many alternatives that begin alike")
    return clean | ({"$defs": cleaner.definitions} if cleaner.definitions else {})


class _Cleaner:
    """Copies a schema with what is enforced, and gathers its parts and definitions."""

    def __init__(self) -> None:
        self.schemas: list[dict] = []
        self.definitions: dict[str, dict] = {}

    def clean(self, schema: object, scope: dict[str, str]) -> object:
        """The copy; `scope` leads from the references in sight to their definitions' names."""
        if isinstance(schema, list):
            return [self.clean(item, scope) for item in schema]
        if not isinstance(schema, dict):
            # The engine knows where a boolean may stand, and refuses all else.
            return schema
        scope = self._define(schema, scope)
        if "$ref" in schema:
            clean = {"$ref": _resolved(schema["$ref"], scope)}
        else:
            clean = {word: schema[word] for word in PLAIN if word in schema}
            clean |= _lengths(schema) | _range(schema)
            clean |= {word: self.clean(schema[word], scope) for word in NESTED if word in schema}
            if "properties" in schema:
                clean["properties"] = self._named(schema["properties"], scope)
        self.schemas.append(clean)
        return clean

    def _named(self, properties: object, scope: dict[str, str]) -> object:
        if not isinstance(properties, dict):
            return properties
        return {name: self.clean(value, scope) for name, value in properties.items()}

    def _define(self, schema: dict, scope: dict[str, str]) -> dict[str, str]:
        found = {
            f"#/{word}/{name}": definition
            for word in DEFINITIONS
            if isinstance(schema.get(word), dict)
            for name, definition in schema[word].items()
        }
        first = len(self.definitions)
        scope = scope | {path: f"d{first + i}" for i, path in enumerate(found)}
        # Each has its name before any is read: they may refer to one another.
        self.definitions |= {scope[path]: {} for path in found}
        for path, definition in found.items():
            self.definitions[scope[path]] = self.clean(definition, scope)
        return scope


def _resolved(reference: object, scope: dict[str, str]) -> str:
    if not isinstance(reference, str) or reference not in scope:
        text = json.dumps(reference, ensure_ascii=False)
        raise invalid(f"'$ref' must name one of the schema's '$defs': {text}")
    return f"#/$defs/{scope[reference]}"


def _lengths(schema: dict) -> dict:
    found = {}
    for low, high in LENGTHS:
        given = {word: _length(word, schema[word]) for word in (low, high) if word in schema}
        if len(given) == 2 and given[low] > given[high]:
            raise invalid(f"'{low}' must not be greater than '{high}'")
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
