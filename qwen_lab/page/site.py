"""The course as a static site: files alone, the same bytes whenever it is built.

JupyterLite's JupyterLab, Pyodide, the wheels that the lessons need, the package itself, and the
lessons. Of all this only what the lessons use; no source maps.
"""

import hashlib
import io
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from .. import __version__, paths
from ..course import lessons
from ..words import LANGUAGES, LabError, reason, say
from . import front, parts

Files = dict[str, bytes]

# Of JupyterLite the one application that the course opens, and what all of them need.
FRAME = re.compile(
    r"package/(build/(?!\w+/bundle)|build/lab/|lab/|config-utils|service-worker|icon-)"
)
# Of an archive what no browser asks for.
SPARE = re.compile(r"\.(map|d\.ts|pyi|so|tgz|html)$|/(tests?/|RECORD$|README)")
# JupyterLab as the lab sets it elsewhere.
OVERRIDES = (
    Path(__file__).parents[1] / "setup/jupyter_config/labconfig/default_setting_overrides.json"
)
LABEXTENSIONS = "share/jupyter/labextensions/"
OF_KERNEL = re.compile(r"/(piplite|ipykernel|pyodide_kernel)-[\d.]+-py3-none-any\.whl$")
EXTENSIONS = ("jupyterlite-pyodide-kernel", "jupyterlab-widgets", "anywidget")
PYODIDE = "static/pyodide"
# Where a notebook has texts, line by line.
TEXT = re.compile("^(source|text)$|/")
# A wheel must have a date, and a listed file as well; the same at every build.
LONG_AGO = "2026-01-01T00:00:00Z"


def build(folder: Path) -> Files:
    """Write the site into a folder that is new or holds one, and return its files.

    Raises `LabError` when a part cannot be had, or the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / PYODIDE).is_dir():
        raise LabError("site.other_folder", folder=folder)
    built = files()
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in built.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return built


def serve(folder: Path, port: int = 0) -> None:
    """Show a site on loopback until it is ended. `LabError` when the port cannot be used."""
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except (OSError, OverflowError) as error:
        raise LabError("server.port_unusable", port=port, reason=reason(error)) from error
    with server:
        print(say("site.served", url=f"http://127.0.0.1:{server.server_port}/"), flush=True)
        server.serve_forever()


def files() -> Files:
    """The site's files by their paths; `LabError` when a part cannot be had."""
    if not paths.is_checkout():
        raise LabError("site.no_checkout")
    wheels = parts.wheels()
    extensions = {name: _extension(wheels[name]) for name in EXTENSIONS}
    site = _frame(wheels["jupyterlite-core"])
    for found in extensions.values():
        site |= {f"extensions/{name}": content for name, content in found.items()}
    pure = {name: path for name, path in wheels.items() if "jupyterlite" not in name}
    python, options = _python(pure, extensions["jupyterlite-pyodide-kernel"])
    site |= python
    site |= _lessons()
    site |= _settings(extensions.values(), options)
    site["index.html"] = front.page().encode()
    site["jupyterlite-worker.js"] = site.pop("service-worker.js")
    site["service-worker.js"] = _worker(site)
    return dict(sorted(site.items()))


def _worker(site: Files) -> bytes:
    """The script that keeps the site in the browser, with the list of what there is to keep."""
    digest = hashlib.sha256()
    for name in sorted(site):
        digest.update(name.encode() + hashlib.sha256(site[name]).digest())
    told = f'const NAME = "qwen-lab-{digest.hexdigest()[:16]}";\nconst FILES = '
    script = Path(__file__).with_name("worker.js").read_bytes()
    return told.encode() + _json(sorted(site)) + b";\n" + script


def _frame(wheel: Path) -> Files:
    with ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".tgz")]
        content = archive.read(name)
    return {
        name.removeprefix("package/"): content
        for name, content in _unpacked(content)
        if FRAME.match(name) and not name.endswith(".map")
    }


def _unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            if member.isfile():
                yield member.name, archive.extractfile(member).read()


def _extension(wheel: Path) -> Files:
    """What a wheel brings for JupyterLab's page."""
    with ZipFile(wheel) as archive:
        return {
            name.split(LABEXTENSIONS)[1]: archive.read(name)
            for name in archive.namelist()
            if LABEXTENSIONS in name and not name.endswith(("/", ".map"))
        }


def _python(wheels: dict[str, Path], kernel: Files) -> tuple[Files, dict]:
    """Pyodide, the wheels, and the lock by which it loads them; what it is told of that."""
    base = dict(_unpacked(parts.pyodide().read_bytes()))
    found = {
        f"{PYODIDE}/{name.removeprefix('package/')}": content
        for name, content in base.items()
        if not SPARE.search(name)
    }
    packed = [_slim(path) for path in wheels.values()]
    packed += [content for name, content in kernel.items() if OF_KERNEL.search(name)]
    # The kernel asks for Jedi (5 MB); without it, IPython completes what there is in the kernel.
    packed += [_wheel("jedi", "0", {"jedi.py": b"raise ImportError\n"}), _ours()]
    rows = {}
    for content in packed:
        name, version = _named(content)
        digest = hashlib.sha256(content).hexdigest()
        # Another content, another name: what a browser kept of an earlier site is not taken for it.
        file = f"{name.replace('-', '_')}-{version}-0{digest[:8]}-py3-none-any.whl"
        found[f"{PYODIDE}/{file}"] = content
        rows[name] = {
            "name": name, "version": version, "file_name": file, "sha256": digest,
            "install_dir": "site", "package_type": "package", "depends": [], "imports": [],
            "unvendored_tests": False,
        }  # fmt: skip
    lock = _json(json.loads(base["package/pyodide-lock.json"]) | {"packages": rows})
    digest = hashlib.sha256(lock).hexdigest()[:8]
    options = {"packages": sorted(rows), "lockFileURL": f"{PYODIDE}/lock-{digest}.json"}
    return found | {options["lockFileURL"]: lock}, options


def _slim(wheel: Path) -> bytes:
    """The wheel without what no learner uses: tests, types, JupyterLab's own part."""
    with ZipFile(wheel) as archive:
        kept = {
            name: archive.read(name)
            for name in archive.namelist()
            if name.endswith("wasm32-emscripten.so")
            or not (SPARE.search(name) or ".data/" in name or name.endswith("/"))
        }
    return _zip(kept)


def _ours() -> bytes:
    """The package, with its lessons and tapes, as a wheel would hold it."""
    package, originals = Path(__file__).parents[1], paths.originals()
    found = {
        f"qwen_lab/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    # Where PyPI has NumPy for a page one day, this stands back.
    found["numpy.py"] = (package / "page" / "arrays.py").read_bytes()
    for path in (*originals.glob("??/*.ipynb"), *originals.glob("tape/*/*.jsonl")):
        found[f"qwen_lab/notebooks/{path.relative_to(originals).as_posix()}"] = path.read_bytes()
    found["qwen_lab/LICENSE"] = (paths.ROOT / "LICENSE").read_bytes()
    return _wheel("qwen-lab", __version__, found)


def _wheel(name: str, version: str, content: Files) -> bytes:
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    texts = {"METADATA": metadata, "WHEEL": tags, "RECORD": ""}
    return _zip(content | {f"{info}/{file}": text.encode() for file, text in texts.items()})


def _zip(content: Files) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for name in sorted(content):
            archive.writestr(ZipInfo(name), content[name], 8, 9)
    return file.getvalue()


def _named(wheel: bytes) -> tuple[str, str]:
    with ZipFile(io.BytesIO(wheel)) as archive:
        [name] = [each for each in archive.namelist() if each.endswith(".dist-info/METADATA")]
        told = archive.read(name).decode()
    name, version = (re.search(rf"^{field}: (.+)", told, re.M)[1] for field in ("Name", "Version"))
    return re.sub("[-_.]+", "-", name.strip()).lower(), version.strip()


def _lessons() -> Files:
    """The lessons as JupyterLite lists them; each cell's id says which lesson's it is."""
    found, folders = {}, []
    for language in LANGUAGES:
        rows = []
        for name in lessons.names(language):
            lesson = (paths.originals() / language / name).read_bytes()
            notebook = json.loads(lesson, object_hook=_joined)
            for cell in notebook["cells"]:
                cell["id"] = f"{language}-{name[:-6]}--{cell['id']}"
                if "qwen_lab.connect(" in cell["source"] and "outputs" in cell:
                    # Who answers is told otherwise in a page.
                    cell |= {"outputs": [], "execution_count": None}
            content = json.dumps(notebook, ensure_ascii=False, indent=1).encode()
            found[f"files/{language}/{name}"] = content
            rows.append(_row(f"{language}/{name}", "notebook", len(content)))
        found[f"api/contents/{language}/all.json"] = _listing(language, rows)
        folders.append(_row(language, "directory", None))
    return found | {"api/contents/all.json": _listing("", folders)}


def _joined(row: dict) -> dict:
    """A part of a notebook with each text in one piece: JupyterLite reads no lists of lines."""
    return {
        name: "".join(value) if isinstance(value, list) and TEXT.search(name) else value
        for name, value in row.items()
    }


def _row(path: str, kind: str, size: int | None) -> dict:
    return {
        "name": path.split("/")[-1], "path": path, "type": kind, "size": size, "writable": True,
        "format": None, "content": None, "mimetype": None,
        "created": LONG_AGO, "last_modified": LONG_AGO,
    }  # fmt: skip


def _listing(path: str, rows: list[dict]) -> bytes:
    return _json(_row(path, "directory", None) | {"format": "json", "content": rows})


def _settings(extensions: list[Files], options: dict) -> Files:
    loaded, schemas = [], []
    for files in extensions:
        [about] = [json.loads(files[name]) for name in files if name.endswith("/package.json")]
        loaded.append({"name": about["name"], **about["jupyterlab"]["_build"]})
        schemas += [
            {"id": f"{about['name']}:{Path(name).stem}", "version": about["version"],
             "raw": "{}", "settings": {}, "schema": json.loads(files[name])}
            for name in files if "/schemas/" in name and not name.endswith(".orig")
        ]  # fmt: skip
    kernel = {
        "pyodideUrl": f"./{PYODIDE}/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {
            **options,
            "env": {"HOME": "/home/pyodide", "QWEN_LAB_HOME": "/drive/.qwen-lab"},
            # Else `asyncio.run` works in a cell, as it does in no other notebook.
            "enableRunUntilComplete": False,
        },
    }
    english = {"displayName": "English", "nativeName": "English"}
    config = {
        "appName": "Qwen Lab", "appUrl": "./lab", "baseUrl": "./", "defaultKernelName": "python",
        "faviconUrl": "./lab/favicon.ico", "federated_extensions": loaded,
        "fullLabextensionsUrl": "./extensions", "fullStaticUrl": "./build",
        "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
        "contentsAllJsonFile": "all.json", "settingsOverrides": json.loads(OVERRIDES.read_bytes()),
        "contentsStorageName": "Qwen Lab", "settingsStorageName": "Qwen Lab",
    }  # fmt: skip
    return {
        "jupyter-lite.json": _json(
            {"jupyter-lite-schema-version": 0, "jupyter-config-data": config}
        ),
        "build/schemas/all_federated.json": _json(schemas),
        "api/translations/all.json": _json({"data": {"en": english}, "message": ""}),
        "api/translations/en.json": _json({"data": {}, "message": ""}),
    }


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()
