"""One call's answer: how it ended, what went wrong, and what to do about it."""

import asyncio
import re
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from qwen_lab.lab import Lab
from qwen_lab.widgets.reply import Reply, explain
from qwen_lab.words import say

HELLO = [{"role": "user", "content": "你好"}]
CHUNK = 'data: {"choices": [{"index": 0, "delta": {"content": "好"}}]}\n\n'


def read(lab, **fields):
    reply = Reply()
    request = {"model": lab.model, "messages": HELLO, **fields}
    asyncio.run(reply.read(lab, request, lambda: None))
    return reply


@contextmanager
def answering(content, status=200, missing=0):
    """A server that answers everything with the content and leaves `missing` bytes out."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = content.encode()
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(body) + missing))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Lab(f"http://127.0.0.1:{server.server_port}/v1", "some-model", "custom", "key")
        finally:
            server.shutdown()
            thread.join()


def test_the_status_says_why_it_ended_how_many_tokens_and_how_fast(lab, engine):
    engine.reply(*"一二三四五")
    shown = (
        r"finish_reason: stop · completion_tokens: 5 · \d+\.\d\ss · \d+\stokens/s after the first"
    )
    assert re.fullmatch(shown, read(lab).status)


def test_the_status_and_what_came_over_the_wire_tell_one_speed(lab, engine):
    engine.reply(*"一二三四五")
    reply = read(lab)
    assert say("wire.speed", speed=reply.speed) in reply.wire._repr_html_()


def test_an_answer_from_a_tape_that_is_played_at_once_has_no_speed(lab, engine):
    engine.at_once = True
    engine.reply(*"一二三四五")
    assert "tokens/s" not in read(lab).status


def test_a_few_tokens_have_no_speed(lab, engine):
    engine.reply(*"一二三四")
    assert re.fullmatch(
        r"finish_reason: stop · completion_tokens: 4 · \d+\.\d\ss", read(lab).status
    )


def test_a_stream_without_an_end_and_a_count_says_so():
    with answering(CHUNK) as lab:
        reply = read(lab)
    assert reply.text == "好"
    assert reply.status.startswith("The answer broke off without a finish_reason · the service did")


@pytest.mark.parametrize(
    ("content", "missing"), [(CHUNK, 100), (CHUNK + "data: {half a chunk\n\n", 0)]
)
def test_a_stream_that_breaks_keeps_its_text_and_says_what_happened(content, missing):
    with answering(content, missing=missing) as lab:
        reply = read(lab)
    told, advice = explain(reply.error, lab, begun=True).split("\n")
    assert reply.text == "好" and reply.stage == "failed"
    # The reason stands in the sentence, which ends once.
    assert re.fullmatch(rf"The answer broke off \({type(reply.error).__name__}\): .+[^.]\.", told)
    assert advice.startswith("Next: this is a fault of the service or of the network")


def test_an_error_event_in_the_stream_keeps_the_text_and_has_its_code(lab, engine):
    engine.reply("好")
    engine.replies[0].insert(2, RuntimeError("secret detail"))
    reply = read(lab)
    explained = explain(reply.error, lab, begun=True)
    assert reply.text == "好" and "The answer broke off (internal_error): " in explained
    # It ends once, whether or not the server's words have a full stop.
    assert not re.search(r"[.。]\.", explained)
    assert "secret" not in explained


@pytest.mark.parametrize(
    ("wrong", "head", "advice"),
    [
        ({"model": "gpt-9"}, "HTTP 404, code model_not_found.", "check the name of the model"),
        ({"api_key": "wrong"}, "HTTP 401, code invalid_api_key.", "check the key"),
    ],
)
def test_a_refusal_is_explained_with_status_code_message_and_advice(lab, wrong, head, advice):
    lab = replace(lab, **wrong)
    reply = read(lab)
    first, message, last = explain(reply.error, lab).split("\n")
    assert first == f"The service refused the call: {head} It says:" and advice in last
    assert message == reply.error.body["message"]


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (400, "invalid_parameter_error", "change what the message names"),
        (400, "data_inspection_failed", "word the prompt differently"),
        (403, "Model.AccessDenied", "its quota is used up"),
    ],
)
def test_each_kind_of_refusal_has_its_advice(status, code, advice):
    with answering(f'{{"error": {{"message": "no", "code": "{code}"}}}}', status) as lab:
        head, message, last = explain(read(lab).error, lab).split("\n")
    assert f"HTTP {status}, code {code}" in head and message == "no" and advice in last


def test_what_a_tape_does_not_have_is_said_in_the_tapes_own_words_and_is_no_error():
    with answering('{"error": {"message": "not recorded", "code": "not_on_tape"}}', 404) as lab:
        reply = read(lab)
        told = reply.trouble(lab)
        assert explain(reply.error, lab) == "not recorded" and reply.status == ""
        assert "qwen-panel-unrecorded" in told and "404" not in told


def test_a_page_instead_of_an_error_is_cut_short():
    with answering("<h1>Forbidden</h1>" * 1000, 403) as lab:
        explained = explain(read(lab).error, lab)
    assert "HTTP 403" in explained and len(explained) < 1000


def test_nobody_at_the_address_is_said_with_the_address_and_the_cause(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    lab = Lab("http://127.0.0.1:9/v1", "some-model", "custom", "key")
    told, advice = explain(read(lab).error, lab).split("\n")
    assert told == "No answer from http://127.0.0.1:9/v1: nothing listens there."
    assert "connect()" in advice


def test_what_fails_after_a_stop_is_still_stopped():
    reply = Reply()
    reply.end("stopped")
    reply.end("failed", OSError("hanging up failed"))
    assert reply.stage == "stopped_early" and reply.error is None


def test_several_answers_stand_below_each_other(lab, engine):
    engine.reply("一")
    engine.reply("二")
    reply = read(lab, n=2)
    assert reply.text == "一\n\n———\n\n二" and len(reply.wire.chunks) > 4


def test_an_answer_that_does_not_stream_comes_in_one_piece(lab, engine):
    engine.reply("你", "好")
    reply = read(lab, stream=False)
    assert (reply.text, reply.reason, reply.tokens) == ("你好", "stop", 2)
    assert reply.completion and not reply.wire and reply.speed is None
