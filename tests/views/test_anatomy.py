import html
import re
import typing

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from qwen_lab import words
from qwen_lab.parameters import PARAMETERS
from qwen_lab.views.anatomy import anatomy
from qwen_lab.views.field_meanings import key
from qwen_lab.views.fields import field_tree

from . import recorded
from .hostile import HOSTILE, check

WITHIN = ("message", "function", "name", "arguments")
ASK = {"model": "fake-qwen", "messages": [{"role": "user", "content": "你好"}]}


def completion(**fields):
    return ChatCompletion.model_validate(recorded.ANSWER | fields)


def chunks(values):
    return [ChatCompletionChunk.model_validate(value) for value in values]


def declared(model, path=""):
    """The paths of every field that the SDK declares below a model."""
    for name, field in model.model_fields.items():
        yield f"{path}{name}"
        yield from below(field.annotation, f"{path}{name}")


def below(kind, path):
    if typing.get_origin(kind) is list:
        path += "[]"
    for part in typing.get_args(kind):
        yield from below(part, path)
    if isinstance(kind, type) and hasattr(kind, "model_fields"):
        yield from declared(kind, f"{path}.")


# OpenAI's alone, and never seen from DashScope: their insides are not explained one by one.
FOREIGN = ("moderation.", "annotations[]", ".audio.", ".function_call.", ".custom")


@pytest.mark.parametrize("language", words.LANGUAGES)
@pytest.mark.parametrize(
    "subject",
    [recorded.ANSWER, recorded.THOUGHT, recorded.WRONG_KEY, *recorded.CHUNKS]
    + recorded.tool_chunks(),
)
def test_every_recorded_field_has_words(subject, language):
    words.use(language)
    for field in field_tree(subject).root.walk():
        assert not field.path or key(field.path) in words.names("anatomy"), field.path


@pytest.mark.parametrize("model", [ChatCompletion, ChatCompletionChunk])
def test_every_field_of_the_sdk_has_words_and_says_why_it_is_null(model):
    for path in declared(model):
        if not any(part in path for part in FOREIGN):
            assert key(path) in words.names("anatomy"), path
    assert set(recorded.DOCUMENTED) <= words.names("anatomy")


def test_what_may_be_null_says_why():
    whole = completion(usage=None)
    page = anatomy(whole).html
    for field in field_tree(whole).root.walk():
        if field.value is None:
            assert html.escape(words.say(f"anatomy.{key(field.path)}?")) in page


def test_an_answer_shows_its_values_types_and_meanings():
    view = anatomy(completion())
    # The type stands beside the name, where no long value can push it away.
    assert (
        '<code>content</code> <small>str</small> <code class="value">&quot;Hello!&quot;<'
        in view.html
    )
    assert html.escape(words.say("anatomy.finish_reason_stop")) in view.html
    assert '<span class="whole">2026-02-26 16:46:41</span>\xa0UTC' in view.html
    assert 'choices[0].message.content = "Hello!"' in view.text


def test_the_short_form_has_nothing_that_changes_from_run_to_run():
    first, second = completion(), completion(id="chatcmpl-other", created=7)
    assert repr(anatomy(first)) == repr(anatomy(second))


def test_what_only_the_sdk_fills_in_stands_apart():
    page = anatomy(completion()).html
    sent, apart = page.split(html.escape(words.say("anatomy.unsent", count=5)))
    assert "<code>content</code>" in sent and "<code>refusal</code>" in apart
    assert "<code>refusal</code>" not in sent


def test_a_cloud_answer_costs_what_the_dated_list_says_and_a_local_one_nothing():
    # 16 tokens in at 2.5 CNY and 2 out at 10 CNY for a million.
    assert "0.000060\xa0CNY" in anatomy(completion()).html
    local = anatomy(completion(model="qwen2.5-coder-0.5b-instruct")).html
    assert html.escape(words.say("anatomy.cost_local")) in local
    assert "list price" not in local
    unknown = anatomy(completion(model="my-own-model")).html
    assert html.escape(words.say("anatomy.cost_unknown")) in unknown


def test_chunks_are_put_together_and_each_part_names_its_chunks():
    view = anatomy(chunks(recorded.CHUNKS))
    assert 'choices[0].message.content = "Hello."' in view.text
    assert "usage.total_tokens = 19" in view.text
    content = view.html.split("<code>content</code>")[1].split("</li>")[0]
    assert words.say("anatomy.chunks", first=2, last=3) in content
    assert words.say("anatomy.chunk", number=4) in view.html
    # What came with one chunk says so once: the usage, and not each of its counts.
    assert view.html.count(words.say("anatomy.chunk", number=5)) == 1


def test_a_streamed_tool_call_keeps_its_first_id_and_all_its_arguments():
    view = anatomy(chunks(recorded.tool_chunks()))
    call = "choices[0].message.tool_calls[0]"
    assert f'{call}.function.arguments = " {{\\"number\\": 132413}}"' in view.text
    assert f'{call}.function.name = "square_root"' in view.text
    assert recorded.CALLS[0]["id"] in view.html
    assert words.say("anatomy.finish_reason_tool_calls") in view.html
    # Other chunks than the name: neither is said of the call that has both.
    said = [view.html.split(f"<code>{name}</code>")[1].split("</span>")[0] for name in WITHIN]
    assert ["chunk" in each for each in said] == [False, False, True, True]


def test_several_streamed_answers_are_kept_apart(client, engine):
    engine.reply("一", "二")
    engine.reply("三")
    parts = list(client.chat.completions.create(**ASK, n=2, stream=True))
    text = anatomy(parts).text
    assert 'choices[0].message.content = "一二"' in text
    assert 'choices[1].message.content = "三"' in text


def test_an_error_shows_its_status_its_parts_and_the_request_id(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**ASK, temperature=2)
    view = anatomy(caught.value)
    assert 'exception = "BadRequestError"' in view.text and "status_code = 400" in view.text
    assert "<code>request_id</code>" in view.html and "Temperature should be in" in view.html
    assert html.escape(words.say("anatomy.error.param?")) in view.html


def test_an_error_without_a_json_body_is_shown_as_it_came():
    request = httpx2.Request("POST", "http://127.0.0.1/")
    page = httpx2.Response(502, text="<h1>Bad gateway", request=request)
    view = anatomy(openai.InternalServerError("", response=page, body=None))
    assert 'error.message = "<h1>Bad gateway"' in view.text and "<h1>" not in view.html
    gone = anatomy(openai.APIConnectionError(request=request))
    assert 'exception = "APIConnectionError"' in gone.text


def test_a_request_tells_each_parameters_range():
    request = ASK | {"temperature": 0.3, "extra_body": {"top_k": 5}, "max_tokens": 9}
    view = anatomy(request)
    assert "extra_body.top_k = 5" in view.text
    for name in ("temperature", "top_k", "max_tokens"):
        row = PARAMETERS[name]
        assert html.escape(f"{row.meaning} {row.range.replace(' ', chr(160))}") in view.html


def test_two_answers_are_compared_field_by_field():
    other = completion(model="qwen-plus", id="chatcmpl-2")
    view = anatomy(completion(), other)
    assert view.text.splitlines()[1:] == ['≠ model: "qwen3-max" → "qwen-plus"']
    assert '<li class="differs"><div><span><code>model</code>' in view.html
    # What is new with each answer is shown, and not marked.
    assert "<li><div><span><code>id</code>" in view.html and "chatcmpl-2" in view.html
    assert "<li><div><span><code>object</code>" in view.html
    sides = html.escape(words.say("anatomy.sides"))
    same = anatomy(completion(), completion())
    assert same.text == words.say("anatomy.same") and sides not in same.html
    assert sides in view.html


def test_of_two_values_that_differ_both_are_explained():
    length = recorded.ANSWER["choices"][0] | {"finish_reason": "length"}
    page = html.unescape(
        anatomy(completion(), completion(choices=[length], usage=recorded.CALLED)).html
    )
    for name in ("stop", "length"):
        assert page.count(words.say(f"anatomy.finish_reason_{name}")) == 1
    # Two sums, and which of them is the second one's; what holds for both stands once.
    assert page.count("0.000060\xa0CNY") == 1 and "The second one: Costs about 0.000610" in page
    assert page.count(words.say("anatomy.choices[].finish_reason")) == 1
    local = completion(model="qwen2.5-coder-0.5b-instruct", usage=recorded.CALLED)
    free = html.unescape(anatomy(local, completion(model=local.model)).html)
    assert free.count(words.say("anatomy.cost_local")) == 1 and "The second one" not in free


def test_a_field_that_only_one_of_two_has_differs():
    lines = anatomy(recorded.ANSWER, recorded.THOUGHT).text
    assert '≠ choices[0].message.reasoning_content: — → "We need' in lines
    assert "≠ choices[0].logprobs: null → —" in lines
    assert "≠ usage.completion_tokens_details: — → " in lines


def test_of_many_tokens_only_the_first_are_listed():
    token = {"token": "a", "bytes": [97], "logprob": -0.5, "top_logprobs": []}
    logprobs = {"content": [token] * 100, "refusal": None}
    choice = recorded.ANSWER["choices"][0] | {"logprobs": logprobs}
    view = anatomy(completion(choices=[choice]))
    assert words.say("anatomy.more", count=97) in view.html
    assert "choices[0].logprobs.content = " in view.text and len(view.text) < 1_000


def test_hostile_text_is_only_shown():
    tags = "div b ul li details summary code small span wbr"
    for hostile in HOSTILE:
        answer = recorded.ANSWER | {"model": hostile, hostile: hostile}
        error = {"error": {"message": hostile, "code": hostile}}
        ask = {"messages": [{"role": hostile, "content": hostile}], hostile: 1}
        for view in (anatomy(answer), anatomy(error, answer), anatomy(ask)):
            check(view.html, tags, "class open")
            assert "\ud800" not in view.text


@pytest.mark.parametrize("subject", [7, "text", [], None, {"a": 1}.keys()])
def test_what_is_no_answer_is_an_error(subject):
    with pytest.raises(TypeError, match=r"a whole reply.* you gave it .*list\(stream\)"):
        anatomy(subject)


def test_what_was_given_in_place_of_an_answer_is_told_in_the_readers_words():
    for language, told in (("en", "you gave it 'Hi' (str)"), ("zh", "你给的是 'Hi' (str)")):
        words.use(language)
        with pytest.raises(words.LabError) as caught:
            anatomy("Hi")
        assert told in str(caught.value) and caught.value.key == "anatomy.no_subject"


def test_chunks_that_others_came_between_are_told_in_a_few_words(client, engine):
    engine.reply(*"一二三四五六七")
    engine.reply(*"一二三四五六七")
    parts = list(client.chat.completions.create(**ASK, n=2, stream=True))
    mixed = parts[::2] + parts[1::2]
    content = anatomy(mixed).html.split("<code>content</code>")[1].split("</li>")[0]
    assert re.search(r"from \d+ of the chunks \d+–\d+<", content)


def test_what_a_field_means_is_said_once_of_all_its_like():
    choices = [recorded.ANSWER["choices"][0] | {"index": n} for n in range(3)]
    choices[1]["finish_reason"] = "length"
    page = anatomy(completion(choices=choices)).html
    for name in ("choices[].index", "choices[].message.content", "choices[].message.audio?"):
        assert page.count(html.escape(words.say(f"anatomy.{name}"))) == 1, name
    # Another reason means something else.
    for name in ("stop", "length"):
        assert page.count(html.escape(words.say(f"anatomy.finish_reason_{name}"))) == 1


def test_the_id_of_an_error_is_not_taken_for_that_of_an_answer():
    page = anatomy({"error": {"message": "no"}, "id": "chatcmpl-1", "request_id": "1"}).html
    assert words.say("anatomy.error_id") in page and words.say("anatomy.id") not in page
