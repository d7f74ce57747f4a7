"""`search.options` and `search.added`, of four kinds of answers."""

import httpx2
import pytest
from openai import OpenAI, Stream
from openai.types.chat import ChatCompletion, ChatCompletionChunk

import qwen_lab
from qwen_lab.checks.search import added, options
from qwen_lab.watch.calls import Call

FORCED = {"search_options": {"forced_search": True}}
RIGHT = {"extra_body": {"enable_search": True} | FORCED}


class Raising(dict):
    def __contains__(self, key):
        raise RuntimeError("no")


def body(**changes):
    return {"extra_body": RIGHT["extra_body"] | changes}


def without(name):
    return {
        "extra_body": {key: RIGHT["extra_body"][key] for key in RIGHT["extra_body"].keys() - {name}}
    }


CRASHING = [Raising(RIGHT), {"extra_body": Raising(RIGHT["extra_body"])}]
OPTIONS = {
    "options is None; expected a dict": None,
    "options is 'enable_search'; expected a dict": "enable_search",
    "options is an object of type set; expected a dict": {"enable_search"},
    "'enable_search' is directly in options": {"enable_search": True},
    "'enable_search' is directly": {"enable_search": True, **RIGHT},
    "'search_options' is directly": {"extra_body": {"enable_search": True}, **FORCED},
    "'forced_search' is directly in options": {"forced_search": True, **RIGHT},
    "options has no key 'extra_body'. Its keys are []; expected 'extra_body' as well": {},
    "options has no key 'extra_body'. Its keys are ['stream']": {"stream": True},
    "'freshness' is directly in options": {**RIGHT, "freshness": 7},
    "options has the key 'extra_bodies'; expected 'extra_body'": {"extra_bodies": {}},
    "extra_body is True; expected a dict": {"extra_body": True},
    "extra_body is an object of type set; expected": {"extra_body": {"enable_search"}},
    "extra_body has no key 'enable_search'. Its keys are ['search_options']; expected": without(
        "enable_search"
    ),
    "extra_body has the key 'enable-search'; expected 'enable_search'": {
        "extra_body": {"enable-search": True}
    },
    "enable_search is 'true'; expected True": body(enable_search="true"),
    "enable_search is 1; expected True": body(enable_search=1),
    "enable_search is False; expected True": body(enable_search=False),
    "forced_search is directly in extra_body; expected it one layer further in": {
        "extra_body": {"enable_search": True, "forced_search": True}
    },
    "extra_body has no key 'search_options'. Its keys are ['enable_search']; expected": without(
        "search_options"
    ),
    "extra_body has the key 'search_option'; expected 'search_options'": {
        "extra_body": {"enable_search": True, "search_option": {}}
    },
    "search_options is True; expected a dict": body(search_options=True),
    "search_options has no key 'forced_search'. Its keys are []; expected": body(search_options={}),
    "search_options has the key 'force_search'; expected": body(
        search_options={"force_search": True}
    ),
    "forced_search is 'True'; expected True": body(search_options={"forced_search": "True"}),
}


def completion(prompt, answer=10):
    usage = {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
    return ChatCompletion.construct(id="1", choices=[], usage=usage)


def stream():
    response = httpx2.Response(200, request=httpx2.Request("GET", "http://127.0.0.1"))
    with OpenAI(api_key="none") as client:
        return Stream(cast_to=ChatCompletionChunk, response=response, client=client)


PLAIN, SEARCHED = completion(37), completion(260, 15)
WITH, FORCED_TOO = {"enable_search": True}, {"enable_search": True, **FORCED}


def asked(*calls):
    """A record of such calls: the question, and what the request has beside it."""
    record = qwen_lab.Calls()
    for question, more in calls:
        messages = [{"role": "user", "content": question}]
        body = {"model": "qwen", "messages": messages, **more}
        record.calls.append(Call(question, None, asked=body))
    return record


BOTH = asked(("Hi?", {}), ("Hi?", WITH))
ADDED = {
    "plain is None; expected a ChatCompletion": (None, SEARCHED, 223),
    "plain is 'Hi'; expected a ChatCompletion": ("Hi", SEARCHED, 223),
    "searched is an object of type dict; expected": (PLAIN, SEARCHED.model_dump(), 223),
    "searched is 260; expected a ChatCompletion": (PLAIN, 260, 223),
    "searched is a stream, which has to be read piece by piece; expected": (PLAIN, stream(), 223),
    "plain has no usage; expected": (ChatCompletion.construct(), SEARCHED, 223),
    "Both replies took 37 prompt tokens, so the search": (PLAIN, completion(37), 0),
    "plain took 260 prompt tokens and searched 37; expected": (SEARCHED, PLAIN, -223),
    "added is 228; expected 260 − 37 as a whole number": (PLAIN, SEARCHED, 228),
    "added is 260; expected 260 − 37": (PLAIN, SEARCHED, 260),
    "added is -223; expected": (PLAIN, SEARCHED, -223),
    "added is '223'; expected": (PLAIN, SEARCHED, "223"),
    "added is None; expected": (PLAIN, SEARCHED, None),
    "added is True; expected": (completion(1), completion(2, 30), True),
}
RECORDS = {
    "No call was recorded; expected two": asked(),
    "None of your calls has enable_search": asked(("Hi?", {}), ("Hi!", {"enable_search": False})),
    "All of your calls have enable_search": asked(("Hi?", WITH), ("Hi?", FORCED_TOO)),
    "plain and searched asked different things": asked(("Hi?", {}), ("Ho?", WITH)),
    "expected the same question": asked(("Hi?", {}), ("Hi?", WITH | {"model": "other"})),
}
RECORDED = {
    "answered": BOTH,
    "the other way round, and more": asked(("Hi?", FORCED_TOO), ("Ho?", {}), ("Hi?", {})),
    "of other lengths": asked(("Hi?", {"max_tokens": 1}), ("Hi?", WITH | {"max_tokens": 30})),
}


def held(outcome, words):
    """Whether a wrong answer is told so, and in short."""
    assert outcome.status == "wrong" and len(outcome.message) < 300
    assert "Python" not in outcome.message
    said = outcome.message.lower()
    return words.lower() in said and "expected" in said


@pytest.mark.parametrize("answer", [..., {"extra_body": ...}, {"extra_body": {"x": ...}}])
def test_untouched_options_are_not_yet(answer):
    assert options(answer).status == "not yet"


@pytest.mark.parametrize(("words", "answer"), OPTIONS.items(), ids=range(len(OPTIONS)))
def test_wrong_options_are_told_what_was_seen_and_expected(words, answer):
    assert held(options(answer), words)


@pytest.mark.parametrize("answer", CRASHING)
def test_options_that_cannot_be_read_are_told_the_error(answer):
    outcome = options(answer)
    assert outcome.status == "wrong" and "RuntimeError: no" in outcome.message


@pytest.mark.parametrize("more", [{}, {"stream": True, "max_tokens": 60}])
def test_right_options_pass(more):
    assert options(RIGHT | more).status == "passed"
    assert options(body(top_k=1)).status == "passed"


@pytest.mark.parametrize("answers", [(..., ..., ...), (PLAIN, ..., 3), (PLAIN, SEARCHED, ...)])
def test_an_untouched_count_is_not_yet(answers):
    assert added(*answers, BOTH).status == "not yet"


@pytest.mark.parametrize(("words", "answers"), ADDED.items(), ids=range(len(ADDED)))
def test_a_wrong_count_is_told_what_was_seen_and_expected(words, answers):
    assert held(added(*answers, BOTH), words)


@pytest.mark.parametrize(("words", "record"), RECORDS.items(), ids=range(len(RECORDS)))
def test_two_calls_that_do_not_compare_are_told_why(words, record):
    assert held(added(PLAIN, SEARCHED, 223, record), words)


def test_replies_that_cannot_be_read_are_told_the_error():
    outcome = added(PLAIN, ChatCompletion.construct(usage="none"), 3, BOTH)
    assert outcome.status == "wrong" and "AttributeError: " in outcome.message


@pytest.mark.parametrize("record", RECORDED.values(), ids=RECORDED)
def test_the_right_count_passes(record):
    outcome = added(PLAIN, SEARCHED, 223, record)
    assert outcome.status == "passed" and "260 − 37 = 223" in outcome.message


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    for answer in [..., *OPTIONS.values(), *CRASHING, RIGHT]:
        in_chinese(options, answer)
    for answers in [*ADDED.values(), (PLAIN, SEARCHED, ...), (PLAIN, SEARCHED, 223)]:
        in_chinese(added, *answers, BOTH)
    for record in RECORDS.values():
        in_chinese(added, PLAIN, SEARCHED, 223, record)
