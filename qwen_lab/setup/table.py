"""Rows of a sign, a name and what there is to say, as a terminal of any width shows them."""

import re
import unicodedata
from collections.abc import Iterator

# Where a line may be broken: at blanks, and after a Chinese character with what must follow it.
PIECES = re.compile(
    r"\s+|[\u2e80-\uffef][，。、；：！？）」”…]*|[^\s\u2e80-\uffef]+[，。、；：！？）」”…]*"
)


def width(text: str) -> int:
    """The columns that a text takes: two for each Chinese character."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def lines(rows: list[tuple[str, str, list[str]]], columns: int) -> Iterator[str]:
    """Each row's sign and name, and beside them its paragraphs, wrapped to so many columns."""
    longest = max(width(name) for _, name, _ in rows)
    for sign, name, paragraphs in rows:
        start = f"{sign} {name}{' ' * (longest - width(name))}  "
        for paragraph in paragraphs:
            for line in wrapped(paragraph, columns - longest - 4):
                yield (start + line).rstrip()
                start = " " * (longest + 4)


def wrapped(text: str, columns: int) -> Iterator[str]:
    """The text in lines of at most so many columns."""
    line = ""
    for piece in _pieces(text, columns):
        if line and width(line + piece.rstrip()) > columns:
            yield line.rstrip()
            line = ""
        line += piece if line else piece.lstrip()
    yield line.rstrip()


def _pieces(text: str, columns: int) -> Iterator[str]:
    for piece in PIECES.findall(text):
        # A path may be longer than a line, and one name in it too.
        for part in re.findall(r"[^/\\]*[/\\]*", piece) if width(piece) > columns else [piece]:
            while width(part) > columns:
                yield part[:columns]
                part = part[columns:]
            yield part
