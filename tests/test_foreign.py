"""Servers that answer as no server should: each view shows what there is, and each run ends."""

import asyncio
import io
from contextlib import suppress

import httpx2
import numpy
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qwen_lab
from qwen_lab import checks, discovery
from qwen_lab.lab import Lab
from qwen_lab.setup import terminal
from qwen_lab.watch.next_token import listed
from qwen_lab.widgets.presets import Presets
from qwen_lab.words import LabError

from .strange import LARGE, anything, fuzz, spoilt, written
from .views.recorded import ANSWER, CHUNKS, PIECE, TAIL, THOUGHT, WRONG_KEY, tool_pieces

TOP = {"token": "好", "logprob": -0.5, "bytes": [229, 165, 189]}
TOKEN = TOP | {"top_logprobs": [TOP, TOP | {"token": "a", "bytes": None}]}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SAID = {"role": "assistant", "content": "好好", "reasoning_content": "想", "tool_calls": [CALL]}
CHOICE = {"index": 0, "finish_reason": "stop", "logprobs": {"content": [TOKEN, TOKEN]}}
FULL = THOUGHT | {"choices": [CHOICE | {"message": SAID}, CHOICE | {"index": 1, "message": SAID}]}
DELTAS = [{"content": "好", "logprobs": {"content": [TOKEN]}}, {"reasoning_content": "想"}]
MORE = [{**TAIL, "choices": [PIECE | {"delta": delta}]} for delta in DELTAS]
STREAM = [*CHUNKS[:2], *MORE, *tool_pieces(), *CHUNKS[2:]]
JSON, HTML, EVENTS = "application/json", "text/html; charset=utf-8", "text/event-stream"
PAGE = b"<!doctype html><html>\n\n<body>\x1b[2J It works!</body></html>"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def lines(events):
    """What a server streams, whatever its chunks are."""
    return b"".join(b"data: " + written(event) + b"\n\n" for event in events) + b"data: [DONE]\n\n"


# A status, a kind of content, and the content. Nothing is tried again, so that it is quick.
bodies = st.sampled_from(
    [b"", b"null", b"{", PAGE, b"\xff\xfe", b'"text"', b"[]", b"NaN", b"data:"]
)
junk = st.tuples(
    st.sampled_from([200, 302, 404, 500]), st.sampled_from([JSON, HTML, EVENTS]), bodies
)
refused = st.tuples(st.sampled_from([400, 401, 429]), st.just(JSON), spoilt(WRONG_KEY).map(written))
bad = junk | refused
whole = st.tuples(st.just(200), st.just(JSON), (spoilt(FULL) | anything).map(written))
events = spoilt(STREAM) | st.lists(anything, max_size=3)
streamed = st.tuples(st.just(200), st.just(EVENTS), events.map(lines))
broken = st.builds(lambda given, at: lines(given)[:at] + b"\n\n", events, st.integers(1, 900))
cut = st.tuples(st.just(200), st.just(EVENTS), broken)


def asking(reply, **options):
    """What the SDK makes of a reply; a call that it refuses to read is over."""
    status, kind, content = reply
    body = httpx2.ByteStream(content)
    answer = httpx2.Response(status, headers={"content-type": kind}, stream=body)
    http = httpx2.Client(transport=httpx2.MockTransport(lambda request: answer))
    client = openai.OpenAI(base_url="http://x/v1", api_key="k", http_client=http, max_retries=0)
    calls = qwen_lab.Calls()
    try:
        return calls.watch(client).chat.completions.create(**ASKED, **options)
    finally:
        look(qwen_lab.timeline(calls))


def look(view):
    """A notebook shows the page and the text, and neither can be broken."""
    assert view._repr_html_().isprintable() is not None and repr(view) is not None
    assert "\x1b" not in repr(view) and "\u202e" not in repr(view)


def judge(answer):
    """No check raises, whatever it is given."""
    one, many = [answer], {"seed": 1, "messages": ASKED["messages"], "stop": "\n"}
    for outcome in (
        checks.response.finish_reason(answer, "stop"),
        checks.response.fields({"usage.total_tokens": 18, "model": "m"}, answer),
        checks.response.probability(0.5, answer),
        checks.answers.choices(answer, 2),
        checks.answers.first_line(many, lambda request: answer),
        checks.search.added(answer, answer, 3, qwen_lab.Calls()),
        checks.calls.together(one, qwen_lab.Calls(), ["hi"]),
        checks.stream.has_usage(answer),
        checks.tools.one_round(answer, "f", {}, 1),
        checks.messages.roles(answer, "user"),
        checks.errors.caught(answer, 401),
    ):
        assert outcome.status in ("wrong", "passed", "not yet"), outcome
        assert "\x1b" not in repr(outcome)


@fuzz(200, LARGE)
@given(whole | bad)
def test_every_view_shows_any_answer(reply):
    try:
        answer = asking(reply)
    except Exception as error:
        look(qwen_lab.anatomy(error))
        return
    judge(answer)
    right = openai.types.chat.ChatCompletion.construct(**ANSWER)
    if not isinstance(answer, openai.BaseModel):
        # No answer at all, such as a page of HTML: that is said in words.
        for view in (qwen_lab.anatomy, qwen_lab.xray):
            with suppress(TypeError):
                look(view(answer))
        return
    look(qwen_lab.anatomy(answer))
    look(qwen_lab.anatomy(answer, right))
    look(qwen_lab.anatomy(right, answer))
    look(qwen_lab.anatomy(answer.model_dump(warnings=False) | {"choices": answer.choices}))
    look(qwen_lab.xray(answer))
    look(qwen_lab.difference(answer, right))


@fuzz(200, LARGE)
@given(streamed | cut | whole | bad)
def test_every_view_shows_any_stream(reply):
    try:
        stream = qwen_lab.wire(asking(reply, stream=True))
    except Exception as error:
        look(qwen_lab.anatomy(error))
        return
    read = []
    # What breaks in the SDK ends the stream.
    with suppress(Exception):
        read += stream
    assert stream.state in ("done", "failed")
    look(stream)
    judge(read)
    assert isinstance(stream.text, str) and stream.texts[0] == stream.text
    for chunks in (stream.chunks, read if stream.chunks else []):
        if chunks:
            look(qwen_lab.anatomy(chunks))
            look(qwen_lab.xray(chunks))
            look(qwen_lab.difference(chunks, "Hello"))
    for chunk in stream.chunks:
        look(qwen_lab.anatomy(chunk))


@pytest.fixture
def foreign(real_port):
    """A lab whose server answers each call with the reply that the test puts there."""
    number, here = real_port

    async def app(scope, receive, send):
        status, kind, content = lab.reply
        headers = [(b"content-type", kind.encode()), (b"x-should-retry", b"false")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    here["app"] = app
    lab = type("Foreign", (Lab,), {})(f"http://127.0.0.1:{number}/v1", "m", "custom", "k")
    type(lab).reply = None
    return lab


@fuzz(30, LARGE)
@given(reply=whole | streamed | cut | bad, stream=st.booleans())
def test_every_run_ends_and_shows_what_came(foreign, tmp_path, reply, stream):
    type(foreign).reply = reply
    presets = Presets(tmp_path / "presets.json")
    panel = qwen_lab.playground(foreign, "hi", presets=presets, stream=stream, logprobs=True)
    text = asyncio.run(panel.run())
    assert text == panel.answer and panel.stop_button.disabled
    assert panel._reply.stage in ("done", "failed") and "status" in panel.status.value
    [run] = panel.history.to_dicts()
    assert run["text"] == text and bool(run["error"]) == (panel._reply.stage == "failed")
    compared = qwen_lab.compare(foreign, "hi", {"seed": 1}, {"seed": 2})
    assert len(asyncio.run(compared.run())) == 2 and compared.stop_button.disabled
    assert all(column.reply.stage in ("done", "failed") for column in compared.columns)


@fuzz(30, LARGE)
@given(reply=whole | bad)
def test_a_sweep_is_never_left_running(foreign, tmp_path, reply):
    type(foreign).reply = reply
    box = qwen_lab.sweep(foreign, "hi", temperature=[0, 1], seed=[1, 2])
    answers = asyncio.run(box.run())
    assert len(answers) == 4 and box.progress.value == 4 and box.stop_button.disabled
    assert "All 4 calls" in box.status.value
    box.to_csv(tmp_path / "a.csv")


NOTES = {"notes": [{"title": "a", "text": "b"}, {"title": "", "text": "好"}]}
arrays = st.sampled_from(
    [numpy.zeros(3, "i4"), numpy.zeros(0), numpy.array("x"), numpy.ones((2, 2))]
)


@st.composite
def archives(draw):
    """The archive of a next token, with a part changed or gone, or its bytes cut or changed."""
    archive = listed([(1, b"a", -0.1), (2, b"\xe5", -2.0)], [1, 2], 1).dump()
    parts = dict(numpy.load(io.BytesIO(archive)))
    name = draw(st.sampled_from(sorted(parts)))
    match draw(st.sampled_from(["other", "gone", "cut", "bytes"])):
        case "other":
            parts[name] = draw(arrays)
        case "gone":
            del parts[name]
        case "cut":
            return archive[: draw(st.integers(0, len(archive) - 1))]
        case "bytes":
            at = draw(st.integers(0, len(archive) - 1))
            return archive[:at] + draw(st.binary(min_size=1, max_size=4)) + archive[at + 1 :]
    file = io.BytesIO()
    numpy.savez(file, **parts)
    return file.getvalue()


notes = st.tuples(st.just(200), st.just(JSON), (spoilt(NOTES) | anything).map(written))
next_tokens = st.tuples(st.just(200), st.just(JSON), archives())


@pytest.fixture
def ours(foreign):
    """The same, taken for the local Qwen: its port was that before."""
    return type(foreign)(foreign.base_url, "m", "local", "k")


@fuzz(60, LARGE)
@given(reply=notes | next_tokens | bad)
def test_what_another_server_says_of_a_next_token_or_notes_is_used_or_one_sentence(ours, reply):
    type(ours).reply = reply
    with suppress(LabError):
        assert ours.next_token(ASKED["messages"]).first(1).tokens
    with suppress(LabError):
        assert all(isinstance(note["text"], str) for note in ours.search("?"))


@pytest.mark.parametrize(("lang", "words"), [("en", "Connect again"), ("zh", "请重新连接")])
@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("body", [PAGE, b"", b"[]", b'{"notes": [1]}'])
def test_another_server_is_told_from_the_local_qwen(ours, monkeypatch, lang, words, status, body):
    monkeypatch.setenv("QWEN_LAB_LANG", lang)
    type(ours).reply = status, HTML, body
    for look in (ours.next_token, ours.search):
        with pytest.raises(LabError, match=words):
            look("?")


@fuzz(60, LARGE)
@given(reply=streamed | cut | whole | bad)
def test_the_terminal_shows_an_answer_or_one_sentence(foreign, reply):
    type(foreign).reply = reply
    with suppress(LabError):
        terminal.show_answer(foreign, "hi")


@fuzz(60, LARGE)
@given(reply=st.tuples(st.just(200), st.just(JSON), anything.map(written)) | bad)
def test_any_list_of_models_is_one_name_or_one_sentence(foreign, reply):
    type(foreign).reply = reply
    with suppress(LabError):
        assert discovery.first_model(foreign.base_url, "k")
