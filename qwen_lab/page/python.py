"""The page's Python: Pyodide, its library, and the packages, with the lock that names them."""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from .. import __version__, paths
from . import parts
from .archive import Files, as_json, unpacked, unzipped, zipped
from .compiled import compiled

# Of an archive what no browser asks for.
SPARE = re.compile(r"\.(map|d\.ts|pyi|so|tgz|html)$|/(tests?/|RECORD$|README)")
FOLDER = "static/pyodide"
# Where Python has in the page what it imports: as one archive, and unpacked.
LIBRARY, PACKAGES = "lib/python314.zip", "lib/python3.14/site-packages"
# What needs no unpacking: modules, and what nobody asks for.
OF_MODULES = re.compile(r"\.(py|typed|md|keep)$|/LICENSE|\.dist-info/")
# Without them in its lock the kernel would fetch them itself.
ASKED_FOR = {"ipykernel", "comm", "pyodide-kernel", "jedi", "ipython"}
# What the kernel asks when a cell begins with `%pip`: what to run instead.
PIP = b"""async def get_transformed_code(asked):
    return "from qwen_lab.words import say; print(say('page.no_pip'))"
"""


def files(wheels: Iterable[Path], kernel: Iterable[bytes]) -> tuple[Files, dict]:
    """Them all, with the kernel's own wheels, by their paths in the site; what Pyodide is told."""
    base = {
        f"{FOLDER}/{name.removeprefix('package/')}": content
        for name, content in unpacked(parts.package("pyodide").read_bytes())
    }
    # The kernel asks for Jedi (5 MB); without it, IPython completes what there is in the kernel.
    packages = [_wheel("jedi", "0", {"jedi.py": b"raise ImportError\n"})]
    packages += [_wheel("piplite", "0", {"piplite/cli.py": PIP})]
    packages += [*map(unzipped, kernel), *[_slim(path.read_bytes()) for path in wheels]]
    alone, others = [], []
    for each in packages:
        (alone if _is_library(each) else others).append(each)
    library = _library(base.pop(f"{FOLDER}/python_stdlib.zip"), alone)
    found, rows = {}, {}
    for each in [*_compiled("packages", others), *_compiled("lab", [_ours()])]:
        name, row, content = _row(each)
        found[f"{FOLDER}/{row['file_name']}"], rows[name] = content, row
    lock = as_json(json.loads(base[f"{FOLDER}/pyodide-lock.json"]) | {"packages": rows})
    options = {"packages": sorted(rows)}
    for name, kind, content in (
        ("lockFileURL", "lock.json", lock),
        ("stdLibURL", "library.zip", library),
    ):
        options[name] = f"{FOLDER}/{_mark(content)}-{kind}"
        found[options[name]] = content
    return {name: base[name] for name in base if not SPARE.search(name)} | found, options


def _mark(content: bytes) -> str:
    # Another content, another name: what a browser kept of an earlier site is not taken for it.
    return hashlib.sha256(content).hexdigest()[:8]


def _is_library(wheel: Files) -> bool:
    """Whether it holds modules alone, and none that the kernel looks for by its package's name."""
    rest = [name for name in wheel if not OF_MODULES.search(name)]
    return not rest and _named(wheel)[0] not in ASKED_FOR


def _library(standard: bytes, packages: list[Files]) -> bytes:
    """The standard library and more, as an archive that Python imports from without unpacking."""
    library = unzipped(standard)
    for each in packages:
        library |= each
    made = compiled("library", LIBRARY, library)
    # A third of its size would be their sources, which nobody reads there; but anyio its own.
    kept = {
        name: library[name] for name in library if f"{name}c" not in made or name[:6] == "anyio/"
    }
    return zipped(kept | made)


def _compiled(kind: str, wheels: list[Files]) -> list[Files]:
    """The wheels, with their modules compiled where Python looks for them."""
    every = {name: content for each in wheels for name, content in each.items()}
    made = compiled(kind, PACKAGES, every)
    return [
        wheel | {_cache(name): made[f"{name}c"] for name in wheel if f"{name}c" in made}
        for wheel in wheels
    ]


def _cache(module: str) -> str:
    folder, _, name = module.rpartition("/")
    return f"{folder}/__pycache__/{name[:-3]}.cpython-314.pyc".lstrip("/")


def _row(wheel: Files) -> tuple[str, dict, bytes]:
    """Its package's name, its row in the lock, and the wheel as a file."""
    (name, version), content = _named(wheel), zipped(wheel)
    return name, {
        "name": name, "version": version, "sha256": hashlib.sha256(content).hexdigest(),
        "file_name": f"{name.replace('-', '_')}-{version}-0{_mark(content)}-py3-none-any.whl",
        "install_dir": "site", "package_type": "package", "depends": [], "imports": [],
        "unvendored_tests": False,
    }, content  # fmt: skip


def _slim(wheel: bytes) -> Files:
    """The wheel without what no learner uses: tests, types, JupyterLab's own part."""
    return {
        name: content
        for name, content in unzipped(wheel).items()
        if name.endswith("wasm32-emscripten.so") or not (SPARE.search(name) or ".data/" in name)
    }


def _ours() -> Files:
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


def _wheel(name: str, version: str, content: Files) -> Files:
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    texts = {"METADATA": metadata, "WHEEL": tags, "RECORD": ""}
    return content | {f"{info}/{file}": text.encode() for file, text in texts.items()}


def _named(wheel: Files) -> tuple[str, str]:
    [told] = [wheel[each].decode() for each in wheel if each.endswith(".dist-info/METADATA")]
    name, version = (re.search(rf"^{field}: (.+)", told, re.M)[1] for field in ("Name", "Version"))
    return re.sub("[-_.]+", "-", name.strip()).lower(), version.strip()
