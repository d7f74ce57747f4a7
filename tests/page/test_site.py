"""The site as files: what is in it, what is not, and that it is the same whenever it is built."""

import io
import json
import re
from zipfile import ZipFile

import pytest

from qwen_lab import paths
from qwen_lab.page import parts, site
from qwen_lab.setup import arguments, commands
from qwen_lab.setup.packages import pins
from qwen_lab.words import LabError

pytestmark = pytest.mark.page


@pytest.fixture(scope="module")
def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_is_the_same_byte_for_byte_when_it_is_built_again(files):
    assert site.files() == files


def test_it_fits_any_host_and_brings_no_source_map(files):
    assert sum(map(len, files.values())) < 65e6
    assert max(map(len, files.values())) < 100e6
    assert not [name for name in files if name.endswith((".map", ".d.ts"))]


def test_what_it_is_told_to_load_lies_in_it(files):
    told = json.loads(files["jupyter-lite.json"])["jupyter-config-data"]
    for each in told["federated_extensions"]:
        assert f"extensions/{each['name']}/{each['load'].removeprefix('./')}" in files
    kernel = told["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    assert kernel["pyodideUrl"].removeprefix("./") in files and kernel["disablePyPIFallback"]
    options = kernel["loadPyodideOptions"]
    lock = json.loads(files[options["lockFileURL"]])["packages"]
    assert sorted(lock) == options["packages"]
    assert all(f"static/pyodide/{row['file_name']}" in files for row in lock.values())
    library = ZipFile(io.BytesIO(files[options["stdLibURL"]])).namelist()
    modules = {"asyncio/__init__.pyc", "openai/_client.pyc", "pydantic/main.pyc"}
    assert modules | {"anyio/__init__.py"} <= {*library} and "openai/_client.py" not in library


def test_a_lesson_has_a_python_of_its_own_beside_its_namesake_in_the_other_language(files):
    looked = r"startNew\(\w+\)\{.{0,90}_sessions\.find\((\w+)=>\1\.(\w+)==="
    scripts = [each.decode() for name, each in files.items() if name.endswith(".js")]
    assert [by for each in scripts for _, by in re.findall(looked, each)] == ["path"]


def test_what_is_written_in_it_is_kept_every_few_seconds(files):
    told = json.loads(files["jupyter-lite.json"])["jupyter-config-data"]["settingsOverrides"]
    assert told["@jupyterlab/docmanager-extension:plugin"]["autosaveInterval"] <= 10


def test_all_of_it_is_kept_by_the_browser_under_a_name_of_its_own(files):
    told = files["service-worker.js"].decode()
    listed = json.loads(re.search(r"FILES = (\[.*?\]);", told, re.S)[1])
    assert set(listed) == files.keys() - {"service-worker.js"}
    one, other = (site._worker({"index.html": content}) for content in (b"one", b"another"))
    assert one.splitlines()[0] != other.splitlines()[0] and one[60:] == other[60:]


def test_each_lesson_says_in_its_cells_whose_they_are(files):
    for name in ("zh/00_tour", "en/07_structured_answers"):
        cells = json.loads(files[f"files/{name}.ipynb"])["cells"]
        assert all(cell["id"].startswith(f"{name.replace('/', '-')}--") for cell in cells)
        original = json.loads((paths.originals() / f"{name}.ipynb").read_bytes())["cells"]
        sources = ["".join(cell["source"]) for cell in original]
        assert [cell["source"] for cell in cells] == sources
        shown = {cell["id"].split("--")[1]: cell.get("outputs") for cell in cells}
        assert shown["setup"] == [] and sum(map(bool, shown.values())) > 5
        assert {cell.get("execution_count") for cell in cells} == {None}
        assert all(re.fullmatch(r"[\w-]{1,64}", cell["id"], re.A) for cell in cells)


def test_it_brings_the_lessons_tapes_and_no_program_of_another_machine(files):
    for name, content in files.items():
        if name.endswith(".whl"):
            inside = ZipFile(io.BytesIO(content)).namelist()
            assert not [each for each in inside if re.search(r"x86_64|\.(pyd|dylib)$", each)]
    [ours] = [name for name in files if "/qwen_lab-" in name]
    inside = ZipFile(io.BytesIO(files[ours])).namelist()
    assert "qwen_lab/notebooks/tape/zh/01_basic_call.jsonl" in inside and "numpy.py" in inside
    assert "qwen_lab/page/__pycache__/kernel.cpython-314.pyc" in inside


def test_the_command_says_how_large_it_is_and_shows_it_on_loopback(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(site, "build", lambda folder, qwen: 2_000_000)
    monkeypatch.setattr(site.ThreadingHTTPServer, "serve_forever", lambda server: None)
    commands.site(arguments.read(["site", str(tmp_path), "--serve"]))
    told = capsys.readouterr().out
    assert f"{tmp_path}: 2 MB" in told and re.search(r"Open http://127\.0\.0\.1:\d+/ in", told)


def test_another_folder_is_not_overwritten(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(LabError, match="something else"):
        site.build(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_every_part_is_locked_by_its_hash_and_no_host_is_named():
    lock = parts.LOCK.read_text(encoding="utf-8")
    assert lock.count("--hash=sha256:") == len(re.findall("^[a-z].*==", lock, re.M)) > 40
    assert "://" not in lock
    assert all(each["integrity"].startswith("sha512-") for each in parts.TABLE["npm"].values())


def test_the_page_has_the_versions_that_the_lab_has_elsewhere():
    ours, theirs = pins(parts.LOCK), pins(paths.ROOT / "requirements.txt")
    both = ours.keys() & theirs.keys()
    assert {"openai", "ipywidgets", "starlette", "pydantic"} <= both
    assert {name: ours[name] for name in both} == {name: theirs[name] for name in both}


def test_a_file_that_is_not_the_locked_one_is_deleted(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    path = tmp_path / "page" / "pyodide-{version}.tgz".format(**parts.TABLE["npm"]["pyodide"])
    path.parent.mkdir()
    path.write_bytes(b"another")
    with pytest.raises(LabError, match="isn't the file"):
        parts.package("pyodide")
    assert not path.exists()


def test_without_npm_it_says_where_the_file_may_be_put(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    monkeypatch.setattr(parts.shutil, "which", lambda _: None)
    with pytest.raises(LabError, match=r"Node\.js.*pyodide-.*tgz"):
        parts.package("pyodide")
