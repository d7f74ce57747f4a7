import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx2
import openai
import pytest

import qwen_lab
from qwen_lab import addresses, models, paths, settings
from qwen_lab.endpoint import server
from qwen_lab.endpoint.app import create_app
from qwen_lab.endpoint.learner import Learner
from qwen_lab.endpoint.server_file import State
from qwen_lab.words import LabError

ROOT = Path(qwen_lab.__file__).parents[1]
TAPE = ROOT / "notebooks/tape/en/01_basic_call.jsonl"
KEY = "sk-0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, tmp_path_factory, monkeypatch):
    """A working folder and a checkout without any .env, and a local Qwen that need not load."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path_factory.mktemp("checkout"))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    state = State(1234, "qwen2.5-coder", "local-token")
    monkeypatch.setattr(server, "start", lambda: state)


@pytest.fixture
def dotenv(tmp_path):
    return lambda **lines: (tmp_path / ".env").write_text(
        "".join(f"{name}={value}\n" for name, value in lines.items()), encoding="utf-8"
    )


def test_without_a_key_the_local_qwen_answers(capsys):
    lab = qwen_lab.connect()
    assert (lab.kind, lab.model, lab.api_key) == ("local", "qwen2.5-coder", "local-token")
    assert lab.base_url == "http://127.0.0.1:1234/compatible-mode/v1"
    assert capsys.readouterr().out.splitlines() == [
        "Local Qwen: qwen2.5-coder, on this machine.",
        "It costs nothing, and nothing you send leaves the machine.",
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("endpoint", ["local", "dashscope"])
def test_what_connecting_says_fits_80_columns(endpoint, language, monkeypatch, capsys):
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    monkeypatch.setenv("QWEN_LAB_LANG", language)
    qwen_lab.connect(endpoint)
    told = capsys.readouterr().out.replace("qwen2.5-coder", "qwen2.5-coder-0.5b-instruct")
    # A Chinese character is as wide as two others.
    wide = [len(line) + sum(ord(sign) > 0x2E7F for sign in line) for line in told.splitlines()]
    assert len(wide) == 2 and max(wide) <= 80


def test_with_a_key_dashscope_answers_and_the_price_is_dated(monkeypatch, capsys):
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    lab = qwen_lab.connect()
    assert (lab.kind, lab.model, lab.api_key) == ("dashscope", "qwen-plus", KEY)
    assert lab.base_url == "https://dashscope.aliyuncs.com/compatible-mode/v1"
    line = capsys.readouterr().out
    assert "0.8 CNY per million tokens in, 2 out (Beijing, 2026-06)" in line and KEY not in line


def test_a_key_in_dotenv_counts_and_is_found_from_a_folder_below(dotenv, tmp_path, monkeypatch):
    dotenv(DASHSCOPE_API_KEY=KEY, DASHSCOPE_MODEL="qwen-flash")
    (tmp_path / "my_lessons" / "zh").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "my_lessons" / "zh")
    lab = qwen_lab.connect()
    assert (lab.kind, lab.model) == ("dashscope", "qwen-flash")
    assert "DASHSCOPE_API_KEY" not in os.environ


def test_dotenv_of_the_checkout_is_found_from_anywhere(
    dotenv, tmp_path, tmp_path_factory, monkeypatch
):
    dotenv(DASHSCOPE_API_KEY=KEY)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert qwen_lab.connect().kind == "dashscope"


def test_which_file_was_read_is_said_where_it_counted(dotenv, tmp_path, monkeypatch, capsys):
    dotenv(DASHSCOPE_API_KEY=KEY)
    told = f"Settings were read from {tmp_path / '.env'}."
    qwen_lab.connect()
    assert told in capsys.readouterr().out
    qwen_lab.connect("local")
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    qwen_lab.connect()
    assert told not in capsys.readouterr().out
    dotenv(QWEN_LAB_ENDPOINT="local")
    qwen_lab.connect()
    assert told in capsys.readouterr().out


def test_what_the_whole_lab_reads_counts_from_the_file_too(dotenv, monkeypatch, capsys):
    monkeypatch.delenv("QWEN_LAB_LANG")
    monkeypatch.setattr(settings, "_shared", {})
    dotenv(QWEN_LAB_LANG="zh", HF_ENDPOINT="https://mirror.example")
    qwen_lab.connect()
    assert capsys.readouterr().out.startswith("本机的千问")
    assert os.environ.pop("HF_ENDPOINT") == "https://mirror.example"


@pytest.mark.parametrize(
    "content", [f"DASHSCOPE_API_KEY={KEY}".encode("utf-16"), b"QWEN_LAB_LANG zh"]
)
def test_a_dotenv_that_cannot_be_read_is_an_error_and_beside_local_a_note(
    content, tmp_path, capsys, monkeypatch
):
    (tmp_path / ".env").write_bytes(content)
    for endpoint in (None, "dashscope"):
        with pytest.raises(LabError, match=str(tmp_path / ".env")):
            qwen_lab.connect(endpoint)
    assert qwen_lab.connect("local").kind == "local"
    monkeypatch.setenv("QWEN_LAB_ENDPOINT", "local")
    assert qwen_lab.connect().kind == "local"
    told = capsys.readouterr().out
    assert told.count("Local Qwen") == told.count(str(tmp_path / ".env")) == 2


def test_a_key_that_lies_where_it_is_not_read_is_named_too(tmp_path, capsys):
    (tmp_path / ".env.txt").write_text(f"DASHSCOPE_API_KEY={KEY}")
    qwen_lab.connect()
    first, second, *_ = capsys.readouterr().out.splitlines()
    # Before the local Qwen is looked for: it may be what keeps it from being needed.
    assert second.startswith("Local Qwen") and str(tmp_path / ".env.txt") in first
    # Who asks for the local Qwen knows.
    qwen_lab.connect("local")
    assert ".env.txt" not in capsys.readouterr().out


def test_the_environment_wins_over_dotenv(dotenv, monkeypatch):
    dotenv(QWEN_LAB_ENDPOINT="dashscope", DASHSCOPE_API_KEY=KEY)
    monkeypatch.setenv("QWEN_LAB_ENDPOINT", "local")
    assert qwen_lab.connect().kind == "local"


def test_the_argument_wins_over_all(monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    monkeypatch.setenv("QWEN_LAB_ENDPOINT", "dashscope")
    assert qwen_lab.connect("local").kind == "local"


def test_the_region_and_the_model_can_be_set(monkeypatch):
    url = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    monkeypatch.setenv("DASHSCOPE_BASE_URL", url)
    monkeypatch.setenv("DASHSCOPE_MODEL", "qwen3.8-max")
    lab = qwen_lab.connect()
    assert (lab.base_url, lab.model) == (url, "qwen3.8-max")


def test_a_dashscope_key_goes_to_dashscopes_hosts_alone(monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    monkeypatch.setenv("QWEN_LAB_MODEL", "mine")
    alibaba = qwen_lab.connect("https://ws1.cn-beijing.maas.aliyuncs.com/compatible-mode/v1")
    assert (alibaba.kind, alibaba.api_key) == ("dashscope", KEY)
    others = ("https://aliyuncs.com.evil.example/v1", "https://bucket.oss-cn-beijing.aliyuncs.com/")
    for url in ("http://gpu:8000/v1", *others):
        assert (qwen_lab.connect(url).kind, qwen_lab.connect(url).api_key) == ("custom", "none")


GATEWAY = "http://gateway.example/v1"


def test_a_file_does_not_send_the_environments_key_elsewhere(dotenv, monkeypatch, tmp_path):
    dotenv(DASHSCOPE_BASE_URL=GATEWAY)
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    with pytest.raises(LabError, match="gateway.example.*QWEN_LAB_API_KEY") as caught:
        qwen_lab.connect()
    assert str(tmp_path / ".env") in str(caught.value) and KEY not in str(caught.value)


def test_nor_the_environment_the_files_key(dotenv, monkeypatch):
    dotenv(DASHSCOPE_API_KEY=KEY)
    monkeypatch.setenv("DASHSCOPE_BASE_URL", "https://bucket.oss-cn-beijing.aliyuncs.com/v1")
    with pytest.raises(LabError, match="bucket.oss"):
        qwen_lab.connect()


def test_a_key_beside_the_address_goes_where_the_address_says(dotenv, monkeypatch):
    dotenv(DASHSCOPE_API_KEY=KEY, DASHSCOPE_BASE_URL=GATEWAY)
    assert (qwen_lab.connect().base_url, qwen_lab.connect().api_key) == (GATEWAY, KEY)
    # The environment's key counts first, and it is another one.
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY[::-1].replace("-ks", "") + "sk")
    with pytest.raises(LabError, match="gateway"):
        qwen_lab.connect()
    monkeypatch.setenv("DASHSCOPE_BASE_URL", GATEWAY)
    assert qwen_lab.connect().base_url == GATEWAY


@pytest.mark.parametrize(
    ("url", "readable"),
    [(GATEWAY, True), ("https://dashscope.aliyuncs.com.evil.example/v1", False)],
)
def test_what_is_not_dashscopes_own_is_not_called_so(dotenv, capsys, url, readable):
    dotenv(DASHSCOPE_API_KEY=KEY, DASHSCOPE_BASE_URL=url)
    qwen_lab.connect(lang="en")
    told = capsys.readouterr().out
    assert f"{addresses.host(url)} isn't DashScope's own" in told and "DashScope: " not in told
    assert ("can read the key" in told) is readable
    assert "List price" not in told


def test_a_region_may_be_said_elsewhere_than_the_key(dotenv, monkeypatch):
    url = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
    dotenv(DASHSCOPE_BASE_URL=url)
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    assert (qwen_lab.connect().base_url, qwen_lab.connect().api_key) == (url, KEY)


def test_every_other_address_takes_the_key_that_is_named_for_it(dotenv, monkeypatch):
    dotenv(DASHSCOPE_BASE_URL=GATEWAY)
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    monkeypatch.setenv("QWEN_LAB_API_KEY", "mine")
    monkeypatch.setenv("QWEN_LAB_MODEL", "qwen")
    lab = qwen_lab.connect()
    assert (lab.kind, lab.base_url, lab.api_key) == ("custom", GATEWAY, "mine")


@pytest.mark.parametrize(
    "url",
    ["dashscope-intl.aliyuncs.com", "http://dashscope-intl.aliyuncs.com/compatible-mode/v1/models"],
)
def test_an_address_of_dashscope_is_mended_and_that_is_said(monkeypatch, capsys, url):
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    meant = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
    assert qwen_lab.connect(url).base_url == meant
    monkeypatch.setenv("DASHSCOPE_BASE_URL", url)
    assert qwen_lab.connect().base_url == meant
    told = capsys.readouterr().out
    assert told.count("DashScope: qwen-plus at dashscope-intl.aliyuncs.com, billed") == 2
    assert told.count(f"The address used is {meant}.") == 2 and "0.8 CNY" not in told
    monkeypatch.setenv("DASHSCOPE_BASE_URL", meant + "/")
    qwen_lab.connect()
    assert "The address used" not in capsys.readouterr().out


def test_away_from_beijing_no_price_of_beijing_is_counted(monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    lab = qwen_lab.connect()
    assert models.cost(lab, lab.model, (1000, 500)) == 0.0018
    lab = qwen_lab.connect("https://dashscope-us.aliyuncs.com")
    assert models.cost(lab, lab.model, (1000, 500)) is None


@pytest.mark.parametrize("name", ["LOCAL", "local ", '"local"', " Local", "local\r"])
def test_blanks_quotes_and_capitals_of_a_shell_make_no_other_endpoint(monkeypatch, name):
    assert qwen_lab.connect(name).kind == "local"
    monkeypatch.setenv("QWEN_LAB_ENDPOINT", name)
    assert qwen_lab.connect().kind == "local"


def test_a_tape_with_a_blank_behind_its_path_is_found(monkeypatch):
    monkeypatch.setenv("QWEN_LAB_ENDPOINT", "replay ")
    monkeypatch.setenv("QWEN_LAB_TAPE", f'"{TAPE}" ')
    assert qwen_lab.connect().kind == "replay"


class Models(BaseHTTPRequestHandler):
    """Answers every request with the server's `reply`: status, content type and body."""

    def do_GET(self):
        status, kind, body = self.server.reply
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *words):
        pass


@pytest.fixture
def custom():
    """A server of one's own, whose `reply` the test sets; it has its `url`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Models) as here:
        here.url = f"http://127.0.0.1:{here.server_port}/v1"
        thread = Thread(target=here.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield here
        here.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "body",
    [
        "<html>Welcome</html>",
        "{}",
        "null",
        "[]",
        '[{"id": "m"}]',
        '"text"',
        "{broken",
        '{"data": null}',
        '{"data": {"id": "m"}}',
        '{"data": []}',
        '{"data": [null]}',
        '{"data": [{"id": 5}]}',
        '{"data": [{"id": ""}]}',
        '{"data": [{"name": "m"}]}',
        '{"data": [{"id": "text-embedding-v4"}, {"id": "BAAI/bge-m3"}]}',
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_a_server_that_names_no_model_is_an_error_with_a_way_out(custom, body, kind):
    custom.reply = 200, kind, body
    with pytest.raises(LabError, match="QWEN_LAB_MODEL"):
        qwen_lab.connect(custom.url)


def test_the_first_model_that_can_chat_is_taken(custom, capsys):
    ids = [5, "text-embedding-v4", "nomic-embed-text", "bge-reranker", "qwen3-8b", "qwen3-14b"]
    rows = [{"id": name} for name in ids]
    custom.reply = 200, "application/json", json.dumps({"data": rows})
    lab = qwen_lab.connect(custom.url.replace("//", "//me:secret@"))
    assert lab.model == "qwen3-8b" and "secret" not in repr(lab) + capsys.readouterr().out


def test_a_server_that_wants_a_key_says_where_to_put_it(custom):
    custom.reply = 401, "application/json", "{}"
    with pytest.raises(LabError, match="QWEN_LAB_API_KEY") as caught:
        qwen_lab.connect(custom.url.replace("//", "//me:secret@"))
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_an_error_with_a_way_out():
    with pytest.raises(LabError, match="No server answers at http://127.0.0.1:9"):
        qwen_lab.connect("http://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("sk-01234 6789", "character 9"),
        (" sk-0123", "character 1"),
        ("sk-０１２３", "character 4"),
        ("sk-0123\n", "character 8"),
        ("“sk-0123”", "character 1"),
        ("sk-xxx", "placeholder"),
    ],
)
def test_a_mistyped_key_is_named_without_being_shown(monkeypatch, key, problem):
    monkeypatch.setenv("DASHSCOPE_API_KEY", key)
    with pytest.raises(LabError, match=problem) as caught:
        qwen_lab.connect()
    assert "0123" not in str(caught.value)


def test_dashscope_without_a_key_says_where_to_put_one():
    with pytest.raises(LabError, match=r"\.env"):
        qwen_lab.connect("dashscope")


def test_an_unknown_endpoint_is_an_error():
    with pytest.raises(LabError, match="dashscop"):
        qwen_lab.connect("dashscop")


def test_no_repr_shows_a_key(monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    lab = qwen_lab.connect()
    assert KEY not in repr(lab) + repr(lab.api_key) + repr([lab.api_key])
    assert openai.OpenAI(base_url=lab.base_url, api_key=lab.api_key).api_key == KEY


def test_a_lesson_speaks_its_own_language(capsys, monkeypatch):
    monkeypatch.setenv("QWEN_LAB_LANG", "en")
    qwen_lab.connect(lang="zh")
    assert capsys.readouterr().out.startswith("本机的千问")


def test_a_proxy_is_not_asked_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "internal.example")
    lab = qwen_lab.connect()
    assert os.environ["NO_PROXY"] == "internal.example,127.0.0.1"
    client = openai.OpenAI(base_url=lab.base_url, api_key=lab.api_key)
    transport = client._client._transport_for_url(httpx2.URL(lab.base_url))
    assert transport is client._client._transport


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_on_this_machine_is_asked_straight(custom, monkeypatch, host):
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("no_proxy", "")
    custom.reply = 200, "application/json", '{"data": [{"id": "qwen"}]}'
    assert qwen_lab.connect(f"http://{host}:{custom.server_port}/v1").model == "qwen"


def test_what_was_changed_for_the_network_is_said_but_not_by_a_tape(monkeypatch, capsys):
    monkeypatch.setenv("all_proxy", "socks://127.0.0.1:7897")
    monkeypatch.setenv("SSL_CERT_FILE", "/gone.pem")
    lab = qwen_lab.connect()
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("Local Qwen") and "all_proxy" in last and "/gone.pem" in last
    with openai.OpenAI(base_url=lab.base_url, api_key=lab.api_key):
        assert os.environ["all_proxy"] == "socks5://127.0.0.1:7897"
    monkeypatch.setenv("JPY_SESSION_NAME", "my_lessons/en/01_basic_call.ipynb")
    monkeypatch.setattr(paths, "tape", lambda lesson: TAPE)
    monkeypatch.setenv("all_proxy", "socks4://127.0.0.1:7897")
    qwen_lab.connect("replay")
    assert "all_proxy" not in capsys.readouterr().out + "".join(os.environ)


def loaded_by_connecting(endpoint, **settings):
    """The modules that a new process has loaded once it is connected."""
    code = "import qwen_lab, sys; qwen_lab.connect(sys.argv[1]); print(*sys.modules)"
    command = [sys.executable, "-c", code, endpoint]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("shell", [["-c"], ["-m", "IPython", "--colors=NoColor", "-c"]])
def test_an_error_of_the_lab_is_a_sentence_and_any_other_a_traceback(shell, tmp_path):
    env = os.environ | {"IPYTHONDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}

    def shown(code):
        command = [sys.executable, *shell, f"import qwen_lab; {code}"]
        done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8")
        return f"{done.stdout}{done.stderr}".strip()

    text = shown("qwen_lab.connect('nowhere')")
    assert text.startswith('LabError: There\'s no endpoint called "nowhere".') and "\n" not in text
    assert "Traceback" in shown("\ntry: qwen_lab.connect('nowhere')\nexcept Exception: x = 1 / 0")


def test_a_script_that_has_a_way_of_its_own_to_show_errors_keeps_it(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", print)
    qwen_lab.connect()
    assert sys.excepthook is print


def test_connecting_to_dashscope_loads_no_part_of_the_local_qwen():
    loaded = loaded_by_connecting("dashscope", DASHSCOPE_API_KEY=KEY)
    assert not {"xllamacpp", "starlette", "uvicorn", "openai"} & loaded


@pytest.mark.parametrize(
    ("endpoint", "settings"),
    [
        ("http://gpu:8000/v1", {"QWEN_LAB_MODEL": "mine"}),
        ("replay", {"JPY_SESSION_NAME": "my_lessons/en/01_basic_call.ipynb"}),
    ],
)
def test_connecting_loads_nothing_of_set_up_and_nothing_of_jupyterlab(endpoint, settings):
    loaded = loaded_by_connecting(endpoint, **settings)
    assert "qwen_lab.connection" in loaded
    assert not {"qwen_lab.setup", "qwen_lab.course", "jupyterlab", "ipykernel"} & loaded


@pytest.fixture
def two_classes(real_port, engine):
    """Two origins, the hub's class and another, and the tokens that each was sent."""
    number, here = real_port
    sent = {"127.0.0.1": set(), "localhost": set()}

    async def identify(given):
        return Learner("ada")

    app = create_app(engine, identify)

    async def noted(scope, receive, send):
        headers = {name: value.decode() for name, value in scope["headers"]}
        sent[headers[b"host"].split(":")[0]].add(headers.get(b"authorization"))
        await app(scope, receive, send)

    here["app"] = noted
    return [f"http://{host}:{number}/compatible-mode/v1" for host in sent], sent


@pytest.mark.parametrize("choice", [None, "local"])
def test_in_a_hubs_server_the_class_answers_whatever_a_file_says(
    choice, two_classes, dotenv, monkeypatch
):
    (ours, other), sent = two_classes
    monkeypatch.setenv("QWEN_LAB_ENDPOINT", ours)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub-token")
    dotenv(QWEN_LAB_ENDPOINT=other, QWEN_LAB_API_KEY="from-a-file", JUPYTERHUB_API_TOKEN="no")
    lab = qwen_lab.connect(choice)
    assert (lab.kind, lab.base_url, lab.api_key) == ("class", ours, "hub-token")
    assert "hub-token" not in repr(lab)
    assert sent == {"127.0.0.1": {"Bearer hub-token"}, "localhost": set()}


def test_a_hubs_token_goes_to_no_other_address(two_classes, dotenv, monkeypatch):
    (ours, other), sent = two_classes
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "hub-token")
    # Named by a file, when the process names none; and by an argument, when it does.
    dotenv(QWEN_LAB_ENDPOINT=other)
    assert qwen_lab.connect().api_key == "none"
    monkeypatch.setenv("QWEN_LAB_ENDPOINT", ours)
    assert qwen_lab.connect(other).api_key == "none"
    # A code that is given is what goes to the class.
    assert qwen_lab.connect(ours, code="a-code").api_key == "a-code"
    assert sent == {"127.0.0.1": {"Bearer a-code"}, "localhost": {"Bearer none"}}
