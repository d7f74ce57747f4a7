import json

import pytest
from pydantic import BaseModel

from qwen_lab.endpoint.refusal import Refusal
from qwen_lab.endpoint.schema import checked
from qwen_lab.endpoint.tools import schema as call_schema


def refusal(schema):
    with pytest.raises(Refusal) as caught:
        checked(schema)
    assert caught.value.status == 400
    return str(caught.value)


class Node(BaseModel):
    value: int
    next: "Node | None" = None


def resolved(schema, whole):
    """The schema with its first layer of references replaced, the definitions left out."""
    if isinstance(schema, list):
        return [resolved(item, whole) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return whole["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    return {word: resolved(value, whole) for word, value in schema.items() if word != "$defs"}


def test_what_the_engine_enforces_is_kept_and_all_else_dropped():
    kept = {
        "type": "object",
        "properties": {"age": {"type": "integer", "minimum": 0}, "pattern": {"type": "string"}},
        "required": ["age"],
        "additionalProperties": False,
    }
    extra = {"title": "Person", "minProperties": 5, "not": {}, "patternProperties": {"a": {}}}
    given = json.loads(json.dumps(kept | extra))
    given["properties"]["pattern"] |= {"pattern": "^(a?b?c?d?){50}$", "description": "a word"}
    assert checked(given) == kept


def test_a_value_that_looks_like_a_schema_is_left_alone():
    value = {"pattern": "x", "$ref": "nowhere", "minLength": 9}
    assert checked({"const": value}) == {"const": value}
    assert checked({"enum": [value]}) == {"enum": [value]}


def test_a_pydantic_model_that_refers_to_itself_is_kept():
    clean = checked(Node.model_json_schema())
    node = resolved(clean, clean)
    assert node["properties"]["value"] == {"type": "integer"}
    assert node["properties"]["next"]["anyOf"] == [{"$ref": clean["$ref"]}, {"type": "null"}]


# As OpenAI's guide to structured outputs shows a recursive schema.
TREE = {
    "type": "object",
    "properties": {
        "label": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#"}},
    },
    "required": ["label", "children"],
    "additionalProperties": False,
}


def test_a_schema_may_refer_to_itself_as_a_whole():
    clean = checked(TREE)
    node = resolved(clean["properties"]["children"]["items"], clean)
    assert node["properties"] == clean["properties"]
    assert {word: clean[word] for word in ("type", "required")} == {
        word: node[word] for word in ("type", "required")
    }


def test_the_whole_is_that_of_the_tool_or_of_the_nearest_id():
    parameters = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}
    for clean in (
        checked(call_schema([tool, tool]), [parameters]),
        checked({"anyOf": [{"properties": {"arguments": parameters | {"$id": "f"}}}]}),
    ):
        arguments = clean["anyOf"][0]["properties"]["arguments"]
        assert resolved(arguments["properties"]["next"], clean) == arguments


@pytest.mark.parametrize(
    "path",
    ["#/properties/a", "#/anyOf/1", "#/$defs/x~1y", "#/$defs/x%2Fy", "#/definitions/A/items"],
)
def test_a_reference_may_lead_to_any_part(path):
    target = {"type": "integer", "minimum": 7}
    clean = checked(
        {
            "properties": {"a": target, "b": {"$ref": path}},
            "anyOf": [{"type": "string"}, target],
            "$defs": {"x/y": target},
            "definitions": {"A": {"items": target}},
        }
    )
    assert resolved(clean["properties"]["b"], clean) == target


def test_a_long_chain_of_references_is_followed():
    chain = {f"d{at}": {"$ref": f"#/$defs/d{at + 1}"} for at in range(900)}
    clean = checked({"$ref": "#/$defs/d0", "$defs": chain | {"d900": {"type": "null"}}})
    assert clean["$defs"]["d900"] == {"type": "null"}


def test_tools_keep_definitions_of_the_same_name_apart():
    def tool(name, kind):
        parameters = {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/A"}},
            "$defs": {"A": {"type": kind}},
        }
        return {"type": "function", "function": {"name": name, "parameters": parameters}}

    clean = checked(call_schema([tool("one", "integer"), tool("two", "string")]))
    kinds = [
        resolved(call["properties"]["arguments"]["properties"]["a"], clean)["type"]
        for call in clean["anyOf"]
    ]
    assert kinds == ["integer", "string"]


@pytest.mark.parametrize("path", ["#/nowhere", "#/$defs/B", "A", "http://127.0.0.1/x", "", 7, None])
def test_a_reference_to_nowhere_is_refused(path):
    text = refusal({"$ref": path, "$defs": {"A": {"type": "integer"}}, "items": [True]})
    assert "'$ref' must name one of the schema's '$defs'" in text


@pytest.mark.parametrize("kind", ["Length", "Items"])
def test_the_least_length_has_a_bound_of_the_engines(kind):
    low, high = f"min{kind}", f"max{kind}"
    assert checked({low: 2000, high: 2001}) == {low: 2000, high: 2001}
    for least in (2001, 10**9):
        assert f"'{low}' must not be greater than 2000" in refusal({low: least})


@pytest.mark.parametrize("kind", ["Length", "Items"])
def test_crossed_lengths_are_refused_and_longer_ones_than_any_answer_are_cut(kind):
    low, high = f"min{kind}", f"max{kind}"
    assert f"'{low}' must not be greater than '{high}'" in refusal({low: 3, high: 2})
    assert checked({low: 2, high: 2}) == {low: 2, high: 2}
    assert checked({high: 10**15}) == {high: 10_000}
    for value in (-1, 1.5, True, "7", None):
        assert f"'{low}' must be a non-negative Integer" in refusal({low: value})


def test_the_bounds_of_an_integer_have_at_most_15_digits():
    most = 10**15 - 1
    assert checked({"type": ["integer", "null"], "maximum": most})["maximum"] == most
    for value in (most + 1, -(10**16), 1e300, "5", True):
        assert "'minimum' must be a number" in refusal({"type": "integer", "minimum": value})
    # Those of other numbers are not enforced.
    assert checked({"type": "number", "maximum": 1e300}) == {"type": "number"}


def test_a_schema_that_is_too_large_is_refused():
    assert "more than 1000 parts" in refusal({"enum": list(range(1_000))})
    assert checked({"enum": list(range(999))})
    properties = {f"p{number}": {} for number in range(1_000)}
    assert "more than 1000 parts" in refusal({"type": "object", "properties": properties})
    assert "longer than 50000 characters" in refusal({"const": "x" * 50_000})


def test_alternatives_that_multiply_with_every_level_are_refused():
    def tree(count):
        lists = [
            {"type": "array", "items": {"$ref": "#/$defs/N"}, "minItems": least}
            for least in range(count)
        ]
        return {"$ref": "#/$defs/N", "$defs": {"N": {"anyOf": [*lists, {"type": "null"}]}}}

    assert checked(tree(1))
    assert "too many alternatives" in refusal(tree(2))
    twice = {"$ref": "#/$defs/N", "$defs": {"N": {"type": ["array"] * 2, "items": {}}}}
    assert checked(twice)
    twice["$defs"]["N"]["items"] = {"$ref": "#/$defs/N"}
    assert "too many alternatives" in refusal(twice)


def test_every_place_of_a_schema_is_cleaned():
    hostile = {"type": "string", "pattern": "^(a?b?c?d?){50}$"}
    places = [{"items": [hostile]}, {"properties": {"a": hostile}}, {"$defs": {"A": hostile}}]
    places += [{"definitions": {"A": {"anyOf": [hostile]}}}, {"items": {"items": hostile}}]
    places += [{word: hostile} for word in ("items", "additionalProperties", "anyOf")]
    places += [{word: [hostile]} for word in ("prefixItems", "anyOf", "oneOf", "allOf")]
    for place in places:
        assert "pattern" not in json.dumps(checked(place)), place


@pytest.mark.parametrize("word", ["properties", "anyOf", "items", "required", "type", "enum"])
@pytest.mark.parametrize("value", [None, 7, "a", [], [7], [None], {"a": 7}])
def test_a_senseless_value_is_left_to_the_engine(word, value):
    assert checked({word: value}) in ({word: value}, {word: {}})
