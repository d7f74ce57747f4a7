"""A real JupyterHub with the lab's configuration, its proxy, Unix users, servers and kernels."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor
from html import escape
from importlib.util import find_spec
from pathlib import Path

import httpx2
import openai
import pytest
from openai import OpenAI

import qwen_lab
from qwen_lab import __version__
from qwen_lab.classroom import hub_door
from qwen_lab.classroom.config import Config
from qwen_lab.endpoint.app import BASE, create_app
from qwen_lab.endpoint.engine import End, Piece, Prompt
from qwen_lab.endpoint.learner import alone
from qwen_lab.lab import Lab
from qwen_lab.words import LabError
from tests import campus
from tests.classroom.test_door import certificate
from tests.conftest import TOKEN, FakeEngine, serving

# What clients do, once more by way of the hub's proxy: `lab` and `engine` are its here.
from tests.endpoint.test_clients import (  # noqa: F401
    curl,
    test_a_cancelled_task_stops_the_model,
    test_curl_gets_a_refusal,
    test_curl_gets_a_stream,
    test_curl_gets_an_answer,
    test_the_asynchronous_client_gets_an_answer_a_stream_and_a_refusal,
)

NAMES = ("Ada Lovelace", "小明", "O'Neil.3")
ASK = """
import qwen_lab, sys
from openai import OpenAI
lab = qwen_lab.connect({0})
client = OpenAI(base_url=lab.base_url, api_key=lab.api_key, max_retries=0)
messages = [{{"role": "user", "content": "{1}"}}]
for chunk in client.chat.completions.create(model=lab.model, messages=messages, stream=True):
    print(chunk.choices[0].delta.content, end="", flush=True)
"""
# The hub looks after its services twice a minute.
AGAIN = """
import openai, time
for _ in range(240):
    try:
        client.chat.completions.create(model=lab.model, messages=messages)
        print("went on")
        break
    except openai.APIError:
        time.sleep(0.5)
"""
PRY = """
import os, pwd
print(pwd.getpwuid(os.getuid()).pw_name)
for path in ("{0}/hub", "{0}/class", "/home/{1}", "/proc/{2}/environ"):
    try:
        open(path) if "proc" in path else os.listdir(path)
        print("READ", path)
    except PermissionError:
        pass
"""


class SlowEngine(FakeEngine):
    """With no reply left it writes five words, a third of a second apart, whoever asks."""

    async def generate(self, request, seed, alone):
        if not self.replies:
            pieces = [part for number in range(5) for part in (0.3, Piece(f"word{number} "))]
            self.replies.append([Prompt(5), *pieces, End("stop", 5, 5, 0)])
        async for event in super().generate(request, seed, alone):
            yield event


def need_root():
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and find_spec("jupyterhub")):
        reason = "a hub takes root and JupyterHub"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture(scope="module")
def computer():
    """A hub with three learners, before a model that writes slowly."""
    need_root()
    scratch, engine = Path(tempfile.mkdtemp(dir="/var/tmp")), SlowEngine()
    with (
        pytest.MonkeyPatch.context() as shell,
        serving(create_app(engine, alone(TOKEN))) as at,
    ):
        shell.setenv("QWEN_LAB_UPSTREAM_KEY", TOKEN)
        shell.setenv("QWEN_LAB_LANG", "zh")
        upstream = ("--upstream", f"http://127.0.0.1:{at}{BASE}", "fake-qwen")
        with campus.hub(scratch, *NAMES, "--make-users", *upstream) as computer:
            computer.engine, computer.upstream = engine, at
            computer.paper = [*computer.codes.items()]
            yield computer
    shutil.rmtree(scratch, ignore_errors=True)


@pytest.fixture(scope="module")
def learners(computer):
    """All three, logged in at once, by their names as they type them."""
    codes = computer.codes
    typed = {"ada lovelace": NAMES[0], " 小明 ": NAMES[1], "o'neil.3": NAMES[2]}
    with ThreadPoolExecutor() as pool:
        return [*pool.map(lambda name: computer.log_in(name, codes[typed[name]]), typed)]


@pytest.fixture(scope="module")
def kernels(learners):
    """Two of them with a server and a kernel each."""
    with ThreadPoolExecutor() as pool:
        return [*pool.map(lambda learner: learner.start(), learners[:2])]


@pytest.fixture
def engine(computer):
    """The model behind the class, for one test to say what it writes."""
    engine = computer.engine
    engine.replies.clear(), engine.calls.clear(), engine.stopped.clear()
    return engine


@pytest.fixture
def lab(computer, learners):
    """The class as a learner's programs reach it from elsewhere: by the hub's proxy."""
    url = f"{computer.url}/services/qwen{BASE}"
    return Lab(url, "fake-qwen", "class", learners[0].token()["token"])


def client(computer, token):
    url = f"{computer.url}/services/qwen{BASE}"
    http = httpx2.Client(verify=computer.trust, trust_env=False, timeout=300)
    computer.clients.append(http)
    return OpenAI(base_url=url, api_key=token, max_retries=0, http_client=http)


def ask(client, text="你好", **fields):
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="fake-qwen", messages=messages, **fields)


def test_learners_log_in_by_the_names_on_their_sheet_whatever_these_hold(computer, learners):
    assert [each.account for each in learners] == ["ada-lovelace", "learner", "o-neil-3"]
    sheet = computer.path(f"{campus.HOME}/hub/sheet.html").read_text(encoding="utf-8")
    for name, code in computer.codes.items():
        assert escape(name) in sheet and code in sheet
        assert code not in "".join(computer.said)
    assert computer.url in sheet and "127.0.0.1" in computer.said[1]


def test_thirty_who_log_in_at_once_are_all_let_in(computer):
    with ThreadPoolExecutor(30) as pool:
        came = [*pool.map(computer.log_in, 10 * NAMES)]
    assert [each.account for each in came] == 10 * ["ada-lovelace", "learner", "o-neil-3"]


def test_a_wrong_password_or_a_user_who_is_no_learner_is_not_let_in(computer):
    with ThreadPoolExecutor() as pool:
        for came in pool.map(
            lambda name: computer.log_in(name, "x"), ["小明", "root", "nobody", ""]
        ):
            assert came.page.status_code == 403 and came.account is None


def test_a_learner_asks_from_a_lesson_and_the_answer_comes_piece_by_piece(kernels):
    for kernel, choice in zip(kernels, ("", "'local'"), strict=True):
        printed = kernel.run(ASK.format(choice, kernel.account))
        said = "".join(text for _, text in printed)
        assert "word0 word1 word2 word3 word4" in said
        # From the first word to the last.
        times = [at for at, text in printed if "word" in text]
        assert len(times) >= 4 and times[-1] - times[0] > 0.8


def test_the_lessons_lie_in_the_learners_home_and_the_first_is_what_opens(learners, kernels):
    kernel = kernels[0]
    listed = kernel.http.get("/contents/my_lessons/zh").json()["content"]
    assert len(listed) == 8
    page = learners[0].http.get(f"/user/{kernel.account}/", follow_redirects=True)
    assert page.url.path.endswith("/lab/tree/my_lessons/zh/01_basic_call.ipynb")


def test_nobody_runs_as_root_but_the_hub_and_no_learner_reads_what_is_another_s(computer, kernels):
    [service] = computer.running("classroom.service")
    assert service.uids().real != 0 and len({*service.uids()}) == 1
    status = Path(f"/proc/{service.pid}/status").read_text()
    # Its number on its own computer.
    number = re.search(r"^NSpid:.*\t(\d+)$", status, re.M)[1]
    for kernel, other in (kernels, kernels[::-1]):
        printed = kernel.run(PRY.format(campus.HOME, other.account, number))
        assert "".join(text for _, text in printed).split() == [kernel.account]


def test_only_a_token_that_is_for_it_opens_the_qwen(computer, learners):
    ada = learners[0]
    good = client(computer, ada.token()["token"])
    assert ask(good).choices[0].message.content.startswith("word0")
    foreign = ada.token("access:servers!user=ada-lovelace")["token"]
    revoked = ada.token()
    ada.api("DELETE", f"tokens/{revoked['id']}")
    [service] = computer.running("classroom.service")
    own = service.environ()["JUPYTERHUB_API_TOKEN"]
    for token in ("wrong", foreign, revoked["token"], own):
        with pytest.raises(openai.AuthenticationError):
            ask(client(computer, token))
    logs = [*computer.path(f"{campus.HOME}/hub").glob("*.log")]
    logs += computer.path(f"{campus.HOME}/class").glob("*.log")
    told = "".join(log.read_text(encoding="utf-8") for log in logs)
    assert len(logs) == 2 and not [
        each for each in (foreign, own, revoked["token"]) if each in told
    ]


def test_the_teacher_sees_the_learners_by_their_names_and_no_learner_the_page(computer, kernels):
    kernels[0].run(ASK.format("", "seen"))
    kernels[0].run("from qwen_lab import report")
    kernels[0].run("report.exercise('01.1', 'wrong'); report._end()")
    link = computer.path(f"{campus.HOME}/class/teacher.html").read_text(encoding="utf-8")
    url, token = re.search(r'href="(http://127.0.0.1:\d+/)#([\w-]+)"', link).groups()
    headers = {"authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=url, headers=headers, trust_env=False) as page:
        found = page.get("/overview").json()["learners"]
        assert [each["name"] for each in found] == [*NAMES]
        assert found[0]["exercises"] == {"01.1": ["wrong", 1]} and found[0]["used"] > 0
        assert NAMES[1] in page.get("/csv").content.decode("utf-8-sig")
        assert page.post("/reset", json=NAMES[0]).status_code == 200
        assert page.get("/overview").json()["learners"][0]["used"] == 0
    # A learner's program comes to its port, and there to nothing.
    tried = f"""
        import os, httpx2
        key = {{"authorization": "Bearer " + os.environ["JUPYTERHUB_API_TOKEN"]}}
        for path in ("overview", "csv"):
            print(httpx2.get("{url}" + path, headers=key, trust_env=False).status_code)
    """
    said = "".join(text for _, text in kernels[1].run(textwrap.dedent(tried)))
    assert said.split() == ["401", "401"]
    outside = httpx2.get(f"{computer.url}/services/qwen/overview", headers=headers, trust_env=False)
    assert outside.status_code == 404


def test_a_home_that_is_full_is_one_sentence_and_the_others_go_on(computer, learners, kernels):
    full, home = learners[2], f"/home/{learners[2].account}"
    small = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", home]
    inside = ["nsenter", "--mount", "--target", str(computer.first.pid)]
    subprocess.run([*inside, *small], check=True)
    page = full.http.get(f"/hub/spawn/{full.account}", follow_redirects=True)
    assert "磁盘满了" in page.text and "Traceback" not in page.text
    subprocess.run([*inside, "umount", home], check=True)
    assert "word0" in "".join(text for _, text in kernels[0].run(ASK.format("", "more")))


def test_from_elsewhere_the_class_is_found_by_the_hubs_address_and_a_token(computer, learners):
    url = f"{computer.url}/services/qwen{BASE}"
    lab = qwen_lab.connect(url, code=learners[2].token()["token"])
    assert (lab.kind, lab.model) == ("class", "fake-qwen")
    assert lab.search("How many golds did China win in Paris?")


@pytest.mark.parametrize(("home", "told"), [(campus.HOME, "已经"), ("/home/other", "8000")])
def test_a_second_hub_and_a_port_that_is_taken_are_told(home, told, computer):
    there = ["nsenter", "--mount", "--pid", "--target", str(computer.first.pid)]
    around = os.environ | {"QWEN_LAB_HOME": home, "QWEN_LAB_LANG": "zh"}
    command = [*there, sys.executable, "-c", campus.RUN, "Eve"]
    ended = subprocess.run(command, env=around, capture_output=True, encoding="utf-8")
    assert ended.returncode and told in ended.stderr


def test_while_the_hub_hangs_who_was_here_goes_on_and_nobody_new_comes_in(computer, learners):
    known, new = (client(computer, learners[0].token()["token"]) for _ in range(2))
    assert ask(known, "before").choices
    [hub] = computer.running("-m jupyterhub")
    hub.suspend()
    try:
        assert ask(known, "meanwhile").choices
        with pytest.raises(openai.InternalServerError) as caught:
            ask(new, "meanwhile")
        assert caught.value.status_code == 503
    finally:
        hub.resume()
    assert ask(new, "after").choices


def test_the_service_is_killed_and_learners_go_on_with_the_clients_that_they_have(
    computer, kernels
):
    kernel = kernels[0]
    kernel.run(ASK.format("", "before"))
    [service] = computer.running("classroom.service")
    service.kill()
    assert "went on" in "".join(text for _, text in kernel.run(AGAIN))
    [other] = computer.running("classroom.service")
    assert other.pid != service.pid


@pytest.fixture(scope="module")
def again(computer, learners, tmp_path_factory):
    """The hub at its next start: the second learner has no seat, and there is a certificate."""
    folder, disk, address = tmp_path_factory.mktemp("again"), computer.disk, "127.0.0.2"
    pair, token = certificate(folder, address), learners[1].token()["token"]
    assert ask(client(computer, token), "before").choices
    assert "--remove learner" in campus.command(disk, "--remove", NAMES[1])
    computer.first.kill()
    upstream = ("--upstream", f"http://127.0.0.1:{computer.upstream}{BASE}", "fake-qwen")
    told = (*upstream, "--make-users", "--address", address, *pair)
    with campus.hub(folder, *told, disk=disk, trusted=pair[1]) as again:
        again.token = token
        yield again
    os.close(disk)


def test_who_has_no_seat_is_out_at_the_next_start(computer, learners, again):
    assert {*again.codes} == {*NAMES} - {NAMES[1]}
    assert again.log_in(*computer.paper[1]).account is None
    # Neither by what is left of an earlier time.
    with pytest.raises(openai.AuthenticationError):
        ask(client(again, again.token), "after")
    for learner, name in zip(learners, ("ada-lovelace", None, "o-neil-3"), strict=True):
        cookies = "; ".join(f"{each.name}={each.value}" for each in learner.http.cookies.jar)
        asked = {"headers": {"cookie": cookies}, "verify": again.trust, "trust_env": False}
        assert httpx2.get(f"{again.url}/hub/api/user", **asked).json().get("name") == name


def test_with_a_certificate_learners_their_programs_and_the_teacher_come_by_https(again):
    assert again.url == "https://127.0.0.2:8000"
    ada = again.log_in(NAMES[0])
    opens = [each for each in ada.http.cookies.jar if each.name != "_xsrf"]
    assert ada.account and opens and all(each.secure for each in opens)
    assert "word0" in "".join(text for _, text in ada.start().run(ASK.format("", "inside")))
    stream = ask(client(again, ada.token()["token"]), "from elsewhere", stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream).startswith("word0")
    link = again.path(f"{campus.HOME}/class/teacher.html").read_text(encoding="utf-8")
    url, token = re.search(r'href="(https://127.0.0.2:\d+/)#([\w-]+)"', link).groups()
    asked = {"headers": {"authorization": f"Bearer {token}"}, "trust_env": False}
    found = httpx2.get(f"{url}overview", verify=again.trust, **asked).json()["learners"]
    assert {each["name"] for each in found} >= {*again.codes}
    with pytest.raises(httpx2.ConnectError, match="certificate"):
        httpx2.get(f"{url}overview", **asked)


def test_a_hub_that_is_killed_is_told_and_then_all_can_be_forgotten(again):
    disk, [hub] = again.disk, again.running("-m jupyterhub")
    with pytest.raises(subprocess.CalledProcessError):
        campus.command(disk, "--forget")
    hub.kill()
    assert "JupyterHub 自己结束了" in again.process.stderr.read() and again.process.wait()
    assert "ada-lovelace learner o-neil-3" in campus.command(disk, "--forget")
    inside = ["nsenter", f"--mount=/proc/self/fd/{disk}", "ls", "-A"]
    folders = [f"{campus.HOME}/{name}" for name in ("hub", "class")]
    left = subprocess.check_output([*inside, *folders], pass_fds=[disk], encoding="utf-8")
    os.close(disk)
    assert {*left.split()} - {f"{each}:" for each in folders} == {"lock", f"proxy-{__version__}"}


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """Why a hub is not opened; gives its `LabError`."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(hub_door, "find_spec", lambda name: True)
    monkeypatch.setattr(hub_door, "CONFIG", Path("/"))
    monkeypatch.setattr(sys, "executable", "/")

    def refused():
        with pytest.raises(LabError) as caught:
            hub_door.hold(["Ada"], Config())
        return caught.value

    return refused


def test_without_root_or_jupyterhub_there_is_no_hub(refused, monkeypatch):
    monkeypatch.setattr(hub_door, "find_spec", lambda name: None)
    assert refused().key == "classroom.hub_missing"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert refused().key == "classroom.hub_root"


def test_a_lab_where_learners_may_not_read_is_refused_and_what_keeps_them_out_named(
    refused, tmp_path, monkeypatch
):
    closed = tmp_path / "home"
    (closed / "lab").mkdir(parents=True)
    tmp_path.chmod(0o755)
    closed.chmod(0o700)
    monkeypatch.setattr(hub_door, "CONFIG", closed / "lab")
    error = refused()
    assert error.key == "classroom.hub_closed" and f"{closed} keeps others out" in str(error)


def test_keys_that_learners_could_read_are_told_before_anything_opens(
    refused, tmp_path, monkeypatch
):
    monkeypatch.setattr(hub_door, "ROOT", tmp_path)
    (tmp_path / ".env").write_text("DASHSCOPE_API_KEY=x")
    (tmp_path / ".env").chmod(0o644)
    assert refused().key == "classroom.hub_secrets"
