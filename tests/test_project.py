"""What must agree across files: dependencies, words, style, and the package's public face."""

import ast
import pkgutil
import re
import string
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import qwen_lab
from qwen_lab import words
from qwen_lab.paths import ROOT
from qwen_lab.setup.packages import pins

LEARNER, TESTER = ROOT / "requirements.txt", ROOT / "requirements-test.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDED = [Requirement(line) for line in PROJECT["dependencies"]]
NEEDED_BY_TESTS = [Requirement(line) for line in PROJECT["optional-dependencies"]["test"]]


def sentences(language):
    """Every sentence of a language, by "topic.name"."""
    return {
        f"{path.stem}.{name}": sentence
        for path in (words.WORDS / language).glob("*.toml")
        for name, sentence in tomllib.loads(path.read_text(encoding="utf-8")).items()
    }


def placeholders(sentence):
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name)


@pytest.mark.parametrize(
    ("lock", "needed"), [(LEARNER, NEEDED), (TESTER, [*NEEDED, *NEEDED_BY_TESTS])]
)
def test_every_dependency_is_locked_in_a_version_that_it_allows(lock, needed):
    locked = pins(lock)
    for requirement in needed:
        assert locked[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_tests_lock_is_the_learners_lock_and_more():
    # Whole lines, so that markers and versions per platform agree too.
    learner, tester = (
        set(re.findall(r"^[\w.-]+==[^\\\n]*", lock.read_text(encoding="utf-8"), re.M))
        for lock in (LEARNER, TESTER)
    )
    assert learner < tester


@pytest.mark.parametrize("lock", [LEARNER, TESTER])
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


def test_both_languages_have_the_same_words_with_the_same_placeholders():
    english, chinese = sentences("en"), sentences("zh")
    assert english.keys() == chinese.keys()
    for key, sentence in english.items():
        assert placeholders(sentence) == placeholders(chinese[key]), key


def test_every_sentence_that_the_code_asks_for_exists():
    topics = "|".join({key.split(".")[0] for key in sentences("en")})
    for path in (ROOT / "qwen_lab").rglob("*.py"):
        code = path.read_text(encoding="utf-8")
        asked = re.findall(rf'(?:say|LabError)\(\s*"((?:{topics})\.\w+)"', code)
        assert set(asked) <= sentences("en").keys(), path.name


@pytest.mark.parametrize("check", [["format", "--check"], ["check"]])
def test_ruff_has_nothing_to_say(check):
    command = [sys.executable, "-m", "ruff", *check, "--no-cache", str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert result.returncode == 0, result.stdout


def test_importing_the_package_imports_nothing_heavy():
    program = "import sys; before = set(sys.modules); import qwen_lab; from qwen_lab import words; "
    program += "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    shown = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    loaded = set(shown.stdout.split())
    assert "qwen_lab" in loaded and loaded <= sys.stdlib_module_names | {"qwen_lab"}


def test_set_up_needs_the_standard_library_alone():
    program = "import sys; sys.path.insert(0, sys.argv[1]); from qwen_lab import __main__, "
    program += "words; from qwen_lab.setup import arguments, environment; "
    program += "from qwen_lab.course import lessons; print(*sys.modules)"
    command = [sys.executable, "-S", "-c", program, str(ROOT)]
    shown = subprocess.run(command, capture_output=True, text=True)
    assert shown.returncode == 0 and "qwen_lab.setup.packages" in shown.stdout, shown.stderr


def test_the_public_names_are_sorted_and_each_can_be_had():
    assert qwen_lab.__all__ == sorted(qwen_lab.__all__) == dir(qwen_lab)
    for name in qwen_lab.__all__:
        # A class is called as the function that it once was: `qwen_lab.sweep` is `Sweep`.
        assert getattr(qwen_lab, name).__name__.split(".")[-1].lower() == name.lower()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = qwen_lab.nothing


def test_a_public_name_stays_what_it_is_whatever_else_is_imported():
    # A module of the same name would take its place the moment it is imported.
    modules = {name for _, name, _ in pkgutil.iter_modules(qwen_lab.__path__)}
    assert modules & set(qwen_lab.__all__) == {"checks"}


def test_a_star_brings_every_public_name():
    names = {}
    exec("from qwen_lab import *", names)
    assert names.keys() - {"__builtins__"} == set(qwen_lab.__all__)
    assert isinstance(names["sweep"], type) and callable(names["connect"])


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_the_first_files_can_be_read_by_python_3_8(name):
    # Else the learner with an old Python sees a traceback before the sentence about it.
    source = (ROOT / "qwen_lab" / name).read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(source, feature_version=(3, 8))))
    annotations = [n.returns for n in nodes if isinstance(n, ast.FunctionDef) and n.returns]
    annotations += [n.annotation for n in nodes if getattr(n, "annotation", None)]
    parts = [part for annotation in annotations for part in ast.walk(annotation)]
    assert not any(isinstance(part, ast.Subscript | ast.BinOp) for part in parts)


@pytest.mark.parametrize(
    ("settings", "language"),
    [
        ({"QWEN_LAB_LANG": "zh", "LC_ALL": "en_US.UTF-8"}, "zh"),
        ({"QWEN_LAB_LANG": "en", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "zh_TW.UTF-8", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LC_MESSAGES": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_one_chosen_and_else_the_locales(monkeypatch, settings, language):
    for name in ("QWEN_LAB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert words.language() == language
