"""A request, an answer, a stream's chunks or an error as one tree of fields."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..words import WrongTypeError

# What a stream sends in pieces.
GROWING = ("content", "reasoning_content", "refusal", "arguments")
# No answer has so many parts: an index beyond it is none.
MOST_INDEX = 999
DEEPEST = 32
# The value of a field that only the other of two subjects has.
ABSENT = object()


@dataclass(frozen=True)
class Field:
    """One field. `place` tells where it stands ("choices[0].index"), `path` which field it is
    ("choices[].index"). `sent` is False for what only the SDK fills in. `chunks` are the numbers,
    from 1, of those of a stream's chunks that brought it; where all below it came in the same
    ones, it alone has them.
    """

    name: str
    place: str
    path: str
    value: object
    sent: bool = True
    chunks: tuple[int, ...] = ()
    children: tuple["Field", ...] = field(default=(), repr=False)

    def walk(self) -> Iterator["Field"]:
        """This field and all below it, in their order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Subject:
    """What is looked at: its kind ("completion", "stream", "chunk", "request", "error"), its
    fields, and of a stream the number of chunks.
    """

    kind: str
    root: Field
    count: int = 0


@dataclass(frozen=True)
class Pair:
    """A field beside that of another subject, and what is below both.

    A field that one of them lacks has the value `ABSENT`. Without another subject `other` is None.
    """

    mine: Field
    other: Field | None
    children: tuple["Pair", ...]

    @property
    def differs(self) -> bool:
        """Whether it is compared with something else than itself."""
        return self.other is not None and self.mine.value != self.other.value

    @property
    def sent(self) -> bool:
        """Whether one of them really has it, and not only because the SDK fills it in."""
        both = (self.mine, self.other)
        return any(each and each.sent and each.value is not ABSENT for each in both)


def field_tree(subject: object) -> Subject:
    """The fields of anything that a call takes or gives; raises `TypeError` for anything else."""
    if isinstance(subject, Exception):
        return Subject("error", _tree(_cut(_error(subject))))
    if chunks := chunks_in(subject):
        value, origins = assembled(chunks)
        return Subject("stream", _tree(value, origins=origins), len(chunks))
    if is_model(subject):
        kind = "chunk" if subject.object == "chat.completion.chunk" else "completion"
        return Subject(kind, _tree(_plain(subject), _plain(subject, sent=True)))
    if isinstance(subject, Mapping) and "messages" in subject:
        return Subject("request", _tree(_cut(subject), path="request"))
    if isinstance(subject, Mapping):
        return Subject("error" if "error" in subject else "completion", _tree(_cut(subject)))
    raise WrongTypeError("anatomy.no_subject", subject)


def is_model(value: object) -> bool:
    """Whether it is an answer, or a part of one, as the SDK gives it."""
    return hasattr(value, "model_dump") and hasattr(value, "object")


def chunks_in(subject: object) -> list[dict]:
    """The chunks of a list, each as it was sent; a server may have sent other things between."""
    if isinstance(subject, str) or not isinstance(subject, Sequence):
        return []
    return [_plain(chunk, sent=True) for chunk in subject if is_model(chunk)]


def _plain(model: Any, *, sent: bool = False) -> dict:
    """What the SDK made of an answer; with `sent` without what it filled in."""
    return _cut(model.model_dump(exclude_unset=sent, warnings=False))


def _cut(value: Any, levels: int = DEEPEST) -> Any:
    """The value without what lies deeper: a server may nest as deep as it likes."""
    if not isinstance(value, Mapping | list | tuple):
        return value
    if not levels:
        return "…"
    if isinstance(value, Mapping):
        return {name: _cut(item, levels - 1) for name, item in value.items()}
    return type(value)([_cut(item, levels - 1) for item in value])


def _error(error: Exception) -> dict:
    """What an exception of the SDK brought: its class, the status, and the body as it came."""
    found: dict = {"exception": type(error).__name__}
    response = getattr(error, "response", None)
    if response is None:
        body = getattr(error, "body", None)
        return found | {"error": body if body else {"message": str(error.__cause__ or error)}}
    found["status_code"] = response.status_code
    if "retry-after" in response.headers:
        found["retry_after"] = response.headers["retry-after"]
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = {"error": {"message": response.text}}
    return found | (body if isinstance(body, dict) else {"error": body})


def _tree(
    value: object,
    sent: object = ...,
    name: str = "",
    place: str = "",
    path: str = "",
    origins: Mapping[str, tuple[int, ...]] | None = None,
) -> Field:
    """The field and all below it; `sent` is the same value without what the SDK filled in."""
    sent, origins = value if sent is ... else sent, origins or {}
    children = []
    if isinstance(value, Mapping):
        for key, item in value.items():
            key, there = str(key), isinstance(sent, Mapping) and key in sent
            below = sent[key] if there else None
            where, what = f"{place}.{key}".lstrip("."), f"{path}.{key}".lstrip(".")
            child = _tree(item, below, key, where, what, origins)
            children.append(child if there else _unsent(child))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            below = sent[index] if isinstance(sent, Sequence) and index < len(sent) else None
            child = _tree(item, below, f"[{index}]", f"{place}[{index}]", f"{path}[]", origins)
            children.append(child)
    chunks, below = _gathered(children)
    return Field(name, place, path, value, True, origins.get(place, chunks), below)


def _gathered(children: list[Field]) -> tuple[tuple[int, ...], tuple[Field, ...]]:
    """The chunks in which all of these came, and these without them; none if they differ."""
    came = {each.chunks for child in children for each in child.walk() if each.chunks}
    if len(came) != 1:
        return (), tuple(children)
    return came.pop(), tuple(replace(child, chunks=()) for child in children)


def _unsent(child: Field) -> Field:
    return Field(child.name, child.place, child.path, child.value, False)


def paired(mine: Field, other: Field | None) -> Pair:
    """The field and all below it beside those of another subject; `other` is None without one."""
    if other is None:
        return Pair(mine, None, tuple(paired(child, None) for child in mine.children))
    here = {child.name: child for child in mine.children}
    there = {child.name: child for child in other.children}
    children = (
        paired(here.get(name) or _absent(there[name]), there.get(name) or _absent(here[name]))
        for name in dict.fromkeys([*here, *there])
    )
    return Pair(mine, other, tuple(children))


def _absent(field: Field) -> Field:
    return Field(field.name, field.place, field.path, ABSENT)


def assembled(chunks: list[dict]) -> tuple[dict, dict[str, tuple[int, ...]]]:
    """The answer that a stream's chunks make, and the numbers of the chunks behind each place."""
    whole: dict = {}
    origins: dict[str, list[int]] = {}
    for number, chunk in enumerate(chunks, 1):

        def note(place: str, number: int = number) -> None:
            origins.setdefault(place, []).append(number)

        whole = _merge(whole, chunk, "", note)
    return whole, {place: tuple(numbers) for place, numbers in origins.items()}


def _merge(old: object, new: object, place: str, note: Callable[[str], None]) -> object:
    """`old` with what a further chunk brings; text grows, of all else the first value counts."""
    if isinstance(new, dict):
        old = dict(old) if isinstance(old, dict) else {}
        for key, item in new.items():
            key = "message" if key == "delta" else key
            old[key] = _merge(old.get(key), item, f"{place}.{key}".lstrip("."), note)
        return old
    if isinstance(new, list):
        return _merge_list(list(old) if isinstance(old, list) else [], new, place, note)
    if new not in (None, ""):
        note(place)
    if place.rsplit(".", 1)[-1] in GROWING and isinstance(new, str):
        return (old if isinstance(old, str) else "") + new
    return new if old in (None, "") else old


def _merge_list(old: list, new: list, place: str, note: Callable[[str], None]) -> list:
    for item in new:
        # Answers and tool calls say which one they are; tokens follow one another.
        at = item.get("index") if isinstance(item, dict) else None
        at = at if type(at) is int and 0 <= at <= MOST_INDEX else len(old)
        old += [None] * (at + 1 - len(old))
        old[at] = _merge(old[at], item, f"{place}[{at}]", note)
    return old
