"""The course as a static site: files alone, the same bytes whenever it is built.

JupyterLite's JupyterLab, Pyodide, the wheels that the lessons need, the package itself, and the
lessons. Of all this only what the lessons use; no source maps.
"""

import hashlib
import json
import re
import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path

from .. import paths
from ..endpoint.weights.weights import fetch
from ..words import LabError, reason, say
from . import contents, front, jupyterlab, parts, python, weights
from .archive import Files, as_json, unpacked, unzipped
from .qwen import files as engine

# Of JupyterLite the one application that the course opens, and what all of them need.
FRAME = re.compile(
    r"package/(build/(?!\w+/bundle)|build/lab/|lab/|config-utils|service-worker|icon-)"
)
# JupyterLab as the lab sets it elsewhere.
OVERRIDES = (
    Path(__file__).parents[1] / "setup/jupyter_config/labconfig/default_setting_overrides.json"
)
# A tablet's list of files is narrow, as its lines of code are, and a finger taps once. What is
# written is kept by itself.
MORE = {
    "@jupyterlab/notebook-extension:tracker": {"codeCellConfig": {"lineWrap": True}},
    "@jupyterlab/docmanager-extension:plugin": {"autosaveInterval": 5},
    "@jupyterlab/filebrowser-extension:browser": {
        "showLastModifiedColumn": False,
        "singleClickNavigation": True,
    },
}
LABEXTENSIONS = "share/jupyter/labextensions/"
OF_KERNEL = re.compile(r"/(ipykernel|pyodide_kernel)-[\d.]+-py3-none-any\.whl$")
KERNEL = "jupyterlite-pyodide-kernel"
EXTENSIONS = (KERNEL, "jupyterlab-widgets", "anywidget")


def build(folder: Path, qwen: str | None = None) -> int:
    """Write the site into a folder that is new or holds one, and return how many bytes it has.

    With `qwen` its pages offer the Qwen, from that address; from "", the site has it itself.
    Raises `LabError` when a part cannot be had, or the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / python.FOLDER).is_dir():
        raise LabError("site.other_folder", folder=folder)
    built = files(qwen=qwen)
    model = fetch() if qwen == "" else None
    shutil.rmtree(folder, ignore_errors=True)
    size = 0
    # Not all at once: the weights are many times larger than all the rest.
    for name, content in chain(built.items(), weights.pieces(model) if model else ()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        size += (folder / name).write_bytes(content)
    return size


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


def files(settings: dict[str, str] | None = None, qwen: str | None = None) -> Files:
    """The site's files by their paths; `LabError` when a part cannot be had.

    A class has `settings` for the kernels, and a first page of its own in the place of the site's.
    `qwen` is as in `build`; the pieces of the weights are not among the files.
    """
    if not paths.is_checkout():
        raise LabError("site.no_checkout")
    wheels = parts.wheels()
    extensions = {name: _extension(wheels[name]) for name in EXTENSIONS}
    site = contents.files()
    for extension in extensions.values():
        site |= {f"extensions/{name}": content for name, content in extension.items()}
    site |= jupyterlab.finished(_frame(wheels["jupyterlite-core"]), extensions[KERNEL])
    pure = [path for name, path in wheels.items() if "jupyterlite" not in name]
    kernel = extensions[KERNEL].items()
    found, options = python.files(pure, [each for name, each in kernel if OF_KERNEL.search(name)])
    site |= found
    offers = {} if qwen is None else {weights.SETTING: "1"}
    site |= _settings(extensions.values(), options, (settings or {}) | offers)
    if not settings:
        site["index.html"] = front.page(offers=bool(offers)).encode()
    if offers:
        site |= weights.files(qwen) | engine()
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
    return told.encode() + as_json(sorted(site)) + b";\n" + script


def _frame(wheel: Path) -> Files:
    [packed] = [
        each for name, each in unzipped(wheel.read_bytes()).items() if name.endswith(".tgz")
    ]
    return {
        name.removeprefix("package/"): content
        for name, content in unpacked(packed)
        if FRAME.match(name) and not name.endswith(".map")
    }


def _extension(wheel: Path) -> Files:
    """What a wheel brings for JupyterLab's page."""
    return {
        name.split(LABEXTENSIONS)[1]: content
        for name, content in unzipped(wheel.read_bytes()).items()
        if LABEXTENSIONS in name and not name.endswith(".map")
    }


def _settings(extensions: list[Files], options: dict, settings: dict[str, str]) -> Files:
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
        "pyodideUrl": f"./{python.FOLDER}/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {
            **options,
            "env": {"HOME": "/home/pyodide", "QWEN_LAB_HOME": "/drive/.qwen-lab"} | settings,
            # Else `asyncio.run` works in a cell, as it does in no other notebook.
            "enableRunUntilComplete": False,
        },
    }
    english = {"displayName": "English", "nativeName": "English"}
    config = {
        "appName": "Qwen Lab", "appUrl": "./lab", "baseUrl": "./", "defaultKernelName": "python",
        "exposeAppInBrowser": "true", "faviconUrl": "./lab/favicon.ico",
        "federated_extensions": loaded,
        "fullLabextensionsUrl": "./extensions", "fullStaticUrl": "./build",
        "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
        "contentsAllJsonFile": "all.json",
        "settingsOverrides": json.loads(OVERRIDES.read_bytes()) | MORE,
        "contentsStorageName": "Qwen Lab", "settingsStorageName": "Qwen Lab",
    }  # fmt: skip
    return {
        "jupyter-lite.json": as_json(
            {"jupyter-lite-schema-version": 0, "jupyter-config-data": config}
        ),
        "build/schemas/all_federated.json": as_json(schemas),
        "api/translations/all.json": as_json({"data": {"en": english}, "message": ""}),
        "api/translations/en.json": as_json({"data": {}, "message": ""}),
    }
