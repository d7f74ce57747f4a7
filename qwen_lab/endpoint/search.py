"""What `enable_search` finds: a search in short notes, and the notes put before the question.

The notes are Markdown: a line `## Title` begins one. `notes/` has the bundled ones in Chinese and
English; `QWEN_LAB_NOTES` adds a learner's folder. Not covered: the web.
"""

import math
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, pairwise
from pathlib import Path

from .. import paths
from .messages import before_question

BUNDLED = Path(__file__).parent / "notes"
# A note that is longer becomes several: a question with three must fit into the model's input.
LONGEST = 800
# A note is about a question when it has words that bear this much of the question's meaning.
ENOUGH = 0.65
# Longer than a question is; what follows in a long text is not looked for.
LONGEST_QUESTION = 500
TABLE = """
    CREATE VIRTUAL TABLE notes USING fts5(title, text, tokenize = "porter unicode61 tokenchars '.'")
"""
# A title says what a note is about: a word in it counts as three in the text.
RANKED = "SELECT rowid FROM notes WHERE notes MATCH ? ORDER BY bm25(notes, 3, 1), rowid"
HAN = "\u3400-\u9fff"
RUN = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+(?:\.[^\W_{HAN}]+)*")
YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
WORDS = paths.table(__file__)
FILLERS, STOPS = re.compile(WORDS["fillers"]), frozenset(WORDS["stops"].split())


@dataclass(frozen=True)
class Note:
    """A short text under a title."""

    title: str
    text: str


class Search:
    """The bundled notes and those of more folders, for one thread at a time.

    >>> Search().find("What is the capital of Myanmar?")
    [Note(title='Capital of Myanmar', text='The capital of Myanmar (Burma) is Naypyidaw, …')]
    """

    def __init__(self, *folders: Path, today: Callable[[], date] = date.today) -> None:
        self._notes = [note for folder in (BUNDLED, *folders) for note in _notes(folder)]
        self._today = today
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute(TABLE)
        rows = [(note.title, note.text) for note in self._notes]
        rows += [(day, "") for day in WORDS["calendar"]]
        indexed = [(_indexed(title), _indexed(text)) for title, text in rows]
        self._database.executemany("INSERT INTO notes VALUES (?, ?)", indexed)

    def find(self, question: str, *, forced: bool = False, limit: int = 3) -> list[Note]:
        """The notes that a question is about, best first; those in its own language if any.

        None for a greeting, a poem, a sum or code, unless `forced`: then the best of those that
        share a word with it.
        """
        question = question[:LONGEST_QUESTION]
        units = _units(question)
        terms = list(dict.fromkeys(chain(*units)))
        rows = self._matching(terms) if terms else []
        if not forced:
            about, years = self._about(units), set(YEAR.findall(question))
            rows = [row for row in rows if row in about and years <= self._years(row)]
        notes = [self._note(row) for row in rows]
        own = [note for note in notes if _language(note.text) == _language(question)]
        return (own or notes)[:limit]

    def _about(self, units: list[list[str]]) -> set[int]:
        """The rows that share enough with a question, and one thing at least in the title."""
        whole, shared = 0.0, Counter()
        rows = {term: set(self._matching([term])) for term in chain(*units)}
        for unit in units:
            known = [rows[term] for term in unit if rows[term]]
            # What is rare says much; what no note has says most.
            weight = math.log(1 + len(self._notes) / min(map(len, known), default=1))
            whole += weight
            shared.update(dict.fromkeys(set().union(*known), weight))
        named = [term for term in rows if not term[0].isdigit()]
        titled = self._matching(named, column="title") if named else []
        return {row for row in titled if shared[row] >= ENOUGH * whole}

    def _matching(self, terms: list[str], *, column: str = "") -> list[int]:
        """The rows that have one of the terms, best first."""
        either = " OR ".join(f'"{term}"' for term in terms)
        query = f"{column} : ({either})" if column else either
        return [row - 1 for (row,) in self._database.execute(RANKED, [query])]

    def _years(self, row: int) -> set[str]:
        note = self._note(row)
        return set(YEAR.findall(f"{note.title} {note.text}"))

    def _note(self, row: int) -> Note:
        return [*self._notes, *_calendar(self._today())][row]


def insert(messages: Sequence[dict], notes: Sequence[Note]) -> list[dict]:
    """The conversation with the notes before its last question, as the model is to read it."""
    if not notes:
        return list(messages)
    listed = "\n\n".join(f"{note.title}\n{note.text}" for note in notes)
    return before_question(messages, WORDS["prompts"][_language(listed)].format(notes=listed))


def _notes(folder: Path) -> Iterator[Note]:
    """The notes in a folder's Markdown files; what stands before the first title is the file's."""
    for path in sorted(folder.rglob("*.md")):
        text = path.read_text(encoding="utf-8", errors="replace")
        first, *sections = re.split(r"^## +", text, flags=re.M)
        for section in [f"{path.stem}\n{first}", *sections]:
            title, _, body = section.partition("\n")
            for part in _parts(body.strip()):
                yield Note(title.strip(), part)


def _parts(text: str) -> Iterator[str]:
    """The text in pieces of at most `LONGEST` characters, of whole paragraphs where possible."""
    while len(text) > LONGEST:
        gap = text.rfind("\n\n", 0, LONGEST)
        end = gap if gap > 0 else LONGEST
        yield text[:end]
        text = text[end:].lstrip()
    if text:
        yield text


def _calendar(day: date) -> list[Note]:
    weekday = "一二三四五六日"[day.weekday()]
    chinese = f"今天是 {day.year} 年 {day.month} 月 {day.day} 日，星期{weekday}。"
    english = f"Today is {day:%A}, {day.day} {day:%B %Y}."
    return [Note("今天的日期", chinese), Note("Today's date", english)]


def _language(text: str) -> str:
    return "zh" if re.search(f"[{HAN}]", text) else "en"


def _units(question: str) -> list[list[str]]:
    """A question's units, each with the terms that a note may share it by.

    A unit is a Chinese character, shared by the pairs that it is in, or half of another word:
    where one Chinese word ends and the next begins need not be known.
    """
    units: list[list[str]] = []
    for run in RUN.findall(FILLERS.sub(" ", _folded(question))):
        if re.match(f"[{HAN}]", run):
            pairs = ["", *_pairs(run), ""]
            units += [[term for term in both if term] or [run] for both in pairwise(pairs)]
        elif run not in STOPS:
            units += [[run]] * 2
    return units


def _pairs(run: str) -> list[str]:
    return list(map("".join, pairwise(run)))


def _indexed(text: str) -> str:
    """The text as words for the index: of Chinese, each character and each pair."""
    words: list[str] = []
    for run in RUN.findall(_folded(text)):
        words += [*run, *_pairs(run)] if re.match(f"[{HAN}]", run) else [run]
    return " ".join(words)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()
