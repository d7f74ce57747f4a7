"""Which Python runs the lab, from a fresh machine to the second run."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from qwen_lab import __main__, __version__, paths
from qwen_lab.paths import ROOT
from qwen_lab.setup import commands, environment, packages
from qwen_lab.words import LabError

BASE_PYTHON = sys._base_executable
WHERE = """
import sys
from .arguments import takes

@takes()
def setup(options):
    print(sys.prefix, *sys.argv[1:])
"""


@pytest.fixture
def checkout(tmp_path):
    """A small checkout: the real set-up, no dependencies, and a `setup` that says where it is."""
    package = tmp_path / "我的 lab" / "qwen_lab"
    (package / "setup").mkdir(parents=True)
    for name in ("__init__", "__main__", "dotfile", "network", "paths", "settings", "words"):
        shutil.copy(ROOT / "qwen_lab" / f"{name}.py", package)
    for name in ("__init__", "arguments", "environment", "packages"):
        shutil.copy(ROOT / "qwen_lab" / "setup" / f"{name}.py", package / "setup")
    for table in ("dotfile.toml", "setup/packages.toml"):
        shutil.copy(ROOT / "qwen_lab" / table, package / table)
    shutil.copytree(ROOT / "qwen_lab" / "words", package / "words")
    (package / "setup" / "commands.py").write_text(WHERE)
    (package.parent / "README.md").touch()
    (package.parent / "notebooks").mkdir()
    shutil.copy(ROOT / "pyproject.toml", package.parent)
    shutil.copy(ROOT / "LICENSE", package.parent)
    (package.parent / "requirements.txt").touch()
    return package.parent


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A place for `.venv`, and the quickest way to make one."""
    monkeypatch.setattr(environment, "OWN", tmp_path / ".venv")
    maker = [BASE_PYTHON, "-m", "venv", "--without-pip"]
    monkeypatch.setattr(environment, "_maker", lambda: maker)
    return tmp_path / ".venv"


def run(checkout, *arguments):
    command = [BASE_PYTHON, "-m", "qwen_lab", *arguments]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, encoding="utf-8")


def put_the_lab_into(checkout):
    """What installing the lab leaves in the checkout's `.venv`, without the installer."""
    variables = {"base": str(checkout / ".venv"), "platbase": str(checkout / ".venv")}
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else None
    place = Path(sysconfig.get_path("purelib", scheme, variables))
    info = place / f"qwen_lab-{__version__}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: qwen-lab\nVersion: {__version__}\n")
    (info / "INSTALLER").write_text("pip")
    origin = f'{{"url": "{checkout.as_uri()}", "dir_info": {{"editable": true}}}}'
    (info / "direct_url.json").write_text(origin)


def block(name):
    """A package's lines in the lock: its pin and its hashes."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return re.search(rf"^{name}==.*?(?=^[\w])", lock, re.M | re.S)[0]


def test_a_ready_environment_beside_the_checkout_takes_over_with_the_same_arguments(checkout):
    subprocess.run([BASE_PYTHON, "-m", "venv", "--without-pip", checkout / ".venv"], check=True)
    put_the_lab_into(checkout)
    result = run(checkout, "setup", "--lang", "zh")
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.split(".venv")[1].split() == ["setup", "--lang", "zh"]


@pytest.mark.network
def test_the_doctor_goes_on_in_an_environment_that_is_there_and_makes_none(monkeypatch, own):
    went = []
    monkeypatch.setattr(environment, "_go_on_in", went.append)
    monkeypatch.setattr(environment, "is_activated", lambda: False)
    environment.use_own()
    assert not went and not own.exists()
    python = environment.own_python()
    environment.use_own()
    assert went == [python]


def test_the_first_run_builds_the_environment_and_the_second_only_uses_it(checkout):
    names = ["hatchling", "packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers"]
    lock = "".join(block(name) for name in names)
    (checkout / "requirements.txt").write_text(lock)
    first = run(checkout, "setup")
    assert first.returncode == 0 and ".venv" in first.stdout, first.stderr
    assert "Installing 6 packages" in first.stderr
    second = run(checkout, "setup")
    assert second.stdout == first.stdout and second.stderr == ""


def test_status_and_doctor_only_look(monkeypatch):
    monkeypatch.setattr(environment, "ensure", None)
    for command in __main__.LOOKS:
        monkeypatch.setattr(commands, command, lambda options: 0)
        assert __main__._run([command]) == 0


def test_an_installed_wheel_goes_on_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(packages, "are_right", None)
    environment.ensure()


def test_a_right_environment_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(packages, "are_right", lambda lock: True)
    monkeypatch.setattr(packages, "install", None)
    environment.ensure()


def test_an_activated_environment_is_completed_and_no_second_one_made(monkeypatch, own, capsys):
    asked = []
    monkeypatch.setattr(packages, "are_right", lambda lock: False)
    monkeypatch.setattr(packages, "install", lambda lock: asked.append(lock.name))
    monkeypatch.setattr(environment, "is_activated", lambda: True)
    environment.ensure()
    environment.ensure("-test")
    assert asked == ["requirements.txt", "requirements-test.txt"] and not own.exists()
    assert f"Your active environment, {sys.prefix}" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "counts"), [("lessons", True), ("base", False), (None, False)])
def test_a_conda_environment_counts_unless_it_is_base(monkeypatch, name, counts):
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.setenv("CONDA_PREFIX", sys.prefix)
    monkeypatch.delenv("CONDA_DEFAULT_ENV", raising=False)
    if name:
        monkeypatch.setenv("CONDA_DEFAULT_ENV", name)
    assert environment.is_activated() is counts


def test_another_python_than_the_active_conda_environments_is_not_activated(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.setenv("CONDA_PREFIX", str(tmp_path))
    monkeypatch.setenv("CONDA_DEFAULT_ENV", "lessons")
    assert not environment.is_activated()


def test_a_half_made_environment_is_made_anew(own):
    (own / "lib").mkdir(parents=True)
    (own / "lib" / "rest").touch()
    python = environment.own_python()
    assert subprocess.run([python, "-c", "pass"]).returncode == 0
    assert not (own / "lib" / "rest").exists()


def test_an_environment_that_lost_its_settings_is_made_anew(own):
    environment.own_python()
    (own / "pyvenv.cfg").unlink()
    environment.own_python()
    assert (own / "pyvenv.cfg").is_file()


def test_an_environment_with_a_half_made_package_is_made_anew(own):
    environment.own_python()
    [site] = own.glob("[Ll]ib/**/site-packages")
    (site / "tiny_lab-1.0.dist-info").mkdir()
    (own / "mine").touch()
    environment.own_python()
    assert not (own / "mine").exists() and not list(site.glob("tiny*"))


def test_a_half_made_environment_that_runs_leaves_its_making_to_the_python_outside(monkeypatch):
    gone_on = []
    monkeypatch.setattr(environment, "is_own", lambda: True)
    monkeypatch.setattr(packages, "half_made", lambda place: True)
    monkeypatch.setattr(packages, "are_right", lambda lock: True)
    monkeypatch.setattr(environment, "_go_on_in", gone_on.append)
    environment.ensure()
    assert gone_on == [Path(BASE_PYTHON)]


def test_a_learners_own_environment_is_never_removed(monkeypatch, own):
    monkeypatch.setattr(packages, "half_made", lambda place: True)
    monkeypatch.setattr(packages, "are_right", lambda lock: False)
    monkeypatch.setattr(packages, "install", lambda lock: None)
    monkeypatch.setattr(environment, "is_activated", lambda: True)
    monkeypatch.setattr(shutil, "rmtree", None)
    monkeypatch.setattr(environment, "_go_on_in", None)
    environment.ensure()
    assert Path(sys.prefix).is_dir()


def test_an_environment_that_runs_is_kept(own):
    environment.own_python()
    (own / "mine").touch()
    environment.own_python()
    assert (own / "mine").exists()


def test_without_ensurepip_the_message_says_what_to_install(monkeypatch):
    present = environment.find_spec
    monkeypatch.setattr(environment, "find_spec", lambda n: n != "ensurepip" and present(n))
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    with pytest.raises(LabError, match=f"apt install {package}`.*python.org.*conda"):
        environment._maker()


def test_an_old_python_is_told_so_in_both_languages(monkeypatch):
    from qwen_lab import __main__

    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    with pytest.raises(SystemExit) as caught:
        __main__.main()
    assert "this is Python 3.9." in caught.value.code and "需要 Python 3.11" in caught.value.code


def test_a_child_is_given_the_time_to_end_after_ctrl_c():
    class Child:
        waited = 0

        def wait(self):
            self.waited += 1
            if self.waited == 1:
                raise KeyboardInterrupt
            return 3

    assert environment.wait_for(Child()) == 3
