"""What a field means, in the language in use: what it is, why it is null, what it costs."""

from datetime import UTC, datetime

from openai.types import CompletionUsage

from .. import models
from ..parameters import PARAMETERS
from ..watch import typed
from ..words import names, say
from .fields import ABSENT, Field, Subject

# Where the same field stands under another name.
ALIKE = (
    (".delta.", ".message."),
    (".logprobs.refusal[]", ".logprobs.content[]"),
    (".top_logprobs[]", ""),
)
# Inside these a request describes what is its own.
OWN = ("request.tools", "request.response_format", "request.tool_choice", "request.stream_options")


def meaning(field: Field, subject: Subject) -> list[str]:
    """Sentences about the field, the general one first."""
    path = key(field.path)
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
    if field.chunks and len(field.chunks) < subject.count:
        sentences.append(say("anatomy.chunks", chunks=spans(field.chunks)))
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
        return " ".join(filter(None, [row.meaning, row.range]))
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
        return say("anatomy.cost_free")
    cny = price.of(used.prompt_tokens, used.completion_tokens)
    rates = {"input": price.input, "output": price.output, "date": price.date}
    return say("anatomy.cost", cny=f"{cny:.6f}", **rates)


def spans(numbers: tuple[int, ...]) -> str:
    """Numbers in rising order, those that follow one another as a span: "1–3, 7"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{first}–{last}" if first < last else f"{first}" for first, last in parts)
