"""An answer as a terminal shows it: piece by piece as it arrives, and then how fast it came."""

import time

import httpx2
import openai
from openai.types import CompletionUsage
from socksio.exceptions import SOCKSError

from .. import addresses
from ..lab import Lab
from ..network import why
from ..watch.stream import Recording
from ..words import LabError, printable, reason, say


def show_answer(lab: Lab, question: str, system: str | None = None, **options: object) -> None:
    """Ask a question and stream its answer to the terminal; `options` are the call's.

    An API error becomes a `LabError` of two lines.
    """
    messages = [{"role": "user", "content": question}]
    if system:
        messages.insert(0, {"role": "system", "content": system})
    try:
        with openai.OpenAI(base_url=lab.base_url, api_key=lab.api_key) as client:
            asked = {"model": lab.model, "messages": messages, **options}
            usage = {"stream": True, "stream_options": {"include_usage": True}}
            began = time.monotonic()
            _show(Recording(client.chat.completions.create(**asked, **usage)), began)
    except openai.APIStatusError as error:
        told = {"status": error.status_code, "code": error.code, "message": _message(error)}
        wrong_key = error.status_code == 401 and lab.kind == "dashscope"
        told["host"] = addresses.host(lab.base_url)
        raise LabError(
            "commands.refused_key" if wrong_key else "commands.refused", **told
        ) from error
    # The SDK lets the words of a proxy that speaks no SOCKS pass as they are.
    except (openai.APIConnectionError, SOCKSError) as error:
        told = {"address": addresses.shown(lab.base_url), "reason": why(error, lab.base_url)}
        raise LabError("commands.no_answer", **told) from error
    except openai.APIError as error:
        raise LabError("commands.cut_short", code=error.code, message=_message(error)) from error
    # What the SDK lets pass: a chunk that is no JSON, a line that breaks off.
    except (ValueError, httpx2.HTTPError) as error:
        told = {"code": type(error).__name__, "message": reason(error)}
        raise LabError("commands.cut_short", **told) from error


def _show(stream: Recording, began: float) -> None:
    first = usage = None
    for part in (stream.part for _ in stream):
        piece = part.choices[0].delta.content if part and part.choices else None
        first = first or (time.monotonic() if piece else None)
        usage = part and part.usage or usage
        print(printable(piece or ""), end="", flush=True)
    stream.need_chunk()
    ended = time.monotonic()
    print(_speed(usage, (first or ended) - began, ended - (first or ended)))


def _speed(usage: CompletionUsage | None, wait: float, rest: float) -> str:
    if not usage:
        return say("commands.counted_none", wait=wait + rest)
    tokens = usage.completion_tokens
    # The first token's time is the prompt's; only the others show how fast the model writes.
    speed = (tokens - 1) / rest if rest and tokens > 1 else 0
    return say("commands.speed", tokens=tokens, wait=wait, rest=rest, speed=speed)


def _message(error: openai.APIError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    return str(body.get("message") or error.message)
