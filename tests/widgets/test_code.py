import contextlib
import io
import json

import pytest

from qwen_lab.lab import Lab
from qwen_lab.views.html import clean
from qwen_lab.widgets import code

from ..views.hostile import HOSTILE

HELLO = [{"role": "user", "content": "你好"}]
LOCAL = Lab("http://127.0.0.1:1/v1", "some-qwen", "local", "secret-key")


def asked(text, **names):
    """What the call in the code would ask for."""
    found = {}

    class Client:
        chat = completions = property(lambda self: self)

        def create(self, **request):
            found.update(request)

    exec(text, {"client": Client(), **names})
    return found


def test_the_call_is_what_a_learner_would_write():
    request = {"model": "m", "messages": HELLO, "temperature": 0.2, "extra_body": {"top_k": 5}}
    assert code.call(request).split("\n") == [
        "client.chat.completions.create(",
        "    model=lab.model,",
        '    messages=[{"role": "user", "content": "你好"}],',
        "    temperature=0.2,",
        '    extra_body={"top_k": 5},',
        ")",
    ]


def test_what_json_writes_otherwise_is_python_here():
    request = {"messages": HELLO, "stream": False, "stop": None, "extra_body": {"a": [True, 1.5]}}
    assert asked(code.call(request, '"m"')) == request | {"model": "m"}


def test_no_text_breaks_out_of_its_quotes():
    for hostile in HOSTILE:
        text = clean(hostile) + "\"'\\"
        request = {"messages": [{"role": "user", "content": text}], "stop": [text]}
        assert asked(code.call(request, '"m"')) == request | {"model": "m"}


def test_a_cell_names_the_endpoint_and_no_key():
    assert 'connect("local")' in code.cell({"model": "m", "messages": HELLO}, LOCAL)
    custom = Lab("http://127.0.0.1:1/v1", "m", "custom", "secret-key")
    text = code.cell({"model": "m", "messages": HELLO}, custom)
    assert 'connect("http://127.0.0.1:1/v1")' in text and "secret" not in text


@pytest.mark.parametrize("stream", [True, False])
def test_a_cell_prints_the_same_answer(lab, engine, monkeypatch, stream):
    monkeypatch.setattr("qwen_lab.connect", lambda endpoint: lab)
    engine.reply("你", "好")
    request = {"model": lab.model, "messages": HELLO, "seed": 7, "stream": stream}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code.cell(json.loads(json.dumps(request)), lab), {})
    assert printed.getvalue().strip() == "你好" and engine.calls[0][1] == 7
