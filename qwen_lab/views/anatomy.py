"""The anatomy of a request, an answer, a stream or an error: every field, and what it means."""

import json
from collections.abc import Iterator

from ..words import say
from .field_meanings import meaning
from .fields import ABSENT, Field, Subject, pairs, read
from .html import View, clean, escaped, fold

STYLE = """
.qwen-anatomy small, .qwen-anatomy span, .qwen-anatomy .value { margin-left: 6px; }
.qwen-anatomy .value { color: var(--jp-mirrormode-string-color, #b71c1c); white-space: pre-wrap; }
.qwen-anatomy .differs { border-left: 4px solid var(--jp-warn-color1, #b26a00); padding-left: 6px; }
"""
LONGEST_TEXT, LONGEST_SHORT = 600, 60
# Of a hundred tokens the first few show what is in each; the x-ray shows them all.
TOKENS = "choices[].logprobs.content"
SHOWN_TOKENS = 3
# What is folded at first.
FOLDED = ("logprobs", "prompt_tokens_details", "completion_tokens_details", "tools")
# Numbers of a run, which change with each: not in the short form.
RUN = ("id", "created", "request_id")


def anatomy(subject: object, other: object = None) -> View:
    """Every field with its value, type and meaning, as a tree that folds.

    `subject` is a completion, a list of a stream's chunks, one chunk, a request as a dict, or an
    error that the SDK raised. A field that is null says why, and how to get a value; those that
    only the SDK fills in stand apart. With an `other` to compare, what differs is marked.

    >>> completion = client.chat.completions.create(model=lab.model, messages=messages)
    >>> qwen_lab.anatomy(completion)
    Answer
    choices[0].finish_reason = "stop"
    choices[0].index = 0
    ...
    >>> qwen_lab.anatomy({"temperature": 0.2, "seed": 1}, {"temperature": 1, "seed": 1})
    1 fields differ
    ≠ temperature: 0.2 → 1

    The meanings come from Alibaba's pages and from recorded exchanges. Raises `TypeError` for
    anything else.
    """
    mine = read(subject)
    if other is None:
        title, lines = say(f"anatomy.kind_{mine.kind}", count=mine.count), [*_lines(mine.root)]
        inner = _inner(mine.root, None, mine)
    else:
        theirs = read(other)
        lines = [*_differences(mine.root, theirs.root)]
        title = say("anatomy.differences", count=len(lines)) if lines else say("anatomy.same")
        inner = _inner(mine.root, theirs.root, mine)
    html = f'<div class="qwen-anatomy"><b>{escaped(title)}</b>{inner}</div>'
    return View(html, "\n".join([title, *lines]), STYLE)


def _item(field: Field, other: Field | None, subject: Subject) -> str:
    """The field as a list item; `other` is what it is compared with, None without."""
    differs = other is not None and field.value != other.value
    mark = ' class="differs"' if differs else ""
    name = f"<code>{escaped(field.name)}</code>"
    words = "".join(f"<span>{escaped(sentence)}</span>" for sentence in meaning(field, subject))
    if field.children or (other and other.children):
        opened = "" if field.name in FOLDED or not (differs or _first(field)) else " open"
        head = f"<summary>{name}{_small(_size(field))}{words}</summary>"
        return f"<li{mark}><details{opened}>{head}{_inner(field, other, subject)}</details></li>"
    values = _value(field) + (f" ≠ {_value(other)}" if differs else "")
    return f"<li{mark}>{name}{values}{_small(_type(field.value))}{words}</li>"


def _inner(field: Field, other: Field | None, subject: Subject) -> str:
    below = pairs(field, other) if other else [(child, None) for child in field.children]
    shown = SHOWN_TOKENS if field.path == TOKENS else len(below)
    sent = [pair for pair in below[:shown] if _is_sent(pair)]
    unsent = [pair for pair in below[:shown] if not _is_sent(pair)]
    items = [_item(child, against, subject) for child, against in sent]
    if unsent:
        inner = "".join(_item(child, against, subject) for child, against in unsent)
        title = say("anatomy.unsent", count=len(unsent))
        items.append(f"<li>{fold(title, f'<ul>{inner}</ul>')}</li>")
    if below[shown:]:
        items.append(f"<li>{escaped(say('anatomy.more', count=len(below) - shown))}</li>")
    return f"<ul>{''.join(items)}</ul>"


def _is_sent(pair: tuple[Field, Field | None]) -> bool:
    return any(field is not None and field.sent and field.value is not ABSENT for field in pair)


def _first(field: Field) -> bool:
    # Of a list only the first item is opened.
    return not field.name.startswith("[") or field.name == "[0]"


def _small(text: str) -> str:
    return f"<small>{escaped(text)}</small>"


def _size(field: Field) -> str:
    words = "anatomy.items" if isinstance(field.value, list | tuple) else "anatomy.fields"
    return say(words, count=len(field.children)) if field.children else "—"


def _type(value: object) -> str:
    if isinstance(value, str) and len(value) > LONGEST_SHORT:
        return f"str · {say('anatomy.characters', count=len(value))}"
    return "" if value is ABSENT else type(value).__name__.replace("NoneType", "None")


def _value(field: Field) -> str:
    text = _json(field.value)
    more = "…" if len(text) > LONGEST_TEXT else ""
    return f'<code class="value">{escaped(text[:LONGEST_TEXT])}{more}</code>'


def _json(value: object) -> str:
    return "—" if value is ABSENT else json.dumps(value, ensure_ascii=False, default=repr)


def _short(field: Field) -> str:
    if field.children:
        return _size(field)
    text = _json(field.value)
    return clean(text if len(text) <= LONGEST_SHORT else text[: LONGEST_SHORT - 1] + "…")


def _lines(root: Field) -> Iterator[str]:
    """The values that are there, and the names of those that are null."""
    fields = [field for field in root.walk() if not field.path.startswith(f"{TOKENS}[]")]
    leaves = [field for field in fields if not field.children or field.path == TOKENS]
    for field in leaves:
        if field.value is not None and field.name not in RUN and field is not root:
            yield f"{field.place} = {_short(field)}"
    nulls = [field.place for field in leaves if field.value is None and field.sent]
    yield from [f"null: {', '.join(nulls)}"] if nulls else []


def _differences(field: Field, other: Field) -> Iterator[str]:
    if not (field.children or other.children):
        if field.value != other.value and field.name not in RUN:
            yield f"≠ {field.place}: {_short(field)} → {_short(other)}"
    elif not (field.children and other.children):
        yield f"≠ {field.place}: {_short(field)} → {_short(other)}"
    else:
        for mine, theirs in pairs(field, other):
            yield from _differences(mine, theirs)
