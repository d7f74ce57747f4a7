"""What is installed here, and what a person sees while the rest is."""

import sys

import pytest

from qwen_lab import __version__
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
def lock(tmp_path):
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
    assert packages.are_right(lock, tmp_path)


@pytest.mark.parametrize("version", [None, "0.9"])
def test_a_missing_or_other_version_is_not_right(site, lock, tmp_path, version):
    if version:
        distribution(site, "tiny-lab", version)
    distribution(site, "qwen-lab", __version__, origin=tmp_path)
    assert not packages.are_right(lock, tmp_path)


def test_the_lab_installed_from_another_checkout_is_not_right(site, lock, tmp_path):
    distribution(site, "tiny-lab", "1.0")
    distribution(site, "qwen-lab", __version__, origin=tmp_path / "elsewhere")
    assert not packages.are_right(lock, tmp_path)


def test_the_lab_in_an_older_version_is_not_right(site, lock, tmp_path):
    distribution(site, "tiny-lab", "1.0")
    distribution(site, "qwen-lab", "0.0.1", origin=tmp_path)
    assert not packages.are_right(lock, tmp_path)


def test_a_checkout_with_a_space_and_chinese_in_its_path_is_recognised(site, lock, tmp_path):
    checkout = tmp_path / "我的 lab"
    distribution(site, "tiny-lab", "1.0")
    distribution(site, "qwen-lab", __version__, origin=checkout)
    assert packages.are_right(lock, checkout)


def test_what_an_interrupted_installer_left_is_dropped_and_the_rest_kept(site, monkeypatch):
    monkeypatch.setattr(packages.sysconfig, "get_path", lambda name: str(site))
    whole = distribution(site, "whole", "1.0")
    half = distribution(site, "half", "1.0", installer=None)
    assert packages.half_made() == [half]
    packages.drop_half_made()
    assert whole.exists() and not half.exists()


def test_an_environment_without_pip_is_given_to_uv(monkeypatch):
    monkeypatch.setattr(packages, "_version", lambda name: None)
    monkeypatch.setattr(packages, "uv", lambda: ["/somewhere/uv"])
    command = packages._installer()
    assert command[:5] == ["/somewhere/uv", "pip", "install", "--python", sys.executable]
    assert "--require-hashes" in command


def test_an_environment_with_neither_pip_nor_uv_nor_ensurepip_says_so(monkeypatch):
    monkeypatch.setattr(packages, "_version", lambda name: None)
    monkeypatch.setattr(packages, "uv", lambda: [])
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    with pytest.raises(LabError) as caught:
        packages._installer()
    assert caught.value.key == "setup.no_pip" and sys.prefix in str(caught.value)


@pytest.mark.parametrize(
    ("last_words", "key"),
    [
        ("ERROR: [Errno 28] No space left on device", "setup.disk_full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "setup.wrong_hash"),
        ("NewConnectionError('… name resolution')", "setup.no_network"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "setup.cannot_write"),
        ("ERROR: something new", "setup.failed"),
    ],
)
def test_a_failure_shows_the_last_words_and_names_the_next_step(last_words, key, tmp_path):
    program = "import sys; [print(n) for n in range(40)]; print(sys.argv[1]); sys.exit(1)"
    with pytest.raises(LabError) as caught:
        packages.follow([sys.executable, "-c", program, last_words], "Working", tmp_path)
    message = str(caught.value)
    assert caught.value.key == key
    assert last_words in message and "Next:" in message and "\n20\n" not in message


def test_off_a_terminal_only_the_start_and_the_end_are_written(capsys, tmp_path):
    packages.follow([sys.executable, "-c", "print(1)"], "Working", tmp_path, lambda lines: "busy")
    shown = capsys.readouterr()
    assert shown.err == "Working …\nWorking: 0 s\n" and shown.out == ""


def test_ctrl_c_ends_the_installer_too(monkeypatch, tmp_path):
    started = []
    piped = packages._piped
    monkeypatch.setattr(packages, "_piped", lambda c: started.append(piped(c)) or started[0])

    def interrupt(lines):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        packages.follow(
            [sys.executable, "-c", "import time; time.sleep(60)"], "W", tmp_path, interrupt
        )
    assert started[0].wait(timeout=10) != 0


def test_the_living_line_follows_pip_from_package_to_package():
    wanted = {"one": "1", "jupyter-core": "2", "three": "3"}
    lines = ["Ignoring x: markers\n", "Collecting one==1 (from -r r.txt (line 1))\n"]
    assert packages._progress(lines, wanted) == "Fetching packages, 1/3: one"
    lines += ["Processing /files/jupyter_core-2.0-py3.whl (from …)\n"]
    lines += ["  Downloading jupyter_core-2.0-py3.whl (16.8 MB)\n"]
    assert packages._progress(lines, wanted) == "Fetching packages, 2/3: jupyter-core (16.8 MB)"
    lines += ["Installing collected packages: one\n", "  Attempting uninstall: pip\n"]
    assert packages._progress(lines, wanted) == "Unpacking 3 packages"


def test_the_living_line_never_wraps_even_in_chinese(monkeypatch):
    size = packages.os.terminal_size((20, 5))
    monkeypatch.setattr(packages.shutil, "get_terminal_size", lambda: size)
    line = packages._Line("start")
    assert line._fit("软件" * 20) == "软件软件软件软件软"
    assert line._fit("one") == "one" + " " * 16


def test_uv_is_found_on_the_path(monkeypatch, tmp_path):
    monkeypatch.setattr(packages.shutil, "which", lambda name: f"/bin/{name}")
    assert packages.uv() == ["/bin/uv"]


def test_pip_is_told_not_to_install_for_the_user_alone(monkeypatch):
    monkeypatch.setenv("PIP_USER", "1")
    program = "import os; print(os.environ['PIP_USER'])"
    with packages._piped([sys.executable, "-c", program]) as process:
        assert process.stdout.read().strip() == "0"
