"""`schema.requires` and `schema.accepts`, of four kinds of answers."""

from enum import Enum
from typing import Literal

import pytest
from pydantic import BaseModel, Field, field_validator

from qwen_lab.checks.schema import accepts, requires

GOOD_BOOK = {"title": ["Emma"], "year": [1815, None], "form": ["novel", "poem"]}
BAD_BOOK = {"title": [7, None], "year": ["1815", 1815.5], "form": ["essay", None], "price": [12]}
TITLE, YEAR = {"type": "string"}, {"type": ["integer", "null"]}
FORM = {"type": "string", "enum": ["novel", "poem"]}
PARTS = {"title": TITLE, "year": YEAR, "form": FORM}
RIGHT = {
    "type": "object",
    "properties": PARTS,
    "required": ["title", "year", "form"],
    "additionalProperties": False,
}


def with_part(**parts):
    return {**RIGHT, "properties": {**PARTS, **parts}}


def without(name):
    return {key: value for key, value in RIGHT.items() if key != name}


WRONG = {
    "The schema is 'object'; expected a dict": "object",
    "the class itself; expected the schema made from it": BaseModel,
    'what is under "schema"': {"name": "book", "schema": RIGHT},
    'what is under "json_schema"': {"type": "json_schema", "json_schema": {"schema": RIGHT}},
    'lets everything through, even a list; expected objects alone: "type"': without("type"),
    "schema cannot be read (JsonSchemaDefinitionException: Unknown type)": {
        **RIGHT,
        "type": "dict",
    },
    "are required but not allowed); expected every field": without("properties"),
    "items ['year', 'form'] are required but not allowed": {**RIGHT, "properties": ["title"]},
    "(AttributeError: 'list' object has no attribute": {"type": "object", "properties": ["title"]},
    "schema cannot be read (TypeError: Object of type type is not": with_part(title={"type": str}),
    "schema cannot be read (JsonSchemaDefinitionException: enum must": with_part(
        form={"enum": "poem"}
    ),
    '"form": "novel"} and says: data must contain': {
        **with_part(price=TITLE),
        "required": [*PARTS, "price"],
    },
    'lets {"title": 7, "year": 1815, "form": "novel"} through; expected': with_part(title={}),
    "expected it to refuse that value of title": with_part(title={"type": ["string", "null"]}),
    'refuses {"title": "Emma", "year": null, "form": "novel"} and says': with_part(
        year={"type": "integer"}
    ),
    '"year": 1815.5, "form": "novel"} through; expected': with_part(
        year={"type": ["number", "null"]}
    ),
    '"year": "1815", "form": "novel"} through; expected': with_part(year={}),
    "refuse that value of form": with_part(form={"type": "string"}),
    'refuses {"title": "Emma", "year": 1815, "form": "poem"}': with_part(form={"const": "novel"}),
    'lets {"year": 1815, "form": "novel"} through, without title; expected': without("required"),
    "expected it to demand year": {**RIGHT, "required": ["title", "form"]},
    "with the further field price; expected": without("additionalProperties"),
    'expected "additionalProperties": False': {**RIGHT, "additionalProperties": "False"},
}


class Form(Enum):
    NOVEL = "novel"
    POEM = "poem"


class Book(BaseModel, extra="forbid"):
    title: str
    year: int | None
    form: Form


FITTING = [
    RIGHT,
    {**RIGHT, "title": "Book", "required": ["form", "year", "title"]},
    with_part(form={"enum": ["poem", "novel"]}, title={**TITLE, "description": "Its name"}),
    with_part(year={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    with_part(form={"oneOf": [{"const": "novel"}, {"const": "poem"}]}),
    with_part(form={"anyOf": [{"const": "novel"}, {"enum": ["poem"]}]}),
    with_part(title={**TITLE, "default": "Emma", "format": "name"}),
    {**RIGHT, "properties": {**PARTS, "form": {"$ref": "#/$defs/F"}}, "$defs": {"F": FORM}},
    {"$ref": "#/definitions/book", "definitions": {"book": RIGHT}},
    Book.model_json_schema(),
]


class Raising(dict):
    def items(self):
        raise RuntimeError("no")


class Order(BaseModel):
    dish: str
    cups: int = Field(ge=1, le=8)
    size: Literal["small", "large"]


class Loose(BaseModel):
    dish: str
    cups: int
    size: str


class Short(BaseModel):
    dish: str


class Strict(Order):
    cups: int = Field(gt=2)


class Crashing(Order):
    @field_validator("dish")
    @classmethod
    def crash(cls, value):
        raise RuntimeError("no")


class Starter(BaseModel): ...


GOOD = {"dish": ["tea"], "cups": [1, 8], "size": ["small", "large"]}
BAD = {"cups": [0, 9, 2.5], "size": ["huge"]}


class Fractional(Order):
    cups: float = Field(ge=1, le=8)


class Quoted(BaseModel):
    size: "small" or "large"  # noqa: F821


class Optional(Order):
    dish: str = "tea"


class Renamed(Order):
    dishes: str


UNFIT = {
    "doesn't inherit from BaseModel; expected": GOOD,
    "expected a class that does: class Name(BaseModel)": Order(dish="tea", cups=1, size="large"),
    "with the fields inside": dict,
    'refuses {"dish": "tea", "cups": 1, "size": "small"} and says: cups: Input': Strict,
    "and says: dishes: Field required": Renamed,
    'lets {"dish": "tea", "cups": 0, "size": "small"} through; expected': Loose,
    '"cups": 2.5, "size": "small"} through; expected it to refuse that value of cups': Fractional,
    'lets {"dish": "tea", "size": "small"} through, without cups; expected': Short,
    "a class gives them no default": Optional,
    'for allowed values Literal["…", "…"]': Quoted,
}


def is_told(outcome, words):
    assert outcome.status == "wrong" and len(outcome.message) < 300
    assert words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize("answer", [..., {**RIGHT, "properties": ...}, with_part(title=...)])
def test_an_untouched_schema_is_not_yet(answer):
    assert requires(answer, GOOD_BOOK, BAD_BOOK).status == "not yet"


@pytest.mark.parametrize(("words", "answer"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_schema_is_told_what_was_seen_and_expected(words, answer):
    is_told(requires(answer, GOOD_BOOK, BAD_BOOK), words)


@pytest.mark.parametrize("answer", [Raising(RIGHT), with_part(title=Raising(TITLE))])
def test_a_crashing_schema_is_told_the_error(answer):
    outcome = requires(answer, GOOD_BOOK, BAD_BOOK)
    assert outcome.status == "wrong" and "RuntimeError: no" in outcome.message


@pytest.mark.parametrize("answer", FITTING)
def test_a_right_schema_passes(answer):
    outcome = requires(answer, GOOD_BOOK, BAD_BOOK)
    assert outcome.status == "passed" and "title, year, form" in outcome.message


@pytest.mark.parametrize("answer", [..., Starter])
def test_an_untouched_class_is_not_yet(answer):
    assert accepts(answer, GOOD, BAD).status == "not yet"


@pytest.mark.parametrize(("words", "answer"), UNFIT.items(), ids=range(len(UNFIT)))
def test_a_class_that_does_not_fit_is_told_by_which_example(words, answer):
    is_told(accepts(answer, GOOD, BAD), words)


def test_a_crashing_class_is_told_the_error():
    outcome = accepts(Crashing, GOOD, BAD)
    assert outcome.status == "wrong" and "RuntimeError: no" in outcome.message


def test_a_right_class_passes():
    outcome = accepts(Order, GOOD, BAD)
    assert outcome.status == "passed" and "dish, cups, size" in outcome.message


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    for answer in [..., *WRONG.values(), Raising(RIGHT), *FITTING]:
        in_chinese(requires, answer, GOOD_BOOK, BAD_BOOK)
    for answer in [..., Starter, *UNFIT.values(), Crashing, Order]:
        in_chinese(accepts, answer, GOOD, BAD)
