"""`stream.reader` and `stream.has_usage`, of four kinds of answers."""

import httpx2
import pytest
from openai import OpenAI, Stream
from openai.types.chat import ChatCompletion, ChatCompletionChunk

import qwen_lab
from qwen_lab.checks.stream import has_usage, reader


def starter(stream): ...


def forgetful(stream):
    right(stream)


def right(stream):
    text, usage = "", None
    for chunk in stream:
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
        if chunk.usage:
            usage = chunk.usage
    return text, usage


def in_the_block(stream):
    """Another that is right: it closes the stream, and returns a list."""
    with stream:
        chunks = list(stream)
    pieces = [choice.delta.content for chunk in chunks for choice in chunk.choices]
    return ["".join(filter(None, pieces)), chunks[-1].usage]


def naive(stream):
    text, usage = "", None
    for chunk in stream:
        text, usage = text + (chunk.choices[0].delta.content or ""), chunk.usage
    return text, usage


def without_a_start(stream):
    text = ""
    for chunk in stream:
        text += chunk.choices[0].delta.content or "" if chunk.choices else ""
        if chunk.usage:
            usage = chunk.usage
    return text, usage


def stops_at_the_first_empty(stream):
    text = ""
    for chunk in stream:
        if not chunk.choices[0].delta.content:
            break
        text += chunk.choices[0].delta.content
    return text, None


def replaces(stream):
    text, usage = "", None
    for chunk in stream:
        text = chunk.choices[0].delta.content if chunk.choices else text
        usage = chunk.usage
    return text, usage


def keeps_the_last_text(stream):
    text = ""
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            text = chunk.choices[0].delta.content
    return text, None


def returns_in_the_loop(stream):
    text, usage = "", None
    for chunk in stream:
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
        if chunk.usage:
            usage = chunk.usage
        return text, usage


def reads_twice(stream):
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    usage = None
    for chunk in stream:
        usage = chunk.usage
    return "".join(pieces), usage


def misspells(stream):
    text, usage = "", None
    for chunk in stream:
        text += chunk.choice[0].delta.content
    return text, usage


def pieces_only(stream):
    chunks = list(stream)
    return [choice.delta.content for chunk in chunks for choice in chunk.choices], chunks[-1].usage


def adds_none(stream):
    text, usage = "", None
    for chunk in stream:
        if chunk.choices:
            text += chunk.choices[0].delta.content
        usage = chunk.usage
    return text, usage


def prints_none(stream):
    chunks = list(stream)
    pieces = [str(chunk.choices[0].delta.content) for chunk in chunks if chunk.choices]
    return "".join(pieces), chunks[-1].usage


def silent(stream):
    text, usage = right(stream)
    return text or None, usage


def unread_usage(stream):
    """Reads no further than the reason."""
    text = ""
    for chunk in stream:
        text += chunk.choices[0].delta.content or ""
        if chunk.choices[0].finish_reason:
            return text, chunk.usage


async def waits(stream):
    return right(stream)


def yields(stream):
    yield right(stream)


def changed(text=lambda text: text, usage=lambda usage: usage):
    def read(stream):
        was = right(stream)
        return text(was[0]), usage(was[1])

    return read


def raising(error):
    def read(stream):
        raise error

    return read


READERS = {
    "Your answer is None; expected a function": None,
    "Your answer is an object of type tuple; expected a function": ("", None),
    "Your function is async, so": waits,
    "returned an object of type generator; expected a pair": yields,
    "returned 'One two\\n three'; expected a pair": lambda stream: "One two\n three",
    "returned an object of type tuple; expected a pair": lambda stream: (*right(stream), 1),
    "read raised UnboundLocalError: cannot access local variable 'usage'": without_a_start,
    "Both text and usage need a value before the loop": without_a_start,
    "and no usage; the usage returned is 0; expected None": changed(usage=lambda usage: usage or 0),
    "no choices; from it read made the text '', expected 'One two'": stops_at_the_first_empty,
    "It left 4 of the 5 chunks unread. Is there a return or a break": returns_in_the_loop,
    "It left 4 of the 5 chunks unread. Is there a return": stops_at_the_first_empty,
    "It didn't read the stream it was given": lambda given: right(stream()),
    "the text '', expected 'One two'. Add each piece just as": replaces,
    "the text ' two', expected 'One two'. Add each piece": keeps_the_last_text,
    "the text 'One two three', expected 'One two\\nthree'. Add each": changed(
        text=lambda text: " ".join(text.split())
    ),
    "what read returned first is an object of type list; expected the text": pieces_only,
    "read raised AttributeError: 'ChatCompletionChunk' object has no": misspells,
    "no choices; on it read raised IndexError: list index out of range; expected": naive,
    "Look at chunk.choices[0] only if chunk.choices": naive,
    "returned is None; expected the usage object. It left 1 of the 5 chunks unread": unread_usage,
    "at chunk.usage in every chunk, in the same loop": reads_twice,
    "no choices; from it the usage returned is 26; expected the usage": changed(
        usage=lambda usage: usage and usage.total_tokens
    ),
    "content is None; on it read raised TypeError": adds_none,
    "Add a piece only if there is one": adds_none,
    "content is None; from it read made the text 'NoneNoneOne two', expected": prints_none,
    "no text at all; what read returned first is None; expected the text": silent,
    "returned first is an object of type CompletionUsage; expected the text there": lambda stream: (
        right(stream)[::-1]
    ),
}
CRASHING = [KeyError("x" * 1000), RuntimeError("a\n" * 500), ValueError()]


def chunk(content=None, usage=None, reason=None, role=None, id="1"):
    delta = {"content": content, "role": role}
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": reason}]
    body = {"id": id, "object": "chat.completion.chunk", "created": 1, "model": "qwen"}
    # As the SDK does it: built from what the service sent, not validated.
    return ChatCompletionChunk.construct(**body, choices=choices, usage=usage)


USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
FIRST = chunk("", role="assistant")
WHOLE = [FIRST, chunk("Hi"), chunk("!"), chunk("", reason="stop"), chunk(usage=USAGE)]


def stream():
    response = httpx2.Response(200, request=httpx2.Request("GET", "http://127.0.0.1"))
    with OpenAI(api_key="none") as client:
        return Stream(cast_to=ChatCompletionChunk, response=response, client=client)


LISTS = {
    "Your answer is None; expected a list": None,
    "Your answer is 'Hi'; expected a list": "Hi",
    "Your answer is an object of type Stream; expected a list": stream(),
    "then keep list(stream), which reads it to the end": qwen_lab.wire(stream()),
    "is an object of type ChatCompletion; expected a list": ChatCompletion.construct(),
    "is an object of type ChatCompletionChunk; expected a list": WHOLE[-1],
    "The list is empty; expected": [],
    "Item 1 of the list is 'Hi'; expected": ["Hi", "!"],
    "tuple; expected a ChatCompletionChunk. Make the call with stream=True": list(
        ChatCompletion.construct(id="1")
    ),
    "Item 2 of the list is None; expected": [WHOLE[0], None],
    "None of your 4 chunks holds the usage; expected": [c for c in WHOLE if c.choices],
    "If it has, your code drops that chunk": WHOLE[:4],
    "The first of your 1 chunks isn't the stream's first": WHOLE[4:],
    "The first of your 3 chunks isn't the stream's first": WHOLE[-3:],
    "The first of your 5 chunks isn't the stream's first": WHOLE[::-1],
    "expected every chunk, in order, those without text too": WHOLE[1:3],
    "None of your 3 chunks has a finish_reason, so the end": WHOLE[:3],
    "from different calls; expected": [*WHOLE[:-1], chunk(usage=USAGE, id="2")],
}


def held(outcome, words):
    """Whether a wrong answer is told so, and in short."""
    assert outcome.status == "wrong" and len(outcome.message) < 300
    assert "Python" not in outcome.message
    return words in outcome.message and "expected" in outcome.message


@pytest.mark.parametrize("function", [..., starter, lambda stream: ...])
def test_a_reader_that_is_not_written_is_not_yet(function):
    assert reader(function).status == "not yet"


def test_a_reader_without_its_return_is_told_so():
    outcome = reader(forgetful)
    assert outcome.status == "not yet" and "its return is missing" in outcome.message


@pytest.mark.parametrize(("words", "function"), READERS.items(), ids=range(len(READERS)))
def test_a_reader_is_told_which_trap_it_fell_into(words, function):
    assert held(reader(function), words)


@pytest.mark.parametrize("error", CRASHING, ids=range(len(CRASHING)))
def test_a_crashing_reader_is_told_the_error(error):
    assert held(reader(raising(error)), f"read raised {type(error).__name__}")


@pytest.mark.parametrize("function", [right, in_the_block, lambda stream: right(iter(stream))])
def test_a_right_reader_passes(function):
    outcome = reader(function)
    assert outcome.status == "passed" and "4" in outcome.message


def counts_anyway(stream):
    text, usage = right(stream)
    return text, usage if usage.total_tokens else None


@pytest.mark.parametrize("function", [misspells, counts_anyway, raising(NameError("txt"))])
def test_an_error_of_the_readers_own_gets_no_advice_on_streams(function):
    assert reader(function).message.endswith("expected a text and a usage. ")


def through_the_lab(stream):
    wire = qwen_lab.wire(stream)
    chunks = list(wire)
    return wire.text, chunks[-1].usage


def test_a_reader_may_look_at_the_stream_with_the_lab():
    assert reader(lambda stream: right(qwen_lab.wire(stream))).status == "passed"
    assert reader(through_the_lab).status == "passed"


@pytest.mark.parametrize("answer", [..., [...], [WHOLE[0], ...]])
def test_untouched_chunks_are_not_yet(answer):
    assert has_usage(answer).status == "not yet"


@pytest.mark.parametrize(("words", "answer"), LISTS.items(), ids=range(len(LISTS)))
def test_wrong_chunks_are_told_what_was_seen_and_expected(words, answer):
    assert held(has_usage(answer), words)


def test_chunks_that_cannot_be_read_are_told_the_error():
    outcome = has_usage([*WHOLE[:-1], chunk(usage="none")])
    assert outcome.status == "wrong" and "AttributeError: " in outcome.message


@pytest.mark.parametrize("answer", [WHOLE, tuple(WHOLE), [*WHOLE[:1], *WHOLE[3:]]])
def test_all_chunks_with_their_usage_pass(answer):
    outcome = has_usage(answer)
    assert outcome.status == "passed" and "9" in outcome.message and "2" in outcome.message


def test_every_answer_is_told_the_same_in_chinese(in_chinese):
    crashing = [raising(error) for error in CRASHING]
    for function in [..., starter, forgetful, *READERS.values(), *crashing, right]:
        in_chinese(reader, function)
    for answer in [..., *LISTS.values(), [*WHOLE[:-1], chunk(usage="none")], WHOLE]:
        in_chinese(has_usage, answer)
