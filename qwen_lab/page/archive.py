"""Files by their paths, and the archives that hold them: the same bytes for the same files."""

import io
import json
import tarfile
from collections.abc import Iterator
from zipfile import ZipFile, ZipInfo

Files = dict[str, bytes]


def unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    """What an archive of npm's holds, each file with its path."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            if member.isfile():
                yield member.name, archive.extractfile(member).read()


def unzipped(content: bytes) -> Files:
    """What a zip, such as a wheel, holds."""
    with ZipFile(io.BytesIO(content)) as archive:
        return {each: archive.read(each) for each in archive.namelist() if not each.endswith("/")}


def zipped(files: Files) -> bytes:
    """A zip of these files, in the order of their names and without a date."""
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for name in sorted(files):
            archive.writestr(ZipInfo(name), files[name], 8, 9)
    return file.getvalue()


def as_json(value: object) -> bytes:
    """JSON, the same for the same value."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()
