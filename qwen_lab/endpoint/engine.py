"""The real Qwen: llama.cpp in this process, asked one call at a time for a stream of events.

`Engine` is the boundary at which tests put a fake; all above it is the same for both.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..parameters import MAX_INPUT
from .refusal import invalid
from .rules import Call

SLOTS = 4
SLOT_TOKENS = 4_096
# Small batches, so that a client that leaves while a long prompt is read is noticed within one.
BATCH = 64
# The engine's prompt cache may grow to 8 GB unless it is told otherwise.
CACHE_MIB = 64
# Temperature before the cuts, and nothing that DashScope does not have (llama.cpp's own min_p).
SAMPLERS = ["penalties", "temperature", "top_k", "top_p"]


@dataclass(frozen=True)
class Prompt:
    """The prompt was counted and is being read; comes again while a long one is."""

    tokens: int


@dataclass(frozen=True)
class Piece:
    """Some text, whole characters; `logprobs` has a row in the SDK's shape for each token."""

    text: str
    logprobs: list[dict] | None = None


@dataclass(frozen=True)
class End:
    """Nothing more comes. `reason` is "stop" or "length"; counts are tokens."""

    reason: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int


Event = Prompt | Piece | End
Emit = Callable[[Event], bool]


class Engine(Protocol):
    """What the endpoint needs of a model."""

    model: str
    slots: int

    def generate(self, call: Call, seed: int, alone: bool, emit: Emit) -> None:
        """Answer the call, handing each event to `emit` until it returns True (stop) or the end.

        Blocks. `alone` means without the prompt cache. Raises `Refusal` when the model itself
        cannot take the request.
        """


class LlamaEngine:
    """A GGUF model in llama.cpp. Loading takes seconds and raises what the engine raises."""

    def __init__(self, path: Path, model: str) -> None:
        # GNU OpenMP's threads spin while they wait for each other; beside other busy programs
        # that keeps the other threads from their core. A short spin, then sleep.
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
        import xllamacpp

        self.model, self.slots = model, SLOTS
        self._server = xllamacpp.Server(_settings(xllamacpp.CommonParams(), path))

    def generate(self, call: Call, seed: int, alone: bool, emit: Emit) -> None:
        reader = _Reader(emit)
        self._server.handle_chat_completions(_request(call, seed, alone), reader.take)
        if reader.error:
            raise reader.error


def _settings(settings, path: Path):
    settings.model.path = str(path)
    settings.n_parallel, settings.n_ctx = SLOTS, SLOTS * SLOT_TOKENS
    settings.n_batch = settings.n_ubatch = BATCH
    settings.cache_ram_mib = CACHE_MIB
    settings.verbosity = -1
    # Its own listener cannot be switched off: loopback, any port, a key that nobody knows.
    settings.hostnames, settings.port = ["127.0.0.1"], 0
    settings.api_keys = [secrets.token_urlsafe(32)]
    settings.ui = settings.endpoint_slots = False
    return settings


def _request(call: Call, seed: int, alone: bool) -> dict:
    """The call in llama.cpp's words, with what DashScope does not have switched off."""
    sampling = dict(call.sampling)
    # DashScope: above 100 the cut is off; llama.cpp: at 0.
    sampling["top_k"] = 0 if sampling["top_k"] > 100 else sampling["top_k"]
    sampling["repeat_penalty"] = sampling.pop("repetition_penalty")
    return {
        **sampling,
        "messages": call.messages,
        "stop": call.stop,
        "seed": seed,
        "cache_prompt": not alone,
        "samplers": SAMPLERS,
        "repeat_last_n": SLOT_TOKENS,
        **({"logprobs": True, "top_logprobs": call.top_logprobs} if call.logprobs else {}),
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
    }


class _Reader:
    """Turns llama.cpp's chunks into events; `take` returns True to stop the engine."""

    def __init__(self, emit: Emit) -> None:
        self.emit, self.error = emit, None
        self._reason = "stop"

    def take(self, chunk: dict) -> bool:
        # The binding swallows what a callback raises, so errors are kept and raised after it.
        try:
            return self._take(chunk)
        except Exception as error:
            self.error = error
            return True

    def _take(self, chunk: dict) -> bool:
        if "error" in chunk:
            raise _refusal(chunk["error"])
        if "prompt_progress" in chunk:
            return self._progress(chunk["prompt_progress"])
        if not chunk["choices"]:
            return self.emit(_end(self._reason, chunk["usage"]))
        return self._piece(chunk["choices"][0])

    def _progress(self, progress: dict) -> bool:
        if progress["total"] > MAX_INPUT:
            raise _too_long()
        return self.emit(Prompt(progress["total"]))

    def _piece(self, choice: dict) -> bool:
        self._reason = choice["finish_reason"] or self._reason
        text = choice["delta"].get("content") or ""
        logprobs = choice.get("logprobs")
        return self.emit(Piece(text, _rows(logprobs["content"]) if logprobs else None))


def _end(reason: str, usage: dict) -> End:
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    return End(reason, usage["prompt_tokens"], usage["completion_tokens"], cached)


def _rows(content: list[dict]) -> list[dict]:
    names = ("token", "logprob", "bytes")
    return [
        {name: row[name] for name in names}
        | {"top_logprobs": [{name: top[name] for name in names} for top in row["top_logprobs"]]}
        for row in content
    ]


def _too_long() -> Exception:
    return invalid(f"Range of input length should be [1, {MAX_INPUT}]")


def _refusal(error: dict) -> Exception:
    if error.get("type") == "exceed_context_size_error":
        return _too_long()
    return RuntimeError(error.get("message"))
