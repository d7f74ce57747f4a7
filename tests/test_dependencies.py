"""What is installed: by a learner, by the tests, by conda, and beside another JupyterLab."""

import json
import re
import shlex
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from qwen_lab.paths import ROOT
from qwen_lab.setup import arguments, commands
from qwen_lab.setup.packages import pins

LEARNER, TESTER = ROOT / "requirements.txt", ROOT / "requirements-test.txt"
GRADER, HUB = ROOT / "requirements-grading.txt", ROOT / "requirements-class.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CORE = [Requirement(line) for line in PROJECT["dependencies"]]
LAB = [Requirement(line) for line in PROJECT["optional-dependencies"]["lab"]]
CLASS = [Requirement(line) for line in PROJECT["optional-dependencies"]["class"]]
# The lab itself, with its extras, and the rig, or nbgrader.
THE_LAB, *TEST = [Requirement(line) for line in PROJECT["optional-dependencies"]["test"]]
_, *GRADING = [Requirement(line) for line in PROJECT["optional-dependencies"]["grading"]]


@pytest.mark.parametrize(
    ("lock", "needed"),
    [
        (LEARNER, [*CORE, *LAB]),
        (HUB, [*CORE, *LAB, *CLASS]),
        (TESTER, [*CORE, *LAB, *CLASS, *TEST]),
        (GRADER, [*CORE, *LAB, *GRADING]),
    ],
)
def test_every_dependency_is_locked_in_a_version_that_it_allows(lock, needed):
    locked = pins(lock)
    for requirement in needed:
        assert locked[canonicalize_name(requirement.name)] in requirement.specifier


@pytest.mark.parametrize("name", ["jupyterlab", "ipywidgets", "openai", "nbval", "python-dotenv"])
def test_a_learner_gets_each_of_the_five_packages(name):
    assert name in pins(LEARNER)
    assert name in {requirement.name for requirement in [*CORE, *LAB]}


def test_the_tests_build_on_what_a_learner_has():
    assert str(THE_LAB) == "qwen-lab[class,lab]"


def test_nothing_that_the_package_itself_needs_brings_a_jupyterlab_or_a_kernel():
    todo, found = [requirement.name for requirement in CORE], set()
    while todo:
        if (name := canonicalize_name(todo.pop())) not in found:
            found.add(name)
            needed = map(Requirement, metadata.requires(name) or [])
            todo += [each.name for each in needed if not each.marker or each.marker.evaluate()]
    assert {"ipywidgets", "traitlets"} <= found
    assert not {"jupyterlab", "jupyter-server", "ipykernel", "notebook", "nbval"} & found


@pytest.mark.parametrize("lock", [TESTER, HUB, GRADER])
def test_any_other_lock_is_the_learners_lock_and_more(lock):
    # Whole lines, so that markers and versions per platform agree too.
    learner, other = (
        set(re.findall(r"^[\w.-]+==[^\\\n]*", each.read_text(encoding="utf-8"), re.M))
        for each in (LEARNER, lock)
    )
    assert learner < other


def test_the_hubs_proxy_is_locked_with_a_hash_for_every_package_and_names_no_host():
    lock = (ROOT / "qwen_lab/classroom/proxy/package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(lock)["packages"]
    wanted = json.loads((ROOT / "qwen_lab/classroom/proxy/package.json").read_text("utf-8"))
    assert packages.pop("")["dependencies"] == wanted["dependencies"]
    assert len(packages) > 30
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
    assert "://" not in lock


@pytest.mark.parametrize("lock", [LEARNER, HUB, TESTER, GRADER])
def test_a_lock_has_a_hash_for_every_package_and_names_no_host(lock):
    content = lock.read_text(encoding="utf-8")
    for block in re.split(r"^(?=[\w.-]+==)", content, flags=re.M)[1:]:
        assert "--hash=sha256:" in block
    assert "://" not in content and "--index-url" not in content


def test_conda_takes_the_lock_and_names_nothing_twice():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    [from_pip] = [entry["pip"] for entry in listed if isinstance(entry, dict)]
    python, *others = [entry for entry in listed if isinstance(entry, str)]
    assert from_pip == ["-r requirements.txt"] and others == ["pip"]
    version = re.fullmatch(r"python=([\d.]+)", python)[1]
    assert version in SpecifierSet(PROJECT["requires-python"])


def test_a_container_is_made_ready_by_a_command_of_the_lab():
    content = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    described = json.loads(content)
    command = shlex.split(described["postCreateCommand"])
    assert command[:3] == ["python3", "-m", "qwen_lab"]
    assert callable(getattr(commands, arguments.read(command[3:]).command))
    version = re.fullmatch(r".*/python:([\d.]+)", described["image"])[1]
    assert version in SpecifierSet(PROJECT["requires-python"])
