"""The doctor names all that is broken at once, in both languages, and before set-up too."""

import ast
import json
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from qwen_lab import paths, settings, words
from qwen_lab.endpoint import free_memory, server_file
from qwen_lab.endpoint.app import create_app
from qwen_lab.endpoint.learner import Learner
from qwen_lab.endpoint.weights import gguf, weights
from qwen_lab.setup import doctor, finding, local_qwen, machine, software, table
from tests.conftest import serving

KEY = "sk-0123456789abcdef0123456789abcdef"
# The doctor as the Python of a machine on which nothing is installed runs it.
BARE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from pathlib import Path
from qwen_lab.setup import environment
environment.OWN = Path("no such folder")
from qwen_lab.__main__ import main
sys.argv[0] = "qwen_lab"
sys.exit(main())
"""


@pytest.fixture(autouse=True)
def learner(monkeypatch, tmp_path):
    """A folder without settings, a cache without a model, and this environment afterwards."""
    before = dict(os.environ)
    for name in list(os.environ):
        if re.search("proxy$|^SSL_CERT|_CA_BUNDLE$|^PIP_CERT$|^HF_ENDPOINT$", name, re.I):
            del os.environ[name]
    monkeypatch.setenv("COLUMNS", "2000")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(paths, "ROOT", tmp_path / "checkout")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)
    settings._shared.clear()


def examined(capsys, **options):
    """The exit code, and what each row shows by its name's key, as one line after its sign."""
    code = doctor.run(**options)
    shown = capsys.readouterr().out
    names = {words.say(key): key.removeprefix("doctor.name_") for key in named()}
    found, key = {}, None
    for line in shown.split("\n\n")[0].splitlines():
        sign, label = line[0], next((name for name in names if line[2:].startswith(name)), None)
        key = names[label] if sign in finding.SIGNS and label else key
        found[key] = found.get(key, "") + " " + line.removeprefix(f"{sign} {label}").strip()
        found[key] = sign + found[key] if sign in finding.SIGNS else found[key]
    return code, found


def named():
    return [f"doctor.{name}" for name in words.names("doctor") if name.startswith("name_")]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_five_things_broken_at_once_are_all_named(language, learner, monkeypatch, capsys):
    words.use(language)
    monkeypatch.setenv("all_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("SSL_CERT_FILE", str(learner / "gone.pem"))
    (learner / ".env").write_text("DASHSCOPE_API_KEY=sk-your-key\nQWEN_LAB_GGUF=gone.gguf\n")
    (learner / "file").touch()
    monkeypatch.setenv("QWEN_LAB_HOME", str(learner / "file" / "home"))
    code, found = examined(capsys)
    broken = {name for name, row in found.items() if row.startswith("✗")}
    expected = {"folders", "proxies", "certificates", "key", "endpoint", "weights"}
    assert code == 1 and broken - {"packages"} == expected
    for name, what in [("proxies", "all_proxy"), ("certificates", "gone.pem"), ("key", "sk-")]:
        assert what in found[name]
    assert "gone.gguf" in found["weights"] and "file/home" in found["folders"]
    # Who begins with the first cross has the way out before set-up needs it.
    assert [*found].index("certificates") < [*found].index("packages")


def test_where_all_is_well_nothing_is_broken_and_the_exit_code_is_0(capsys, monkeypatch):
    code, found = examined(capsys)
    assert code == 0 and len(found) == 16
    assert {name for name, row in found.items() if "!" in row[0]} <= {
        "weights",
        "processor",
        "disk",
    }
    assert found["weights"].startswith("!") and "fetch" in found["weights"]


def test_a_dotenv_that_cannot_be_read_is_one_row_and_stops_connect(learner, monkeypatch, capsys):
    (learner / ".env").write_text(f"DASHSCOPE_API_KEY={KEY}\n", encoding="utf-16")
    code, found = examined(capsys)
    assert code == 1 and "UTF-16" in found["dotenv"] and ".env can't be read" in found["key"]
    assert found["endpoint"].startswith("✗") and "UTF-16" not in found["endpoint"]
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    _, found = examined(capsys)
    assert "UTF-16" in found["dotenv"] and "begins with sk-" in found["key"]


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({}, "on this computer"),
        ({"DASHSCOPE_API_KEY": KEY}, "https://dashscope.aliyuncs.com/compatible-mode/v1"),
        ({"DASHSCOPE_API_KEY": KEY, "QWEN_LAB_ENDPOINT": "LOCAL "}, "on this computer"),
        ({"QWEN_LAB_ENDPOINT": "replay"}, "recording"),
        # Nothing is asked of this server: it does not exist.
        ({"QWEN_LAB_ENDPOINT": "http://u:pw@192.0.2.1:8/v1"}, "http://192.0.2.1:8/v1"),
        ({"QWEN_LAB_ENDPOINT": "clod"}, 'no endpoint called "clod"'),
        ({"QWEN_LAB_ENDPOINT": "dashscope"}, "DASHSCOPE_API_KEY isn't set"),
    ],
)
def test_the_endpoint_is_the_one_that_connect_would_choose(variables, shown, monkeypatch, capsys):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    code, found = examined(capsys)
    assert shown in found["endpoint"] and "pw" not in found["endpoint"]
    assert code == found["endpoint"].startswith("✗") == ("clod" in shown or "isn't" in shown)


def test_a_key_is_told_by_its_shape_and_its_place_alone(learner, monkeypatch, capsys):
    (learner / ".env").write_text(f"DASHSCOPE_API_KEY={KEY}\n")
    _, found = examined(capsys)
    assert "from .env: begins with sk-, 35 characters" in found["key"]
    monkeypatch.setenv("DASHSCOPE_API_KEY", "AKIA0123456789abcdef")
    _, found = examined(capsys)
    assert "from the environment: doesn't begin with sk-, 20 char" in found["key"]
    assert found["key"].startswith("✗") and "AKIA" not in "".join(found.values())


@pytest.mark.parametrize(
    ("address", "sign", "shown"),
    [
        ("socks://u:p@192.0.2.1:7897", "!", "socks://192.0.2.1:7897 (all_proxy)"),
        ("u:p@192.0.2.1:8080", "✓", "http://192.0.2.1:8080 (all_proxy)"),
        ("ftp://u:p@192.0.2.1", "✗", "value of all_proxy"),
        ("socks4://u:p@192.0.2.1", "✗", "socks4://192.0.2.1 (all_proxy) is a SOCKS4 proxy"),
        ("http://u:p@no-such.invalid:1", "✗", "the name in http://no-such.invalid:1 (all_proxy)"),
    ],
)
def test_a_proxy_is_shown_without_its_password(address, sign, shown, monkeypatch, capsys):
    monkeypatch.setenv("all_proxy", address)
    _, found = examined(capsys)
    assert found["proxies"].startswith(sign) and shown in found["proxies"]
    assert "u:p" not in found["proxies"]


def test_a_class_that_env_names_is_asked_and_told_in_one_line(engine, monkeypatch, capsys):
    seat, left = Learner("Ada"), [400]

    async def identify(given):
        return seat if given == "2222-3333-4444-5555" else None

    app = create_app(engine, identify)
    app.state.allowance.left = lambda who: left[0]
    with serving(app) as port:
        url = f"http://127.0.0.1:{port}{server_file.BASE}"
        monkeypatch.setenv("QWEN_LAB_ENDPOINT", url)
        monkeypatch.setenv("QWEN_LAB_API_KEY", "2222-3333-4444-5555")
        for left[0], told in ((400, "400 tokens left"), (None, "aren't limited")):
            code, found = examined(capsys)
            assert found["endpoint"].startswith("✓ your class at") and told in found["endpoint"]
            assert "Ada" not in found["endpoint"] and "2222" not in str(found)
        monkeypatch.setenv("QWEN_LAB_API_KEY", "2222-3333-4444-6666")
        assert "compare your code with your sheet" in examined(capsys)[1]["endpoint"]
    assert "No server answers" in examined(capsys)[1]["endpoint"]


def test_a_filled_example_is_pointed_to(learner, capsys):
    (learner / ".env.txt").write_text(f"DASHSCOPE_API_KEY={KEY}\n")
    code, found = examined(capsys)
    assert code == 0 and found["dotenv"].startswith("!") and ".env.txt" in found["dotenv"]


def test_a_server_that_writes_a_token_is_told_from_one_that_does_not(
    served, engine, learner, monkeypatch, capsys
):
    path = learner / "own.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setenv("QWEN_LAB_GGUF", str(path))
    port = int(served.split(":")[2].split("/")[0])
    monkeypatch.setattr(
        "qwen_lab.endpoint.server_file.secrets.token_urlsafe", lambda _: "test-token"
    )
    server_file.save(server_file.make(path), port, engine.model)
    _, found = examined(capsys)
    assert found["server"].startswith("✓") and "fake-qwen" in found["server"]
    monkeypatch.setattr(local_qwen, "PATIENCE", 0.2)
    engine.replies.append([1.0])
    code, found = examined(capsys)
    assert code == 1 and "stop" in found["server"] and server_file.load(server_file.folder(path))


def test_a_server_that_has_ended_is_told_from_none(learner, monkeypatch):
    assert "starts when" in local_qwen.server().seen
    path = learner / "own.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setenv("QWEN_LAB_GGUF", str(path))
    place = server_file.make(path)
    state = asdict(server_file.save(place, 1, "qwen")) | {"identity": 0}
    (place / "state.json").write_text(json.dumps(state))
    found = local_qwen.server()
    assert found.sign == "✓" and f"process {os.getpid()}" in found.seen and "ended" in found.seen


def test_an_endpoint_on_this_machine_where_nobody_listens_is_broken(monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("QWEN_LAB_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}/v1")
        assert "no server answers" not in examined(capsys)[1]["endpoint"]
    assert "no server answers" in examined(capsys)[1]["endpoint"]


def test_a_server_that_is_busy_is_not_called_stuck(learner, monkeypatch):
    path = learner / "own.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setenv("QWEN_LAB_GGUF", str(path))
    monkeypatch.setattr(local_qwen, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server_file.save(server_file.make(path), silent.getsockname()[1], "qwen")
        found = local_qwen.server()
    assert found.sign == "!" and "no token came" in found.seen


def test_a_folder_of_notes_that_is_not_there_is_told_beside_the_server(monkeypatch, capsys):
    monkeypatch.setenv("QWEN_LAB_NOTES", "no-notes")
    code, found = examined(capsys)
    assert code == 1 and "no-notes" in found["server"]


def test_little_memory_counts_only_where_the_local_qwen_does_not_run(monkeypatch):
    monkeypatch.setattr(free_memory, "free", lambda: (10**8, True))
    found = local_qwen.memory(settings.read())
    assert "container" in found.seen and found.sign == "✗"
    monkeypatch.setattr(local_qwen, "_state", lambda: SimpleNamespace(alive=True))
    assert local_qwen.memory(settings.read()).sign == "✓"


@pytest.mark.parametrize(
    ("name", "value", "sign"),
    [
        ("QWEN_LAB_ENDPOINT", "http://192.168.1.5:8000/compatible-mode/v1", "✓"),
        ("DASHSCOPE_API_KEY", KEY, "✓"),
        ("QWEN_LAB_ENDPOINT", "replay", "✓"),
        ("QWEN_LAB_ENDPOINT", " Local ", "✗"),
    ],
)
def test_a_computer_too_small_for_a_model_is_well_where_another_qwen_answers(
    name, value, sign, monkeypatch
):
    monkeypatch.setattr(free_memory, "free", lambda: (10**8, False))
    monkeypatch.setenv(name, value)
    found = local_qwen.memory(settings.read())
    assert found.sign == sign and "0.1 GB" in found.seen


def test_little_room_and_an_old_processor_are_said(monkeypatch):
    for free, sign in ((10**8, "✗"), (10**9, "!"), (10**10, "✓")):
        monkeypatch.setattr(
            machine.shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free)
        )
        assert machine.disk().sign == sign
    monkeypatch.setattr(machine.platform, "machine", lambda: "AMD64")
    for has, sign in ((True, "✓"), (False, "!")):
        monkeypatch.setattr(machine, "_has_avx2", lambda has=has: has)
        assert machine.processor().sign == sign
    monkeypatch.setattr(machine.struct, "calcsize", lambda _: 4)
    assert machine.python().sign == "✗"


def test_a_language_that_does_not_exist_is_said(monkeypatch):
    assert machine.language().sign == "✓"
    monkeypatch.setenv("QWEN_LAB_LANG", "de")
    assert machine.language().sign == "!" and "de" in machine.language().seen


def test_packages_are_held_against_the_lock(learner, monkeypatch):
    monkeypatch.setattr(paths, "is_checkout", lambda: True)
    paths.ROOT.mkdir()
    lock = paths.ROOT / "requirements.txt"
    lock.write_text("pytest==0.1 \\\n")
    assert software.locked().sign == "!"
    assert f"pytest {pytest.__version__} (0.1)" in software.locked().seen
    lock.write_text("pytest==0.1 \\\nno-such-thing==1 \\\n")
    assert software.locked().sign == "✗" and "1 of 2" in software.locked().seen
    lock.write_text("")
    assert software.locked().sign == "✓"


def test_a_package_that_is_too_old_for_the_lab_is_named(monkeypatch):
    assert software.locked().sign == "✓" and "ipykernel 7" in software.jupyter().seen
    real = software.metadata.version
    monkeypatch.setattr(
        software.metadata, "version", lambda name: "7.3.9" if name == "ipykernel" else real(name)
    )
    assert software.locked().sign == "✗" and "ipykernel 7.3.9 (≥ 7.4)" in software.locked().seen


def test_what_is_half_made_or_does_not_run_is_said(learner, monkeypatch):
    monkeypatch.setattr(paths, "is_checkout", lambda: True)
    monkeypatch.setattr(software.environment, "OWN", learner)
    assert "doesn't run" in software.place().seen
    (learner / "lib" / "python3.11" / "site-packages" / "some.dist-info").mkdir(parents=True)
    assert "half made" in software.place().seen


def test_a_check_that_fails_itself_does_not_keep_the_others_from_being_made(monkeypatch, capsys):
    def fail():
        raise RuntimeError("no\nluck")

    monkeypatch.setattr(machine, "processor", fail)
    code, found = examined(capsys)
    assert code == 1 and "RuntimeError: no luck" in found["processor"] and len(found) == 16


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_before_set_up_it_says_what_is_not_installed_and_begins_nothing(language, learner):
    root = paths.Path(paths.__file__).parents[1]
    command = [sys.executable, "-I", "-S", "-c", BARE, str(root), "doctor", "--lang", language]
    command += ["--report", "what-the-doctor-saw-on-my-computer.txt"]
    (learner / ".env").write_text(f"DASHSCOPE_API_KEY={KEY}\n")
    (learner / "gone").touch()
    around = os.environ | {"SSL_CERT_FILE": "nothing.pem", "PYTHONUTF8": "1", "COLUMNS": "80"}
    words.use(language)
    began = time.monotonic()
    done = subprocess.run(command, cwd=learner, env=around, capture_output=True, encoding="utf-8")
    assert time.monotonic() - began < 5
    assert done.returncode == 1 and not done.stderr
    for seen in ("dotenv", "nothing.pem", "python3 -m qwen_lab setup"):
        assert seen in done.stdout
    # Nothing is said of keys, which may stand in a file that nothing reads yet.
    for name in ("dotenv", "key", "endpoint"):
        label = words.say(f"doctor.name_{name}")
        assert re.search(f"^! {re.escape(label)}  +.*dotenv", done.stdout, re.M), name
    assert done.stdout.count("✗") >= 2 and KEY not in done.stdout
    assert all(table.width(line) <= 80 for line in done.stdout.splitlines())


def test_every_sentence_of_the_doctor_is_used_and_every_finding_has_one():
    folder = paths.Path(doctor.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    said = {each.value for each in ast.walk(ast.parse(code)) if isinstance(each, ast.Constant)}
    formed = r"name_|why_|proxy_(unusable|socks4|silent|unknown)|endpoint_(local|replay)|memory|see"
    for name in words.names("doctor"):
        assert {name, f"doctor.{name}"} & said or re.match(formed, name), name
    for key in re.findall(r'found\(\w+, "(\w+)"', code):
        assert key in words.names("doctor"), key


def test_a_terminal_without_these_signs_is_shown_others(monkeypatch):
    monkeypatch.setattr(doctor.sys, "stdout", SimpleNamespace(encoding="gbk"))
    assert doctor._printable("✓ ✗ → 千问") == "+ x > 千问"
    monkeypatch.setattr(doctor.sys, "stdout", SimpleNamespace(encoding="utf-8"))
    assert doctor._printable("✓") == "✓"


def test_the_own_path_of_weights_is_told_from_the_checked_one(learner, monkeypatch):
    monkeypatch.setattr(weights, "find", lambda: learner / "x.gguf")
    assert "official" in local_qwen.weights().seen
    monkeypatch.setenv("QWEN_LAB_GGUF", "x.gguf")
    assert local_qwen.weights().sign == "✗" and "cut short" in local_qwen.weights().seen
    monkeypatch.setattr(gguf, "is_whole", lambda path: True)
    assert local_qwen.weights().sign == "✓" and "isn't checked" in local_qwen.weights().seen


def test_a_home_that_cannot_be_written_comes_first_and_has_no_room_to_free(monkeypatch, capsys):
    # There nobody can write, not even root, and there is no room at all.
    monkeypatch.setenv("QWEN_LAB_HOME", "/proc/qwen-lab")
    code, found = examined(capsys)
    broken = [name for name, row in found.items() if row.startswith("✗")]
    assert code == 1 and broken[0] == "folders" and "/proc/qwen-lab" in found["folders"]
    assert "disk" not in broken and "/proc" not in found["disk"]


def test_all_folders_that_cannot_be_written_are_named(learner, monkeypatch):
    (learner / "file").touch()
    monkeypatch.setenv("QWEN_LAB_HOME", str(learner / "file" / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(learner / "file" / "cache"))
    found = machine.folders()
    assert found.sign == "✗" and "file/home" in found.seen and "file/cache" in found.seen
