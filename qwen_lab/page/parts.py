"""What the site is made of: wheels from PyPI and packages from npm, each locked by its hash.

Nothing is installed: pip and npm, with the user's own settings, only fetch files.
"""

import base64
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .. import paths
from ..words import LabError, say

LOCK = Path(__file__).with_name("requirements.txt")
TABLE = paths.table(__file__)


def wheels() -> dict[str, Path]:
    """Each wheel of the lock by its package's name; fetched once. `LabError` if one is missing."""
    lock = LOCK.read_text(encoding="utf-8")
    wanted = dict(re.findall(r"^([\w-]+)==\S+ \\\n +--hash=sha256:(\w+)", lock, re.M))
    place = folder()
    if not set(wanted.values()) <= _hashed(place, "*.whl").keys():
        options = [
            f"--{name}={each}" for name, value in TABLE["pip"].items() for each in _all(value)
        ]
        pip = "-m pip download --quiet --no-input --disable-pip-version-check --no-deps"
        command = [
            sys.executable,
            *pip.split(),
            "--only-binary=:all:",
            "--require-hashes",
            *options,
        ]
        run([*command, "--requirement", str(LOCK), "--dest", str(place)])
    found = _hashed(place, "*.whl")
    return {name: found[digest] for name, digest in wanted.items()}


def package(name: str) -> Path:
    """npm's archive of a package, fetched once; `LabError` without npm, or when it is another."""
    npm, place = TABLE["npm"][name], folder()
    path = place / f"{npm['name'].strip('@').replace('/', '-')}-{npm['version']}.tgz"
    if not path.is_file():
        if not (program := shutil.which("npm")):
            raise LabError("site.no_npm", file=path.name, folder=place)
        wanted = f"{npm['name']}@{npm['version']}"
        run([program, "pack", "--silent", wanted, "--pack-destination", str(place)])
    digest = hashlib.sha512(path.read_bytes()).digest()
    if npm["integrity"] != f"sha512-{base64.b64encode(digest).decode()}":
        path.unlink()
        raise LabError("site.not_the_file", file=path.name)
    return path


def folder() -> Path:
    """Where what was fetched or made of it is kept; it is there."""
    place = paths.cache() / "page"
    place.mkdir(parents=True, exist_ok=True)
    return place


def _hashed(folder: Path, pattern: str) -> dict[str, Path]:
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in folder.glob(pattern)}


def _all(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def run(command: list[str]) -> None:
    """Run pip, npm or Node.js; what it says is on the terminal, and in the `LabError` in short."""
    done = subprocess.run(command, stderr=subprocess.PIPE, stdout=sys.stderr, text=True)
    if done.returncode:
        said = [
            line
            for line in done.stderr.splitlines()
            if re.match(r"ERROR:|npm error|\w*Error:", line)
        ]
        raise LabError("site.no_parts", reason="\n".join(said[-2:] or [say("site.no_reason")]))
