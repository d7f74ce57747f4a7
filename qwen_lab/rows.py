"""Rows of results as a CSV file that any spreadsheet opens rightly and safely."""

import csv
import io
import json
from pathlib import Path
from typing import IO

from .paths import replacing

# A cell that begins like this is a formula to a spreadsheet, whoever wrote it; full width too.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def write_csv(path: Path, rows: list[dict]) -> None:
    """Write the rows, with a column for every name that any of them has.

    UTF-8 with a mark that spreadsheets want. A text that would be a formula gets an apostrophe
    before it. The file is there whole or not at all; raises `OSError`.
    """
    with replacing(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        _write(file, rows)


def as_csv(rows: list[dict]) -> bytes:
    """What `write_csv` writes."""
    file = io.StringIO(newline="")
    _write(file, rows)
    return file.getvalue().encode("utf-8-sig", "replace")


def _write(file: IO[str], rows: list[dict]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(file)
    writer.writerow(map(_cell, names))
    writer.writerows([[_cell(row.get(name)) for name in names] for row in rows])


def _cell(value: object) -> object:
    if isinstance(value, dict | list | bool):
        return json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
