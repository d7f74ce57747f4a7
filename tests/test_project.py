"""What must agree across files: dependencies, words, style, and the package's public face."""

import ast
import errno
import pkgutil
import re
import socket
import ssl
import string
import subprocess
import sys
import tomllib
from itertools import pairwise

import httpx2
import openai
import pytest

import qwen_lab
from qwen_lab import words
from qwen_lab.paths import ROOT


def sentences(language):
    """Every sentence of a language, by "topic.name"."""
    return {
        f"{path.stem}.{name}": sentence
        for path in (words.WORDS / language).glob("*.toml")
        for name, sentence in tomllib.loads(path.read_text(encoding="utf-8")).items()
    }


def placeholders(sentence):
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name)


def test_both_languages_have_the_same_words_with_the_same_placeholders():
    english, chinese = sentences("en"), sentences("zh")
    assert english.keys() == chinese.keys()
    for key, sentence in english.items():
        assert placeholders(sentence) == placeholders(chinese[key]), key


def test_every_sentence_that_the_code_asks_for_exists():
    callers = "say|LabError|WrongTypeError|WrongValueError|need_type"
    topics = "|".join({key.split(".")[0] for key in sentences("en")})
    for path in (ROOT / "qwen_lab").rglob("*.py"):
        code = path.read_text(encoding="utf-8")
        asked = re.findall(rf'(?:{callers})\(\s*"((?:{topics})\.\w+)"', code)
        assert set(asked) <= sentences("en").keys(), path.name


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_the_doctor_is_named_in_the_same_words_wherever_it_is(language):
    told = {key: text for key, text in sentences(language).items() if "qwen_lab doctor" in text}
    said = [
        re.search(r"[^\n.。}]*python3 -m qwen_lab doctor", text)[0].strip()
        for text in told.values()
    ]
    assert len(said) == 5 and len(set(said)) == 1


@pytest.mark.parametrize("check", [["format", "--check"], ["check"]])
def test_ruff_has_nothing_to_say(check):
    command = [sys.executable, "-m", "ruff", *check, "--no-cache", str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert result.returncode == 0, result.stdout


def test_no_script_of_ours_makes_a_page_of_text_or_asks_another_host():
    scripts = [*(ROOT / "qwen_lab").rglob("*.js")]
    assert len(scripts) >= 3
    for script in scripts:
        code = script.read_text(encoding="utf-8")
        assert len(code.splitlines()) <= 260, script.name
        # The teacher's page asks where it comes from; its own test holds which paths.
        code = code.replace("fetch(path, ", "")
        found = re.findall(
            r"(?i)(inner|outer)HTML|insertAdjacent|document\.write|\beval\b|\bFunction\(|srcdoc"
            r"|createContextualFragment|DOMParser|\bfetch\(|https?:|\bimport\b",
            code,
        )
        # The page's workers ask for the site's own files, and for the weights where its owner says.
        may = {"worker.js": 1, "download.js": 1, "start.js": 2}.get(script.name, 0)
        assert found == [""] * may, (script.name, found)


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
    program += "words; from qwen_lab.setup import commands, environment; "
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


def test_a_misspelt_name_is_met_with_the_one_that_was_meant():
    with pytest.raises(AttributeError, match=r"attribute 'anatmy'. Did you mean: 'anatomy'\?$"):
        _ = qwen_lab.anatmy
    with pytest.raises(AttributeError, match="attribute 'zebra'$"):
        _ = qwen_lab.zebra
    assert qwen_lab.panel is qwen_lab.Panel


def test_nothing_that_is_said_can_steer_a_terminal():
    marks = [*map(chr, [*range(32), *range(127, 160), 0x61C, 0x200E, 0x200F, 0xD800, 0xDFFF])]
    marks += map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
    for mark in {*marks} - {"\n", "\t"}:
        error = words.LabError("commands.refused", status=400, code=f"a{mark}b", message="m")
        assert "a�b" in str(error) and mark not in str(error)
    for text in ("two\nlines\tand a tab", "👩‍🏫 می‌خواهم 通义千问", "é ̈"):
        assert words.printable(text) == text
    assert words.printable("one\r\ntwo\r") == "one\ntwo�"


def chained(*errors):
    for outer, inner in pairwise(errors):
        outer.__cause__ = inner
    return errors[0]


@pytest.mark.parametrize(
    ("error", "english", "chinese"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full", "磁盘满了"),
        (OSError(errno.EACCES, "Permission denied", "f"), "permission", "没有权限"),
        (OSError(errno.ENOENT, "No such file or directory"), "no such file", "没有这个文件"),
        (OSError(errno.EROFS, "Read-only file system"), "only be read", "只能读"),
        (OSError(errno.ECONNREFUSED, "Connection refused"), "nothing listens", "没有程序"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "no network", "没有网络"),
        (socket.gaierror(8, "nodename nor servname provided"), "isn't known", "查不到"),
        (TimeoutError("timed out"), "in time", "没有及时"),
        (ssl.SSLCertVerificationError(1, "verify failed"), "certificate", "证书不被接受"),
        (
            chained(openai.APITimeoutError(None), httpx2.ReadTimeout("x"), TimeoutError()),
            "in time",
            "没有及时",
        ),
        (chained(OSError("out"), httpx2.ConnectError("x"), ConnectionResetError()), "cut", "中断"),
        (httpx2.ProxyError("407 Who?"), "the proxy refused: 407 Who?", "代理拒绝了：407 Who?"),
        # What is none of the usual ones is marked as the system's own.
        (OSError(errno.EIO, "Input/output error."), 'says "Input/output error"', "“Input/output"),
        (RuntimeError(), 'says "RuntimeError"', "“RuntimeError”"),
    ],
)
def test_a_usual_reason_is_told_in_the_readers_language(error, english, chinese):
    assert english in words.reason(error)
    words.use("zh")
    assert chinese in words.reason(error)
    assert not re.search(r"denied|space|refused$|file or", words.reason(error))


@pytest.mark.parametrize("said", ["It is down", " It is down. ", "It is down...\n", "It is down。"])
def test_what_somebody_said_stands_within_a_sentence_without_its_own_end(said):
    assert words.within(said) == "It is down"


def test_each_language_has_its_own_signs_between_parts():
    for language, names, sentences in (("en", "a, b", "a b"), ("zh", "a、b", "ab")):
        words.use(language)
        assert words.joined(["a", "b"]) == names
        assert words.joined(["a", "b"], "sentences") == sentences
    # No other blank follows a Chinese sentence within a page.
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    answer = {"choices": [], "created": 0, "usage": usage, "object": "chat.completion"}
    shown = qwen_lab.anatomy(answer | {"id": "a", "model": "qwen-plus"})
    assert "。" in shown.html and "。 " not in shown.html


def test_no_sentence_holds_a_systems_words_as_they_come():
    for path in (ROOT / "qwen_lab").rglob("*.py"):
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(reason|problem)=(str\()?error\b", code), path.name
        assert ".strerror or" not in code, path.name


def test_a_value_of_the_wrong_type_is_told_in_the_readers_words():
    words.need_type("xray.no_answer", "text", str)
    words.need_type("xray.no_answer", True, (int, str))
    for given, told in ((7, "7 (int)"), (None, "None"), ({"a": 1}, "dict")):
        with pytest.raises(TypeError, match=re.escape(f"gave {told},")) as caught:
            words.need_type("xray.no_answer", given, str)
        assert isinstance(caught.value, words.LabError) and caught.value.key == "xray.no_answer"


def test_the_modules_without_tests_of_their_own_are_those_that_contributing_names():
    told = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## What mirrors what")[1]
    rows = re.findall(r"^\| (`.+) \| (.+) \|$", told, re.M)
    named = {name for modules, _ in rows for name in re.findall(r"`(.+?)`", modules)}
    assert named == modules_without_tests()
    for _, where in rows:
        for test in re.findall(r"`((?:\w+/)?(?:test_\w+|conftest))`", where):
            assert (ROOT / "tests" / f"{test}.py").exists(), test


def modules_without_tests():
    folder, found = ROOT / "qwen_lab", set()
    for path in folder.rglob("[!_]*.py"):
        module = path.relative_to(folder).with_suffix("")
        if not (ROOT / "tests" / module.with_name(f"test_{path.name}")).exists():
            found.add(module.as_posix())
    return found


def test_the_readme_has_at_most_260_lines_and_names_every_file_of_the_package_where_it_is():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 260
    named = told_tree(readme.split("## What is where")[1].split("\n## ")[0])
    assert {path for path in named if path.startswith("qwen_lab/")} == real_tree()
    for path in named:
        assert (ROOT / path).exists(), path


def test_a_command_with_a_variable_stands_in_the_forms_of_windows_shells_too_in_both_languages():
    for name, chinese in (("README.md", "\n# 中文说明"), ("notebooks/TEACHING.md", "\n# 带一个班")):
        for part in (ROOT / name).read_text(encoding="utf-8").split(chinese):
            variable, value = re.search(r"`([A-Z_]+)=(\S+) python3 -m qwen_lab`", part).groups()
            # Without the quotes cmd.exe takes the blank before && for a part of the value.
            assert f'`set "{variable}={value}" && py -m qwen_lab`' in part
            assert f"`$env:{variable}='{value}'; py -m qwen_lab`" in part


# Folders of words and other data, of which the README names only the folder.
DATA = {"words", "notes", "quizzes", "jupyter_config", "proxy", "styles"}


def told_tree(text):
    """The paths that the tree in the README names, each under the folder that it stands in."""
    found, folders = set(), {}
    for indent, names in re.findall(r"^( +)([\w./-]+(?:, [\w./-]+)*) {1,}\S", text, re.M):
        depth = len(indent)
        above = folders.get(depth - 2, "")
        for name in names.split(", "):
            ending = "" if "." in name or name.endswith("/") else ".py"
            found.add(path := f"{above}{name}{ending}")
        folders[depth] = path if path.endswith("/") else above
    return found


def real_tree():
    """The package's files and folders; of folders of words and other data only the folder."""
    package, found = ROOT / "qwen_lab", {"qwen_lab/"}
    for path in package.rglob("*"):
        inside = {*path.relative_to(package).parts[:-1]}
        if path.name == "__pycache__" or inside & DATA or "__pycache__" in inside:
            continue
        # A folder's own file is told by the folder's line.
        if path.name != "__init__.py" or path.parent == package:
            found.add(path.relative_to(ROOT).as_posix() + "/" * path.is_dir())
    return found
