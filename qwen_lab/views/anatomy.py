"""The anatomy of a request, an answer, a stream or an error: every field, and what it means."""

import json
from collections.abc import Iterator

from ..words import joined, say
from .field_meanings import Meanings
from .fields import ABSENT, Field, Pair, field_tree, paired
from .html import Html, View, breaking, brief, filled, fold

LONGEST_TEXT, LONGEST_SHORT = 600, 59
# Of a hundred tokens the first few show what is in each; the x-ray shows them all.
TOKENS = "choices[].logprobs.content"
SHOWN_TOKENS = 3
# Where code may break: InternalError.Algo.InvalidParameter, err.response.json()["request_id"].
DOTTED = r'(?<=[a-z]\.)(?=[A-Z])|(?=\[")'
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
    Fields that differ: 1
    ≠ temperature: 0.2 → 1

    The meanings come from Alibaba's pages and from recorded exchanges. Raises `TypeError` for
    anything else.
    """
    mine, theirs = field_tree(subject), None if other is None else field_tree(other)
    pair = paired(mine.root, theirs and theirs.root)
    if other is None:
        title, lines = say(f"anatomy.kind_{mine.kind}", count=mine.count), [*_lines(mine.root)]
    else:
        lines = [*_differences(pair)]
        title = say("anatomy.differences", count=len(lines)) if lines else say("anatomy.same")
    sides = [say("anatomy.sides")] if other is not None and lines else []
    told = filled(" <small>{}</small>", sides)
    html = Html('<div class="qwen-anatomy"><b>{}</b>{}{}</div>')
    tree = _inner(pair, Meanings(mine, theirs))
    return View(html.format(title, told, tree), "\n".join([title, *lines]))


def _item(pair: Pair, meanings: Meanings) -> Html:
    """The field as a list item, with what it is compared with."""
    field, mark = pair.mine, Html(' class="differs"' if _counts(pair) else "")
    if pair.children:
        opened = field.name not in FOLDED and (pair.differs or _first(field))
        item = Html("<li{}><details{}><summary>{}</summary>{}</details></li>")
        state, line = Html(" open" if opened else ""), _line(pair, "", _size(field), meanings)
        return item.format(mark, state, line, _inner(pair, meanings))
    between = Html(" ≠ " if _counts(pair) else " ")
    values = _value(field) + (between + _value(pair.other) if pair.differs else "")
    line = _line(pair, values, _type(field.value), meanings)
    return Html("<li{}><div>{}</div></li>").format(mark, line)


def _counts(pair: Pair) -> bool:
    """Whether it differs in more than what is new with each run."""
    if pair.children:
        return any(map(_counts, pair.children))
    return pair.differs and pair.mine.name not in RUN


def _line(pair: Pair, values: object, kind: str, meanings: Meanings) -> Html:
    """What the field is, and beside that what it means; where that was said before, nothing."""
    told = [breaking(each, DOTTED) for each in meanings.of(pair)]
    words = Html(say("joins.sentences")).join(told)
    meant = filled("<span>{}</span>", filter(None, [words]))
    came = meanings.origin(pair.mine)
    if came and not values:
        kind, came = joined([kind, came], "phrases"), ""
    came = filled(" <small>{}</small>", filter(None, [came]))
    # The kind stays beside the name, however long the value is.
    line = Html("<span><code>{}</code> <small>{}</small> {}{}</span> {}")
    return line.format(pair.mine.name, kind, values, came, meant)


def _inner(pair: Pair, meanings: Meanings) -> Html:
    below = pair.children
    shown = SHOWN_TOKENS if pair.mine.path == TOKENS else len(below)
    sent = [_item(child, meanings) for child in below[:shown] if child.sent]
    unsent = [_item(child, meanings) for child in below[:shown] if not child.sent]
    if unsent:
        title = filled("<span>{}</span>", [say("anatomy.unsent", count=len(unsent))])
        sent.append(filled("<li>{}</li>", [fold(title, _list(unsent))]))
    if below[shown:]:
        sent += [filled("<li>{}</li>", [say("anatomy.more", count=len(below) - shown)])]
    return _list(sent)


def _list(items: list[Html]) -> Html:
    return Html("<ul>{}</ul>").format(Html("").join(items))


def _first(field: Field) -> bool:
    # Of a list only the first item is opened.
    return not field.name.startswith("[") or field.name == "[0]"


def _size(field: Field) -> str:
    words = "anatomy.items" if isinstance(field.value, list | tuple) else "anatomy.fields"
    return say(words, count=len(field.children)) if field.children else "—"


def _type(value: object) -> str:
    if isinstance(value, str) and len(value) > LONGEST_SHORT:
        return joined(["str", say("anatomy.characters", count=len(value))], "phrases")
    return "" if value is ABSENT else type(value).__name__.replace("NoneType", "None")


def _value(field: Field) -> Html:
    shown = breaking(brief(_json(field.value), LONGEST_TEXT), DOTTED)
    return Html('<code class="value">{}</code>').format(shown)


def _json(value: object) -> str:
    return "—" if value is ABSENT else json.dumps(value, ensure_ascii=False, default=repr)


def _short(field: Field) -> str:
    if field.children:
        return _size(field)
    return brief(_json(field.value), LONGEST_SHORT)


def _lines(root: Field) -> Iterator[str]:
    """The values that are there, and the names of those that are null."""
    fields = [field for field in root.walk() if not field.path.startswith(f"{TOKENS}[]")]
    leaves = [field for field in fields if not field.children or field.path == TOKENS]
    for field in leaves:
        if field.value is not None and field.name not in RUN and field is not root:
            yield f"{field.place} = {_short(field)}"
    nulls = [field.place for field in leaves if field.value is None and field.sent]
    yield from [f"null: {', '.join(nulls)}"] if nulls else []


def _differences(pair: Pair) -> Iterator[str]:
    mine, other = pair.mine, pair.other
    if mine.children and other.children:
        for child in pair.children:
            yield from _differences(child)
    elif _counts(pair):
        yield f"≠ {mine.place}: {_short(mine)} → {_short(other)}"
