"""`schema.requires` and `schema.accepts`, of four kinds of answers."""

from typing import Literal

import pytest
from pydantic import BaseModel, Field, field_validator

from qwen_lab.checks.schema import accepts, requires

FIELDS = {"title": "string", "year": "integer | null", "form": ["novel", "poem"]}
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
    "The schema is 'object' (type str); expected a dict": "object",
    "The schema is an object of type ModelMetaclass; expected a dict": BaseModel,
    'what stands under "schema"': {"name": "book", "schema": RIGHT},
    'what stands under "json_schema"': {"type": "json_schema", "json_schema": {"schema": RIGHT}},
    '"type" is None; expected "object"': without("type"),
    '"type" is \'dict\' (type str); expected "object"': {**RIGHT, "type": "dict"},
    '"properties" is None; expected a dict': without("properties"),
    '"properties" is an object of type list; expected': {**RIGHT, "properties": ["title"]},
    "The field year is missing. \"properties\" has ['title', 'form']; expected title, year, form": {
        **RIGHT,
        "properties": {"title": TITLE, "form": FORM},
    },
    "a field 'price' that nobody asked for; expected title, year, form": with_part(price=TITLE),
    "The schema of title is 'string' (type str); expected a dict": with_part(title="string"),
    'The "type" of title is \'str\' (type str); expected "string"': with_part(
        title={"type": "str"}
    ),
    'of title is an object of type type; expected "string"': with_part(title={"type": str}),
    'of title is None; expected "string"': with_part(title={}),
    "of title is ['string', 'null']; expected \"string\"": with_part(
        title={"type": ["string", "null"]}
    ),
    'of year is \'integer\' (type str); expected ["integer", "null"]': with_part(
        year={"type": "integer"}
    ),
    'The "enum" of form is None; expected the list': with_part(form={"type": "string"}),
    "The \"enum\" of form is 'novel' (type str); expected the list": with_part(
        form={"enum": "novel"}
    ),
    'of form is [\'novel\']; expected ["novel", "poem"]': with_part(form={"enum": ["novel"]}),
    'The "type" of form is \'enum\' (type str); expected "string"': with_part(
        form={**FORM, "type": "enum"}
    ),
    '"required" of the object is None; expected ["title", "year", "form"]': without("required"),
    '"required" of the object is True (type bool); expected': {**RIGHT, "required": True},
    "\"required\" is ['title', 'form']; expected": {**RIGHT, "required": ["title", "form"]},
    '"additionalProperties" is None; expected False': without("additionalProperties"),
    "\"additionalProperties\" is 'False' (type str)": {**RIGHT, "additionalProperties": "False"},
}


FITTING = [
    RIGHT,
    {**RIGHT, "title": "Book", "required": ["form", "year", "title"]},
    with_part(form={"enum": ["poem", "novel"]}, title={**TITLE, "description": "Its name"}),
    with_part(year={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
]


class Raising(dict):
    def get(self, *arguments):
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


GOOD = {"dish": "tea", "cups": 2, "size": "large"}
BAD = [{**GOOD, "cups": 0}, {**GOOD, "size": "huge"}, {}]
UNFIT = {
    "Your answer is an object of type dict; expected a class": GOOD,
    "Your answer is an object of type Order; expected a class": Order(**GOOD),
    "Your answer is an object of type type; expected a class": dict,
    'Your class refuses {"dish": "tea", "cups": 2, "size": "large"}, saying cups: Input': Strict,
    'Your class accepts {"dish": "tea", "cups": 0, "size": "large"}; expected': Loose,
    "Your class has the fields dish; expected a field cups too": Short,
}


def is_told(outcome, words):
    assert outcome.status == "wrong" and len(outcome.message) < 300
    assert words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize("answer", [..., {**RIGHT, "properties": ...}, with_part(title=...)])
def test_an_untouched_schema_is_not_yet(answer):
    assert requires(answer, FIELDS).status == "not yet"


@pytest.mark.parametrize(("words", "answer"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_schema_is_told_what_was_seen_and_expected(words, answer):
    is_told(requires(answer, FIELDS), words)


@pytest.mark.parametrize("answer", [Raising(), with_part(title=Raising(TITLE))])
def test_a_crashing_schema_is_told_the_error(answer):
    outcome = requires(answer, FIELDS)
    assert outcome.status == "wrong" and "RuntimeError: no" in outcome.message


@pytest.mark.parametrize("answer", FITTING)
def test_a_right_schema_passes(answer):
    outcome = requires(answer, FIELDS)
    assert outcome.status == "passed" and "title, year, form" in outcome.message


@pytest.mark.parametrize("answer", [..., Starter])
def test_an_untouched_class_is_not_yet(answer):
    assert accepts(answer, GOOD, *BAD).status == "not yet"


@pytest.mark.parametrize(("words", "answer"), UNFIT.items(), ids=range(len(UNFIT)))
def test_a_class_that_does_not_fit_is_told_by_which_example(words, answer):
    is_told(accepts(answer, GOOD, *BAD), words)


def test_a_crashing_class_is_told_the_error():
    outcome = accepts(Crashing, GOOD, *BAD)
    assert outcome.status == "wrong" and "RuntimeError: no" in outcome.message


def test_a_right_class_passes():
    outcome = accepts(Order, GOOD, *BAD)
    assert outcome.status == "passed" and "3" in outcome.message


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    for answer in [..., *WRONG.values(), Raising(), *FITTING]:
        in_chinese(requires, answer, FIELDS)
    for answer in [..., Starter, *UNFIT.values(), Crashing, Order]:
        in_chinese(accepts, answer, GOOD, *BAD)
