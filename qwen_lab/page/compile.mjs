// Compiles the page's Python with that Python itself: node compile.mjs PYODIDE GIVEN.zip MADE.zip

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, given, made] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
// Whenever it is done it shall come to the same, and the order of a set hangs on hashes.
const python = await loadPyodide({ env: { PYTHONHASHSEED: "0" } });
python.FS.writeFile("/given.zip", readFileSync(given));
python.runPython(`
from contextlib import suppress
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash
from zipfile import ZipFile, ZipInfo

with ZipFile("/given.zip") as given, ZipFile("/made.zip", "w") as made:
    for name in given.namelist():
        source = given.read(name)
        # Some packages hold what is for another Python.
        with suppress(SyntaxError):
            code = compile(source, f"/{name}", "exec", dont_inherit=True)
            made.writestr(ZipInfo(f"{name}c"), _code_to_hash_pyc(code, source_hash(source), False))
`);
writeFileSync(made, python.FS.readFile("/made.zip"));
