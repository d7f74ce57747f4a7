"""What a field means, in the language in use: what it is, why it is null, what it costs."""

from datetime import UTC, datetime

from openai.types import CompletionUsage

from .. import models
from ..parameters import PARAMETERS
from ..watch import typed
from ..words import joined, names, say
from .fields import ABSENT, Field, Pair, Subject

# Where the same field stands under another name.
ALIKE = (
    (".delta.", ".message."),
    (".logprobs.refusal[]", ".logprobs.content[]"),
    (".top_logprobs[]", ""),
)
# Inside these a request describes what is its own.
OWN = ("request.tools", "request.response_format", "request.tool_choice", "request.stream_options")


class Meanings:
    """What the fields of a subject mean, and of another that it is compared with.

    What was said of a field is not said of its like again.
    """

    def __init__(self, subject: Subject, other: Subject | None = None) -> None:
        self._subject, self._other = subject, other
        self._said: set[tuple[str, str]] = set()

    def of(self, pair: Pair) -> list[str]:
        """Sentences about the field, the general one first; about both values where they differ."""
        mine = self._about(pair.mine, self._subject)
        if not pair.differs:
            return mine
        other = self._about(pair.other, self._other)
        # Beside the values it is clear which of them is meant.
        return mine + [say("anatomy.second", words=w) if pair.children else w for w in other]

    def _about(self, field: Field, subject: Subject) -> list[str]:
        found = [(key(field.path), words) for words in _meaning(field, subject)]
        new = [pair for pair in found if pair not in self._said]
        self._said.update(new)
        return [words for _, words in new]

    def origin(self, field: Field) -> str:
        """Which of a stream's chunks brought the field; "" where all did."""
        chunks = field.chunks
        if not chunks or len(chunks) == self._subject.count:
            return ""
        if len(chunks) == 1:
            return say("anatomy.chunk", number=chunks[0])
        first, last = chunks[0], chunks[-1]
        unbroken = last - first + 1 == len(chunks)
        words = "anatomy.chunks" if unbroken else "anatomy.chunks_among"
        return say(words, count=len(chunks), first=first, last=last)


def _meaning(field: Field, subject: Subject) -> list[str]:
    path = key(field.path)
    if subject.kind == "error" and path == "id":
        path = "error_id"
    general = _general(path)
    sentences = [general] if general else []
    if field.value is None:
        sentences.append(_null(path))
    if path == "choices[].finish_reason" and field.value not in (None, ABSENT):
        sentences.append(_finish_reason(field.value))
    if path == "created" and type(field.value) is int:
        sentences.append(_time(field.value))
    if path == "usage" and (used := typed.usage(field.value)):
        sentences.append(_cost(used, subject.root.value.get("model")))
    return sentences


def key(path: str) -> str:
    """The path under which the words for a field stand."""
    for there, here in ALIKE:
        path = path.replace(there, here)
    return path


def _general(path: str) -> str:
    name = path.rsplit(".", 1)[-1]
    if path in names("anatomy"):
        return say(f"anatomy.{path}")
    if path in (f"request.{name}", f"request.extra_body.{name}") and name in PARAMETERS:
        row = PARAMETERS[name]
        return joined(filter(None, [row.meaning, row.range.replace(" ", "\u00a0")]), "sentences")
    if path.startswith(OWN) or path.endswith("[]"):
        return ""
    return say("anatomy.unknown")


def _null(path: str) -> str:
    if path == "choices[].finish_reason":
        return say("anatomy.finish_reason_null")
    return say(f"anatomy.{path}?" if f"{path}?" in names("anatomy") else "anatomy.null")


def _finish_reason(value: object) -> str:
    name = f"finish_reason_{value}"
    return say(f"anatomy.{name if name in names('anatomy') else 'finish_reason_other'}")


def _time(seconds: int) -> str:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return say("anatomy.unknown")
    return say("anatomy.utc", time=f"{moment:%Y-%m-%d %H:%M:%S}")


def _cost(used: CompletionUsage, model: object) -> str:
    price = models.price(model) if isinstance(model, str) else None
    if not price:
        return say("anatomy.cost_local" if model == models.LOCAL_MODEL else "anatomy.cost_unknown")
    cny = price.of(used.prompt_tokens, used.completion_tokens)
    rates = {"input": price.input, "output": price.output, "date": price.date}
    return say("anatomy.cost", cny=f"{cny:.6f}", **rates)
