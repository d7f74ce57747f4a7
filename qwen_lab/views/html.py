"""From text that nobody vouches for (a model's, a server's) to HTML that only shows it."""

import html
import re
from collections.abc import Iterable

from markupsafe import Markup

from ..words import printable, say, tag
from .theme import styled

# Signs that differ in shape, so that they can be told apart without colour.
SIGNS = {"passed": "✓", "not yet": "…", "wrong": "✗", "open": "·", "left": "–"}

# A date stays whole in a line, which else may end after each of its hyphens.
DATE = r"(?<![\dA-Za-z-])\d{4}-\d\d(?:-\d\d(?: \d\d:\d\d:\d\d)?)?(?![\dA-Za-z-])"
NOWHERE = "(?!)"


class View:
    """Something to look at: HTML for the notebook, and `text`, its short form for everywhere else.

    On GitHub all colours are taken out: the words must say it all. The repr is `text`, so it should
    be stable: no times, no addresses.
    """

    def __init__(self, html: "Html", text: str) -> None:
        self.html = html
        # On a page a number and its unit keep together; elsewhere their space is an ordinary one.
        self.text = printable(text).replace("\u00a0", " ")

    def _repr_html_(self) -> str:
        return styled(f'<div class="qwen-view" lang="{tag()}">{self.html}</div>')

    def __repr__(self) -> str:
        return self.text


def clean(text: str) -> str:
    """The text without lone surrogates, which neither a request nor a page can carry."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


class Html(Markup):
    """HTML that is safe: whatever is formatted, joined or added into it is escaped first.

    >>> Html("<td>{}</td>").format("<b>")
    Html('<td>&lt;b&gt;</td>')

    Only the pattern itself is taken as it is, so write it out: never an f-string.
    """

    @classmethod
    def escape(cls, text: object) -> "Html":
        if hasattr(text, "__html__"):
            return cls(text.__html__())
        return cls(html.escape(clean(str(text))))


def filled(pattern: str, values: Iterable) -> Html:
    """The pattern as often as there are values, filled with one after the other."""
    return join(Html(pattern).format(value) for value in values)


def join(parts: Iterable) -> Html:
    """The parts after one another."""
    return Html("").join(parts)


def row(*cells: object) -> Html:
    """A row of a table."""
    return Html("<tr>{}</tr>").format(filled("<td>{}</td>", cells))


def brief(text: str, most: int) -> str:
    """The text, or its first `most` characters and an ellipsis."""
    return text if len(text) <= most else text[:most] + "…"


def in_line(text: str, most: int) -> str:
    """The text, or its beginning, in one line: a sign ends what was a line, such as a poem's."""
    # The sign keeps with the word before it.
    sign = "\u2060{} ".format
    return re.sub(r"\s*\n\s*", lambda end: sign("↵" * end[0].count("\n")), brief(text, most))


def breaking(text: str, where: str = NOWHERE, *, whole: str = DATE) -> Html:
    """The text, which may break where a pattern matches, and not in what is `whole`.

    It is copied as it is.
    """
    parts = re.split(f"({whole})", text)
    parts[::2] = (Html("<wbr>").join(re.split(where, part)) for part in parts[::2])
    parts[1::2] = (Html('<span class="whole">{}</span>').format(part) for part in parts[1::2])
    return join(parts)


def marked(words: str) -> Html:
    """A sentence in which code stands between backticks, as HTML."""
    plain, *rest = words.split("`")
    pairs = zip(rest[::2], rest[1::2], strict=False)
    codes = (Html("<code>{}</code>{}").format(*pair) for pair in pairs)
    return Html.escape(plain) + join(codes)


def percent(probability: float, possible: bool = True) -> str:
    """A probability in percent: all have two decimals, so that they can be compared.

    What is possible is never shown as zero, not even where it was too small for a float.
    """
    number = f"{100 * probability:.2f}" if possible else "0"
    less = number == "0.00"
    return say("html.less", number="0.01") if less else say("html.percent", number=number)


def fold(title: str, body: Html, opened: bool = False) -> Html:
    """A title that opens and closes the body."""
    whole = Html("<details{}><summary>{}</summary>{}</details>")
    return whole.format(" open" * opened, title, body)


def table(rows: Iterable[Html], *heads: str) -> Html:
    """Rows as a table, which scrolls where the page is narrow."""
    head = filled("<th>{}</th>", heads)
    head = Html("<tr>{}</tr>").format(head) if head else head
    return Html('<div class="qwen-table"><table>{}{}</table></div>').format(head, join(rows))


def cards(rows: Iterable[Iterable], *heads: str) -> Html:
    """A table of which each row, a name and cells, is a block of its own where the page is narrow.

    There the heads stand before their cells, so that all of it can be seen without scrolling.
    """
    whole = Html("<tr><th>{}</th>{}</tr>")
    told = [(name, zip(heads[1:], cells, strict=True)) for name, *cells in rows]
    lines = (
        whole.format(name, join(Html('<td data-head="{}">{}</td>').format(*pair) for pair in pairs))
        for name, pairs in told
    )
    return Html('<div class="qwen-cards">{}</div>').format(table(lines, *heads))


def sign(status: str, told: str = "") -> Html:
    """How something stands, as a sign; what is `told` of it is heard, and seen on pointing."""
    heard = Html('role="img" title="{0}" aria-label="{0}"').format(told) if told else ""
    kind = status if status in ("passed", "wrong", "left") else "open"
    return Html('<b class="qwen-sign {}" {}>{}</b>').format(kind, heard, SIGNS[status])


def verdict(status: str, words: str, more: object) -> Html:
    """How an answer stands, as a block: its sign, the status in words, and what is said of it."""
    kind = status if status in ("passed", "wrong") else "open"
    block = Html('<div class="qwen-outcome {}">{}<b>{}</b><span>{}</span></div>')
    return block.format(kind, sign(status), words, more)


def sentence(words: str) -> View:
    """A view that is nothing but a sentence."""
    return View(filled("<p>{}</p>", [words]), words)
