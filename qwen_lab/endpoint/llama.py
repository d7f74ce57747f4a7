"""The real Qwen: llama.cpp in this process."""

import json
import math
import os
from collections.abc import Callable, Iterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

from ..parameters import limit
from ..paths import table
from ..watch.next_token import NextToken, listed
from . import llama_memory
from .engine import Events, Prefix
from .llama_chunks import Emit, Reader, Rows, unusable
from .llama_listener import Listener
from .llama_prompt import INVISIBLE, Prompts, hidden
from .llama_threads import Threads
from .rules import ChatRequest

# What the engine is told at its start, and with each request of a kind.
TOLD = table(__file__)
# DashScope names no upper bound; beyond this nothing changes but the arithmetic, which overflows.
LARGEST_PENALTY = 1e6
# Above all logits that a model gives, and yet so near that 32 bits hold the probabilities.
KNOWN_LOGIT = 40
# Where an answer of the engine begins to list candidates, and what divides them.
ROWS = b'"top_logprobs":['
ROW = b',{"id":'
CHUNK = 50_000
DECODER = json.JSONDecoder()


class LlamaEngine:
    """A GGUF model in llama.cpp. Loading takes seconds and raises what the engine raises.

    What it needs on the disk while it runs lies in `place`, else among the temporary files.
    """

    def __init__(self, path: Path, model: str, place: Path | None = None) -> None:
        # GNU OpenMP's threads spin while they wait for each other; beside other busy programs
        # that keeps the other threads from their core. A short spin, then sleep.
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
        import xllamacpp

        self.model, self.slots = model, TOLD["server"]["n_parallel"]
        self._threads = Threads(self.slots)
        self._listener = Listener(place)
        settings = _settings(xllamacpp.CommonParams(), path, self._listener)
        self._server = xllamacpp.Server(settings)
        self._listener.address = self._server.listening_address
        self.thinks = "<think>" in self._post("/props", None)["chat_template"]
        self._prompts = Prompts(self._post)
        self._letters = [self._prompts.tokens(letter)[0] for letter in "ab"]
        llama_memory.unmap(path)

    @property
    def stuck(self) -> bool:
        return self._threads.stuck

    def generate(self, request: ChatRequest, seed: int, alone: bool) -> Events:
        return self._threads.events(partial(self.answer, request, seed, alone))

    def answer(self, request: ChatRequest, seed: int, alone: bool, emit: Emit) -> None:
        """`generate` for a thread that may block: each event to `emit`, until it says stop."""
        reader, body = Reader(emit, request.top_logprobs), _body(request, seed, alone)
        body["stop"] = request.stop + [self._prompts.text(tokens) for tokens in request.stop_tokens]
        asked = {name: body[name] for name in ("messages", "chat_template_kwargs")}
        handle = self._server.handle_chat_completions
        if (forged := self._prompts.forged(asked)) and request.thinking:
            # Only the engine's own chat tells thoughts from an answer, and it takes no tokens.
            body |= hidden(asked, forged, INVISIBLE)
        elif forged:
            body["prompt"] = self._prompts.filled(asked, forged)
            body["n_probs"] = body.get("top_logprobs", 0)
            body |= {"json_schema": request.schema} if request.schema else {}
            handle = self._server.handle_completions
        _read(handle, body, reader)

    async def next_token(self, messages: list[dict], prefix: Prefix, most: int) -> NextToken:
        work = partial(self._next_token, messages, prefix, most)
        async with aclosing(self._threads.events(work)) as events:
            return [event async for event in events][-1]

    def _next_token(self, messages: list[dict], prefix: Prefix, most: int, emit: Emit) -> None:
        """Emits how far the prompt is read, and then what was found."""
        asked = {"messages": messages}
        filled = self._prompts.filled(asked, self._prompts.forged(asked))
        prompt = self._prompts.tokens(filled, begins=True, steers=True)
        # An answer's tokens never melt into the prompt's, so its text is cut apart by itself.
        context = prompt + (self._prompts.tokens(prefix) if isinstance(prefix, str) else prefix)
        # At least two: one of them is the token whose logit `_logit` tells.
        request = TOLD["next_token"] | {"prompt": context, "n_probs": max(most, 2)}
        request["logit_bias"] = [[self._whole(context), 200]]
        try:
            # First the logit: the prompt is in the cache then, and what follows rounds alike.
            token, logit = self._logit(context, emit)
            found = list(candidates(self._listener.ask("/completion", request)))
            logprob = next(logprob for number, _, logprob in found if number == token)
            emit(listed(found[:most], context, len(prompt), logit - logprob))
        finally:
            llama_memory.trim()

    def _whole(self, context: list[int]) -> int:
        """A token of whole characters for the engine to pick, by a bias.

        When it picks a part of a character, it lists no probabilities. Those that it lists are
        from before the bias.
        """
        return next(token for token in self._letters if token != context[-1])

    def _logit(self, context: list[int], emit: Emit) -> tuple[int, float]:
        """A likely next token and its logit."""
        picked = self._whole(context)
        reader = Rows(emit)
        _read(self._server.handle_completions, logit_request(context, picked), reader)
        return logit(reader.rows, context, picked)

    def _post(self, path: str, body: dict | None) -> dict:
        return json.loads(self._listener.ask(path, body))


def _read(handle: Callable, body: dict, reader: Reader) -> None:
    try:
        handle(body, reader.take)
    except ValueError as error:
        raise unusable(str(error)) from error
    if reader.error:
        raise reader.error


def _settings(settings, path: Path, listener: Listener):
    settings.model.path, settings.api_keys = str(path), [listener.key]
    settings.hostnames = [listener.host]
    for name, value in TOLD["server"].items():
        setattr(settings, name, value)
    return settings


def _body(request: ChatRequest, seed: int, alone: bool) -> dict:
    """The request in llama.cpp's words, with what DashScope does not have switched off."""
    sampling = dict(request.sampling)
    sampling["top_k"] = limit(sampling["top_k"])
    sampling["repeat_penalty"] = min(sampling.pop("repetition_penalty"), LARGEST_PENALTY)
    if request.logprobs:
        # With none to list, the engine would not give those of the tokens themselves either.
        sampling |= {"logprobs": True, "top_logprobs": request.top_logprobs or 1}
    return {
        **TOLD["answer"],
        **sampling,
        **_form(request),
        "messages": request.prompt,
        "seed": seed,
        "cache_prompt": not alone,
    }


def _form(request: ChatRequest) -> dict:
    """What the prompt's template and the answer's grammar are told."""
    told: dict = {"enable_thinking": request.thinking}
    if request.tools:
        # For the template alone: with tools of its own the engine gives no logprobs in a stream.
        told["tools"] = request.tools
    form: dict = {"chat_template_kwargs": told}
    if request.thinking_budget:
        form["thinking_budget_tokens"] = request.thinking_budget
    return form | request.response_format


def logit_request(context: list[int], picked: int) -> dict:
    """What asks llama.cpp for a likely next token's logit.

    The engine tells probabilities alone, in which a number added to all logits does not show. So
    the last token of the context is given a known logit to compare with: lifted above zero, a huge
    repetition penalty brings it to zero, and a presence penalty to its place.
    """
    return TOLD["logit"] | {
        "prompt": context,
        "logit_bias": [[context[-1], 200], [picked, 2 * KNOWN_LOGIT]],
        "presence_penalty": -KNOWN_LOGIT,
    }


def logit(rows: list[dict], context: list[int], picked: int) -> tuple[int, float]:
    """A likely next token and its logit, by the answer to `logit_request`."""
    [answer] = rows
    found = {row["id"]: row["prob"] for row in answer["top_probs"]}
    known, _ = found.pop(context[-1]), found.pop(picked)
    [(token, probability)] = found.items()
    return token, KNOWN_LOGIT + math.log(probability / known)


def candidates(answer: bytes) -> Iterator[tuple[int, bytes, float]]:
    """The candidates (number, bytes, logarithm of the probability) in the engine's answer.

    It has up to 14 MB and is parsed a little at a time: one parse of the whole would hold the
    interpreter, and with it the event loop, for most of a second.
    """
    at = answer.index(ROWS) + len(ROWS)
    while at:
        end = answer.find(ROW, at + CHUNK)
        rows = answer[at:end] if end > 0 else answer[at:]
        # What follows the last row is not read.
        for row in DECODER.raw_decode(f"[{rows.decode()}]")[0]:
            yield row["id"], bytes(row["bytes"]), row["logprob"]
        at = end + 1
