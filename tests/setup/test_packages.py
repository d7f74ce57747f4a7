"""What is installed here, and what a person sees while the rest is."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from qwen_lab import __version__, paths
from qwen_lab.setup import packages
from qwen_lab.words import LabError


def distribution(folder, name, version, *, origin=None, installer="pip"):
    place = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    place.mkdir()
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if installer:
        (place / "INSTALLER").write_text(installer)
    if origin:
        direct = f'{{"url": "{origin.as_uri()}", "dir_info": {{"editable": true}}}}'
        (place / "direct_url.json").write_text(direct)
    return place


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of installed packages that Python sees first."""
    (folder := tmp_path / "site").mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """The lock of a checkout that lies in `tmp_path`."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    path = tmp_path / "requirements.txt"
    path.write_text("# made by uv\ntiny-lab==1.0 \\\n    --hash=sha256:00\n    # via nobody\n")
    return path


def test_pins_are_the_lines_without_a_marker(tmp_path):
    lock = tmp_path / "lock.txt"
    lock.write_text("one==1.0 \\\n    --hash=sha256:00\ntwo==2.0 ; os_name == 'nt' \\\nthree==3\n")
    assert packages.pins(lock) == {"one": "1.0", "three": "3"}


def test_an_environment_is_right_with_every_pin_and_this_checkout(site, lock, tmp_path):
    distribution(site, "tiny-lab", "1.0")
    distribution(site, "qwen-lab", __version__, origin=tmp_path)
    assert packages.are_right(lock)


@pytest.mark.parametrize("version", [None, "0.9"])
def test_a_missing_or_other_version_is_not_right(site, lock, tmp_path, version):
    if version:
        distribution(site, "tiny-lab", version)
    distribution(site, "qwen-lab", __version__, origin=tmp_path)
    assert not packages.are_right(lock)


def test_the_lab_installed_from_another_checkout_is_not_right(site, lock, tmp_path):
    distribution(site, "tiny-lab", "1.0")
    distribution(site, "qwen-lab", __version__, origin=tmp_path / "elsewhere")
    assert not packages.are_right(lock)


def test_the_lab_in_an_older_version_is_not_right(site, lock, tmp_path):
    distribution(site, "tiny-lab", "1.0")
    distribution(site, "qwen-lab", "0.0.1", origin=tmp_path)
    assert not packages.are_right(lock)


def test_a_checkout_with_a_space_and_chinese_in_its_path_is_recognised(
    site, lock, tmp_path, monkeypatch
):
    checkout = tmp_path / "我的 lab"
    monkeypatch.setattr(paths, "ROOT", checkout)
    distribution(site, "tiny-lab", "1.0")
    distribution(site, "qwen-lab", __version__, origin=checkout)
    assert packages.are_right(lock)


def test_what_an_interrupted_installer_left_is_seen(tmp_path):
    for site in ("lib/python3.12/site-packages", "Lib/site-packages"):
        (place := tmp_path / site).mkdir(parents=True)
        distribution(place, "whole", "1.0")
        assert not packages.half_made(tmp_path)
        half = distribution(place, "half", "1.0", installer=None)
        assert packages.half_made(tmp_path)
        (half / "INSTALLER").write_text("pip")


def without_pip(monkeypatch, *others):
    """An environment without pip; gives the commands that are run in it."""
    commands, present = [], packages.find_spec
    hide = lambda name: None if name in ("pip", *others) else present(name)  # noqa: E731
    monkeypatch.setattr(packages, "find_spec", hide)
    monkeypatch.setattr(packages, "run", lambda command, label, place: commands.append(command))
    return commands


def test_an_environment_without_pip_is_given_one_first(monkeypatch, lock):
    commands = without_pip(monkeypatch)
    packages.install(lock)
    assert [command[1:3] for command in commands] == [["-m", "ensurepip"]] + 2 * [["-m", "pip"]]
    assert "--require-hashes" in commands[1] and "--editable" in commands[2]


def test_an_environment_with_neither_pip_nor_ensurepip_says_so(monkeypatch, lock):
    without_pip(monkeypatch, "ensurepip")
    with pytest.raises(LabError) as caught:
        packages.install(lock)
    assert caught.value.key == "setup.no_pip" and sys.prefix in str(caught.value)


@pytest.mark.parametrize(
    ("last_words", "key"),
    [
        ("ERROR: [Errno 28] No space left on device", "setup.disk_full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "setup.wrong_hash"),
        ("NewConnectionError('… name resolution')", "setup.no_network"),
        ("ERROR: … OSError: Missing dependencies for SOCKS support.", "setup.no_socks"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "setup.cannot_write"),
        ("ERROR: something new", "setup.failed"),
    ],
)
def test_a_failure_shows_the_last_words_and_names_the_next_step(last_words, key, tmp_path):
    program = "import sys; print(*range(40), sys.argv[1], sep='\\n', file=sys.stderr); sys.exit(1)"
    with pytest.raises(LabError) as caught:
        packages.run([sys.executable, "-c", program, last_words], "Working", tmp_path)
    message = str(caught.value)
    assert caught.value.key == key
    assert last_words in message and "Next:" in message and "\n20\n" not in message


def test_what_a_step_does_says_and_took_goes_to_stderr(capfd, tmp_path):
    packages.run([sys.executable, "-c", "print('软件包')"], "Working", tmp_path)
    shown = capfd.readouterr()
    assert shown.err.splitlines() == ["Working …", "软件包", "Working: 0 s"] and shown.out == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_the_installer_too(tmp_path):
    sleeper = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); "
    sleeper += "time.sleep(60)"
    program = "import sys; from pathlib import Path; from qwen_lab.setup import packages; "
    program += "packages.run([sys.executable, '-c', sys.argv[1]], 'W', Path(sys.argv[2]))"
    command = [sys.executable, "-c", program, sleeper, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_pip_is_told_not_to_install_for_the_user_alone(monkeypatch, capfd, tmp_path):
    monkeypatch.setenv("PIP_USER", "1")
    packages.run([sys.executable, "-c", "import os; print(os.environ['PIP_USER'])"], "W", tmp_path)
    assert "\n0\n" in capfd.readouterr().err
