"""Which part of the package may import which: the arrows point one way, and no circle closes."""

import ast
from functools import cache

import pytest

from qwen_lab.paths import ROOT

PACKAGE = ROOT / "qwen_lab"
# Each file or folder at the top, and what it may import of the others. Lower floors first.
MAY = {
    "__init__": "",
    "words": "",
    "paths": "",
    "rows": "paths",
    "parameters": "words paths",
    "models": "addresses paths",
    "lab": "words watch",
    "watch": "words parameters models lab",
    "views": "words parameters models watch",
    "widgets": "words paths addresses network rows parameters models lab connection watch views",
    "report": "lab",
    "course": "words paths models report views widgets endpoint",
    "checks": "words paths parameters models report watch views course",
    "endpoint": "words paths keys dotfile network parameters models watch",
    "classroom": "words paths rows addresses keys settings network parameters models watch views"
    " endpoint course page",
    "addresses": "words paths",
    "keys": "words paths addresses",
    "dotfile": "words paths",
    "settings": "words paths dotfile",
    "network": "words settings",
    "discovery": "words addresses network",
    "page": "words paths addresses keys lab endpoint watch course views widgets",
    "connection": "words paths models lab report addresses keys dotfile settings network discovery"
    " endpoint page",
    "setup": "words paths addresses keys dotfile settings network lab connection course endpoint"
    " watch classroom page",
    "__main__": "words settings network setup",
}
# Narrower still: of these parts only these modules.
ONLY = {
    ("endpoint", "watch"): {"watch.next_token"},
    ("connection", "endpoint"): {"endpoint.server"},
    ("course", "endpoint"): {"endpoint.server"},
    ("lab", "watch"): {"watch.next_token"},
}
# What is imported only when it is used: set-up and `import qwen_lab` must not wait for it.
LATE = {
    ("connection", "endpoint"),
    ("connection", "page"),
    ("setup", "page"),
    ("setup", "endpoint"),
    ("setup", "connection"),
    ("lab", "watch"),
}
# Of the endpoint these know threads: the engine that blocks, the server's life, and downloads.
THREADS = ("llama", "server", "weights")


def module(path):
    """A file's name as modules have it, without "qwen_lab.": "views.html"."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def part(name):
    return name.split(".")[0]


def at_top(tree):
    """The nodes that run when the module is imported."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from at_top(node)


def for_types(tree):
    """The nodes that only a type checker reads."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }


def targets(node, name):
    """The modules of the package that an import in the module `name` loads."""
    if isinstance(node, ast.Import):
        found = [alias.name for alias in node.names]
        return [each.removeprefix("qwen_lab.") for each in found if each.startswith("qwen_lab.")]
    if not isinstance(node, ast.ImportFrom):
        return []
    if node.level:
        folders = MODULES[name].relative_to(ROOT).parts[:-1]
        base = [*folders[: len(folders) - node.level + 1], *filter(None, [node.module])]
    else:
        base = node.module.split(".")
    if base[0] != "qwen_lab":
        return []
    inside = ".".join(base[1:])
    parts = [".".join(filter(None, [inside, alias.name])) for alias in node.names]
    return [each if each in MODULES else inside or "__init__" for each in parts]


@cache
def arrows():
    """Every import inside the package, as (from, to, late)."""
    found = set()
    for name, path in MODULES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        early, unreal = set(at_top(tree)), for_types(tree)
        for node in set(ast.walk(tree)) - unreal:
            found |= {(name, to, node not in early) for to in targets(node, name)}
    return found


def test_the_imports_are_found():
    found = {(start, to) for start, to, _ in arrows()}
    assert {("widgets.panel", "views.html"), ("lab", "watch.next_token")} <= found
    assert ("connection", "endpoint.server", True) in arrows() and len(found) > 150


def test_the_parts_are_those_that_there_are():
    assert {part(name) for name in MODULES} == MAY.keys()


@pytest.mark.parametrize("name", MAY)
def test_a_part_imports_only_what_it_may(name):
    allowed = {name, "__init__", *MAY[name].split()}
    for start, to, _ in arrows():
        if part(start) == name:
            assert part(to) in allowed, f"{start} imports {to}"
            assert to in ONLY.get((name, part(to)), {to}), f"{start} imports {to}"


@pytest.mark.parametrize("name", MAY)
def test_what_a_part_may_import_it_does_import(name):
    # Else the table would allow what nobody needs.
    assert {part(to) for start, to, _ in arrows() if part(start) == name} >= set(MAY[name].split())


def test_what_takes_long_to_import_is_imported_when_it_is_used():
    for start, to, late in arrows():
        assert late or (part(start), part(to)) not in LATE, f"{start} imports {to}"


def test_no_module_imports_itself_by_way_of_others():
    below = {name: {to for start, to, _ in arrows() if start == name} for name in MODULES}
    while leaves := [name for name, needs in below.items() if not needs]:
        below = {name: needs - {*leaves} for name, needs in below.items() if name not in leaves}
    assert not below


def test_in_the_endpoint_only_the_engine_the_server_and_downloads_know_threads():
    for name, path in MODULES.items():
        if part(name) == "endpoint" and not name.startswith(
            tuple(f"endpoint.{t}" for t in THREADS)
        ):
            code = path.read_text(encoding="utf-8")
            assert not {"threading", "concurrent", "to_thread"} & set(_names(code)), name


def _names(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]
        elif isinstance(node, ast.Attribute):
            yield node.attr
