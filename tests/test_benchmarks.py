"""The benchmarks' table, and how `bench` finds and runs them. No real benchmark runs here."""

import ast
import re
import runpy
import shutil
import sys
import tomllib
from argparse import Namespace

import nbformat
import pytest

from qwen_lab import paths
from qwen_lab.paths import ROOT
from qwen_lab.setup import commands
from qwen_lab.setup.arguments import read
from qwen_lab.words import LabError

FOLDER = ROOT / "tests" / "benchmarks"
# What answers are looked through for; everything else in the texts is asked.
PATTERNS = {"foreign", "words"}
FAKE = """
import os
from table import Row, show
keys = [name for name in os.environ if name.startswith("DASHSCOPE")]
show([Row("a cup of tea", [1, 2, 6], "min", "≤ 3"), Row("keys", [len(keys)], "", "≤ 0")])
"""


@pytest.fixture(scope="module")
def runner():
    """What tests/benchmarks/__main__.py defines."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield runpy.run_path(str(FOLDER / "__main__.py"), run_name="runner")
    finally:
        sys.path.remove(str(FOLDER))
        sys.modules.pop("table")


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """The benchmarks' folder of a checkout that has no benchmark yet."""
    place = tmp_path / "tests" / "benchmarks"
    place.mkdir(parents=True)
    for name in ("__main__.py", "table.py"):
        shutil.copy(FOLDER / name, place)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "is_checkout", lambda: True)
    return place


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_benchmark_is_run_in_a_process_without_keys_and_its_rows_fill_one_table(
    folder, monkeypatch, capfd
):
    for name in ("tea", "water"):
        (folder / f"{name}.py").write_text(FAKE, encoding="utf-8")
    monkeypatch.setenv("DASHSCOPE_API_KEY", "x")
    assert commands.bench(Namespace(names=[])) == 0
    machine, gap, head, rule, *rows = capfd.readouterr().out.splitlines()
    assert "busy before" in machine and not gap
    assert cells(head) == ["what", "minimum", "median", "maximum", "unit", "goal"]
    assert set(rule) == set("| -:") and len({len(line) for line in (head, rule, *rows)}) == 1
    tea, keys = ["a cup of tea", "1", "2", "6", "min", "≤ 3, met"], cells(rows[1])
    assert [cells(row) for row in rows] == 2 * [tea, keys]
    assert keys[-1] == "≤ 0, met"


def test_a_benchmark_that_breaks_is_named_and_the_others_still_run(folder, capfd):
    (folder / "broken.py").write_text("raise SystemExit('no tea')", encoding="utf-8")
    (folder / "tea.py").write_text(FAKE, encoding="utf-8")
    assert commands.bench(Namespace(names=[])) == 1
    shown = capfd.readouterr()
    assert "a cup of tea" in shown.out
    assert "no tea" in shown.err and "Stopped with an error: broken;" in shown.err


def test_a_long_benchmark_runs_only_when_it_is_named(folder, capfd):
    for name in ("tea", "stalls"):
        (folder / f"{name}.py").write_text(FAKE, encoding="utf-8")
    commands.bench(Namespace(names=[]))
    assert capfd.readouterr().out.count("a cup of tea") == 1
    commands.bench(Namespace(names=["stalls", "tea"]))
    assert capfd.readouterr().out.count("a cup of tea") == 2


def test_the_beginning_of_names_names_them_all(folder, capfd):
    for name in ("tea", "class_tea", "class_water"):
        (folder / f"{name}.py").write_text(FAKE, encoding="utf-8")
    assert commands.bench(Namespace(names=["class"])) == 0
    assert capfd.readouterr().out.count("a cup of tea") == 2
    commands.bench(Namespace(names=[]))
    assert capfd.readouterr().out.count("a cup of tea") == 1


def test_a_name_that_no_benchmark_has_runs_nothing_and_shows_the_names_there_are(folder, capfd):
    (folder / "tea.py").write_text(FAKE, encoding="utf-8")
    assert commands.bench(Namespace(names=["tea", "cofee"])) == 2
    shown = capfd.readouterr()
    assert "no benchmark called cofee" in shown.err and "all but the long ones: tea" in shown.err
    assert not shown.out


def test_what_follows_pictures_is_for_it_alone_and_else_a_language_is_no_name(folder, capfd):
    (folder / "pictures.py").write_text("import sys; print(sys.argv[1:])", encoding="utf-8")
    (folder / "tea.py").write_text(FAKE, encoding="utf-8")
    asked = ["bench", "pictures", "here", "--lang", "zh,en", "--only", "tea"]
    assert commands.bench(read(asked)) == 0
    assert capfd.readouterr().out.strip() == str(asked[2:])
    assert commands.bench(read(["bench", "tea", "--lang", "en"])) == 0
    assert capfd.readouterr().out.count("a cup of tea") == 1


def test_without_a_checkout_there_is_nothing_to_run(monkeypatch):
    monkeypatch.setattr(paths, "is_checkout", lambda: False)
    with pytest.raises(LabError, match="benchmarks aren't part of the installed package"):
        commands.bench(Namespace(names=[]))


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [
        ("", ""),
        ("≤ 2", "≤ 2, met"),
        ("≥ 2.5", "≥ 2.5, MISSED"),
        ("maximum ≤ 6", "maximum ≤ 6, met"),
        ("maximum ≤ 5", "maximum ≤ 5, MISSED"),
        ("minimum ≥ 1.5", "minimum ≥ 1.5, MISSED"),
    ],
)
def test_a_goal_is_held_against_the_median_unless_it_names_an_end(runner, goal, verdict):
    assert runner["table"].Row("tea", [1, 6, 2], "min", goal).verdict == verdict


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_a_file_is_a_benchmark_that_bench_finds_or_says_that_it_is_not(runner, path):
    source = path.read_text(encoding="utf-8")
    words = ast.get_docstring(ast.parse(source))
    if path.stem in runner["SHARED"]:
        assert path.stem == "__main__" or "Not a benchmark itself" in words
    else:
        assert path.stem in runner["names"]()
        assert len(words) > 80 and re.search(r"\bGoals?\b", words)
        # The goals in the table are those that the first words promise.
        for goal in re.findall(r'"(?:\w+ )?([≤≥] [\d.]+)"', source):
            assert goal in words


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_counted_of_a_lesson_is_what_the_lesson_asks(language):
    path = FOLDER / "demonstrations.py"
    texts = tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))
    counted = re.findall(r'^    "(\d\d)": {', path.read_text(encoding="utf-8"), re.M)
    assert counted == list(texts) and len(counted) == 7
    for lesson in counted:
        words = texts[lesson][language]
        assert words.keys() == texts[lesson]["en"].keys()
        asked = [text for name, text in words.items() if name not in PATTERNS | {"countries"}]
        asked += words.get("countries", {}).values()
        [notebook] = (ROOT / "notebooks" / language).glob(f"{lesson}_*.ipynb")
        cells = "\n".join(cell.source for cell in nbformat.read(notebook, 4).cells)
        for piece in re.split(r"{\w*}|\n|(?<=[。.])\s?", "\n".join(asked)):
            assert piece in cells


def test_the_long_benchmarks_are_benchmarks(runner):
    assert runner["ONLY_WHEN_NAMED"] <= set(runner["names"]())
