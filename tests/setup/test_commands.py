"""The commands, with the real SDK against a small server that says what a test wants."""

import gc
import json
import os
import re
import socket
import subprocess
import sys
import time
import warnings
from argparse import Namespace
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace

import pytest

from qwen_lab import __main__, connection
from qwen_lab.course import lessons
from qwen_lab.endpoint import server
from qwen_lab.endpoint.weights import gguf, weights
from qwen_lab.lab import Lab
from qwen_lab.setup import arguments, commands, environment, jupyter, local_qwen
from qwen_lab.words import LabError

QUESTION = {"system": None, "temperature": None, "seed": None, "max_tokens": None}


def chunk(text=None, usage=None):
    choices = [] if text is None else [{"index": 0, "delta": {"content": text}}]
    counted = usage and {"prompt_tokens": 1, "completion_tokens": usage, "total_tokens": usage + 1}
    data = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps({**data, 'choices': choices, 'usage': counted})}\n\n"


class Endpoint(BaseHTTPRequestHandler):
    """Answers every request with `reply`, and keeps what was asked in `asked`."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(json.loads(body))
        status, kind, content = self.server.reply
        time.sleep(self.server.wait)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *words):
        pass


@pytest.fixture
def endpoint(monkeypatch):
    """An endpoint that `connect()` chooses; its `reply`, `wait` and `asked` are the test's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.asked, server.wait = [], 0
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    lab = Lab(url, "some-model", "custom", "secret")
    monkeypatch.setattr(connection, "connect", lambda endpoint=None: lab)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def answer(*chunks):
    return 200, "text/event-stream", "".join([*chunks, "data: [DONE]\n\n"])


def test_an_answer_is_shown_as_it_comes_and_then_its_speed(endpoint, capsys):
    endpoint.reply = answer(chunk("我是"), chunk("千问"), chunk(usage=12))
    commands.ask(Namespace(question="你是谁？", **QUESTION))
    text, speed = capsys.readouterr().out.strip().split("\n")
    assert text == "我是千问"
    assert speed.startswith("12 tokens: the first after") and speed.endswith("tokens/s.")


def test_the_wait_for_the_first_token_begins_when_the_question_is_sent(endpoint, capsys):
    endpoint.reply, endpoint.wait = answer(chunk("yes"), chunk(usage=1)), 0.3
    commands.ask(Namespace(question="hi", **QUESTION))
    waited = re.search(r"the first after ([\d.]+) s", capsys.readouterr().out)[1]
    assert float(waited) >= 0.3


def test_only_what_was_chosen_is_sent(endpoint):
    endpoint.reply = answer(chunk("yes"))
    commands.ask(Namespace(question="hi", **QUESTION))
    commands.ask(Namespace(question="hi", **{**QUESTION, "system": "Be brief", "temperature": 0.0}))
    plain, chosen = endpoint.asked
    assert set(plain) == {"model", "messages", "stream", "stream_options"}
    assert chosen["temperature"] == 0
    assert [message["role"] for message in chosen["messages"]] == ["system", "user"]


def test_an_endpoint_that_counts_no_tokens_still_answers(endpoint, capsys):
    endpoint.reply = answer(chunk("yes"))
    commands.ask(Namespace(question="hi", **QUESTION))
    assert "didn't say how many tokens" in capsys.readouterr().out


def test_a_model_cannot_steer_the_terminal(endpoint, capsys):
    endpoint.reply = answer(chunk("a\x1b[2J\rb\u202e\x9b1m\r\n👩‍🏫"))
    commands.ask(Namespace(question="hi", **QUESTION))
    assert capsys.readouterr().out.startswith("a�[2J�b��1m\n👩‍🏫")


def test_neither_can_a_servers_error(endpoint):
    error = {"message": "\x1b]0;owned\x07\u202e", "code": "\x9b2J"}
    endpoint.reply = answer(f"data: {json.dumps({'error': error})}\n\n")
    with pytest.raises(LabError, match="�2J.*\n�]0;owned��"):
        commands.ask(Namespace(question="hi", **QUESTION))


@pytest.mark.skipif(os.name != "posix", reason="elsewhere no locale stands in the way")
def test_a_question_in_chinese_arrives_though_the_locale_knows_only_english(endpoint):
    endpoint.reply = answer(chunk("千问"))
    program = "import sys; from qwen_lab import __main__; from qwen_lab.setup import arguments, "
    program += "commands; __main__._survive_any_character(); "
    program += "commands.ask(arguments.read(sys.argv[1:]))"
    port, plain = endpoint.server_port, {"LC_ALL": "C", "PYTHONUTF8": "0"}
    around = {"QWEN_LAB_ENDPOINT": f"http://127.0.0.1:{port}/v1", "QWEN_LAB_MODEL": "通义"}
    done = subprocess.run(
        [sys.executable, "-c", program, "ask", "你是谁？", "--system", "好"],
        env=os.environ | plain | around | {"PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    [asked] = endpoint.asked
    assert asked["model"] == "通义"
    assert [message["content"] for message in asked["messages"]] == ["好", "你是谁？"]


def test_a_refusal_is_two_lines_with_status_code_and_message(endpoint):
    error = {"message": "Range of temperature should be [0.0, 2.0)", "code": "bad_parameter"}
    endpoint.reply = 400, "application/json", json.dumps({"error": error})
    with pytest.raises(LabError) as caught:
        commands.ask(Namespace(question="hi", **QUESTION))
    first, second = str(caught.value).strip().split("\n")
    assert "HTTP 400, code bad_parameter" in first and second == error["message"]


@pytest.mark.parametrize(("kind", "told"), [("dashscope", True), ("custom", False)])
def test_a_key_that_the_cloud_refuses_may_be_of_another_region(endpoint, monkeypatch, kind, told):
    error = {"message": "Incorrect API key provided.", "code": "invalid_api_key"}
    endpoint.reply = 401, "application/json", json.dumps({"error": error})
    lab = replace(connection.connect(), kind=kind)
    monkeypatch.setattr(connection, "connect", lambda endpoint=None: lab)
    with pytest.raises(LabError) as caught:
        commands.ask(Namespace(question="hi", **QUESTION))
    assert "HTTP 401, code invalid_api_key" in str(caught.value)
    for words in ("another region", f"127.0.0.1:{endpoint.server_port} takes", "doctor --cloud"):
        assert (words in str(caught.value)) == told


def test_an_error_in_the_middle_of_an_answer_is_said(endpoint, capsys):
    error = {"error": {"message": "The model went away", "code": "internal_error"}}
    endpoint.reply = answer(chunk("I"), f"data: {json.dumps(error)}\n\n")
    with pytest.raises(LabError, match="internal_error.\nThe model went away"):
        commands.ask(Namespace(question="hi", **QUESTION))
    assert capsys.readouterr().out == "I"


def test_a_proxy_that_speaks_no_socks_is_told_in_words(monkeypatch):
    url = "https://dashscope.aliyuncs.com/compatible-mode/v1"
    lab = Lab(url, "qwen-plus", "dashscope", "secret")
    monkeypatch.setattr(connection, "connect", lambda endpoint=None: lab)
    with socket.create_server(("127.0.0.1", 0)) as web:
        monkeypatch.setenv("all_proxy", f"socks5://127.0.0.1:{web.getsockname()[1]}")

        def refuse():
            with suppress(OSError):
                while True:
                    asked, _ = web.accept()
                    with asked:
                        asked.recv(100)
                        asked.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        Thread(target=refuse, daemon=True).start()
        with warnings.catch_warnings():
            # httpcore2 leaves the connection to the proxy to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            with pytest.raises(LabError, match=f"No answer from {url}") as caught:
                commands.ask(Namespace(question="hi", **QUESTION))
            assert "(all_proxy), can't be used: the proxy doesn't speak SOCKS" in str(caught.value)
            del caught
            gc.collect()


def test_nobody_at_the_address_is_said_with_the_address(monkeypatch):
    lab = Lab("http://127.0.0.1:9/v1", "m", "custom", "secret")
    monkeypatch.setattr(connection, "connect", lambda endpoint=None: lab)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(LabError, match="No answer from http://127.0.0.1:9/v1"):
        commands.ask(Namespace(question="hi", **QUESTION))


def test_start_asks_copies_and_opens_in_this_order(endpoint, monkeypatch, tmp_path, capsys):
    done = []
    monkeypatch.setattr(lessons, "copy", lambda: done.append("copied") or tmp_path)
    monkeypatch.setattr(jupyter, "run", lambda folder, browser: done.append((folder, browser)))
    endpoint.reply = answer(chunk("I am Qwen"), chunk(usage=3))
    commands.start(Namespace(no_browser=True))
    assert done == ["copied", (tmp_path, False)]
    assert "Who are you?" in capsys.readouterr().out
    assert endpoint.asked[0]["messages"] == [{"role": "user", "content": "Who are you?"}]
    assert endpoint.asked[0]["temperature"] == 0


def test_setup_opens_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(weights, "fetch", lambda: None)
    monkeypatch.setattr(lessons, "copy", lambda: tmp_path)
    monkeypatch.setattr(jupyter, "run", None)
    commands.setup(Namespace())
    assert str(tmp_path) in capsys.readouterr().out


def test_who_has_a_classs_address_needs_no_weights_and_asks_the_class(
    endpoint, monkeypatch, tmp_path
):
    fetched, asked = [], []
    monkeypatch.setenv("QWEN_LAB_ENDPOINT", "http://192.168.1.5:8000/compatible-mode/v1")
    monkeypatch.setattr(weights, "fetch", lambda: fetched.append(1))
    monkeypatch.setattr(lessons, "copy", lambda: tmp_path)
    monkeypatch.setattr(jupyter, "run", lambda folder, browser: None)
    lab = connection.connect()
    monkeypatch.setattr(connection, "connect", lambda named=None: asked.append(named) or lab)
    commands.setup(Namespace())
    endpoint.reply = answer(chunk("我是千问"))
    commands.start(Namespace())
    assert asked == [None] and not fetched


def test_status_shows_the_server_without_its_token(monkeypatch, capsys):
    url = "http://127.0.0.1:1/v1"
    state = SimpleNamespace(
        pid=os.getpid(), base_url=url, model="qwen", created=0, token="secret", alive=True
    )
    monkeypatch.setenv("COLUMNS", "2000")
    monkeypatch.setattr(local_qwen, "_state", lambda: state)
    monkeypatch.setattr(weights, "find", lambda: None)
    commands.status(Namespace())
    shown = capsys.readouterr().out
    assert f"qwen at {url}, running since" in shown and sys.prefix in shown
    assert "not here yet" in shown and "secret" not in shown


def test_status_tells_the_checked_weights_from_the_users_own(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("COLUMNS", "2000")
    monkeypatch.setattr(weights, "find", lambda: tmp_path / "model.gguf")
    monkeypatch.setattr(gguf, "is_whole", lambda path: True)
    commands.status(Namespace())
    monkeypatch.setenv("QWEN_LAB_GGUF", "model.gguf")
    commands.status(Namespace())
    shown = capsys.readouterr().out
    assert "SHA-256 is the official one" in shown and "SHA-256 isn't checked" in shown
    assert "not running" in shown


def test_stop_says_whether_there_was_anything_to_stop(monkeypatch, capsys):
    for ended, words in ((True, "has been stopped"), (False, "wasn't running")):
        monkeypatch.setattr(server, "stop", lambda ended=ended: ended)
        commands.stop(Namespace())
        assert words in capsys.readouterr().out


def test_serve_passes_its_port_and_patience_on(monkeypatch):
    asked = {}
    monkeypatch.setattr(server, "serve", lambda **options: asked.update(options))
    commands.serve(Namespace(port=8123, idle=60.0, record="a.jsonl", upstream=None, relay=None))
    assert asked == {"port": 8123, "idle": 60.0, "record": "a.jsonl"}


def test_reset_names_the_backup_in_the_language_in_use_or_in_both(monkeypatch, tmp_path, capsys):
    lesson, backup = tmp_path / "03_x.ipynb", tmp_path / "03_x.backup-1.ipynb"
    monkeypatch.setattr(lessons, "reset", lambda number, language: (lesson, backup))
    commands.reset(Namespace(number=3, both=False))
    assert capsys.readouterr().out.count("kept as 03_x.backup-1.ipynb") == 1
    commands.reset(Namespace(number=3, both=True))
    assert capsys.readouterr().out.count("kept as") == 2


def test_the_tests_see_no_key_and_their_exit_code_comes_back(monkeypatch):
    for name in ("DASHSCOPE_API_KEY", "OPENAI_API_KEY", "QWEN_LAB_ENDPOINT"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("QWEN_LAB_GGUF", "kept")
    kept = environment._without_keys()
    assert "QWEN_LAB_GGUF" in kept and "PATH" in {name.upper() for name in kept}
    assert not {"DASHSCOPE_API_KEY", "OPENAI_API_KEY", "QWEN_LAB_ENDPOINT"} & set(kept)
    assert commands.test(Namespace(rest=["--version"])) == 0
    assert commands.test(Namespace(rest=["no_such_folder"])) == 4


@pytest.mark.parametrize(
    ("problem", "code", "words"),
    [(LabError("commands.no_tests"), 1, "Next:"), (KeyboardInterrupt(), 130, "\n")],
)
def test_a_command_that_cannot_go_on_ends_without_a_traceback(
    monkeypatch, capsys, problem, code, words
):
    def fail(arguments):
        raise problem

    monkeypatch.setattr(__main__, "_run", fail)
    assert __main__.main() == code
    shown = capsys.readouterr().err
    assert words in shown and "Traceback" not in shown


@pytest.mark.parametrize(("command", "seen"), [("status", "from-file"), ("test", None)])
def test_a_command_sees_what_dotenv_says_but_the_tests_do_not(command, seen, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("HF_ENDPOINT=from-file\n")
    monkeypatch.setenv("HF_ENDPOINT", "")
    monkeypatch.setattr(environment, "ensure", lambda *_: None)
    found = []
    monkeypatch.setattr(commands, command, lambda _: found.append(os.environ.get("HF_ENDPOINT")))
    __main__._run([command])
    assert (found[0] or None) == seen


def test_what_was_changed_for_the_network_is_said_before_a_command_runs(monkeypatch, capsys):
    monkeypatch.setenv("all_proxy", "socks://127.0.0.1:7897")
    monkeypatch.setattr(environment, "ensure", lambda *_: print(os.environ["all_proxy"]))
    monkeypatch.setattr(commands, "setup", lambda _: None)
    __main__._run(["setup"])
    shown = capsys.readouterr()
    assert "all_proxy" in shown.err and shown.out == "socks5://127.0.0.1:7897\n"


def test_a_class_on_a_hub_has_no_page_and_says_so():
    with pytest.raises(LabError, match="no --page"):
        commands.class_(arguments.read(["class", "Ada", "--hub", "--page"]))
